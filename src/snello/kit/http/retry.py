"""When to ask again: what passes by itself is tried some times, as patiently as the server asks for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

Result = TypeVar("Result")
AGAIN = frozenset({408, 425, 429})


class Transient(Exception):
    """A fault that may pass by itself.

    - ``what``: the fault, without the answer's content
    - ``wait``: seconds that the server asks to wait, if it does
    - ``cure``: what to do when it does not pass, if there is more to it than running again
    """

    def __init__(self, what: str, wait: float | None = None, cure: str = "") -> None:
        super().__init__(what)
        self.what, self.wait, self.cure = what, wait, cure


class Expired(Exception):
    """The credentials hold no longer: they are renewed once, and the request is made again."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True)
class Retry:
    """How often and how patiently.

    - ``tries``: requests in all
    - ``first``: seconds before the second try, doubled each time, when the server names no time
    - ``longest``: seconds beyond which waiting is left to the next run
    - ``also``: headers that name a time to wait, beside the usual ones
    """

    tries: int = 6
    first: float = 1.0
    longest: float = 120.0
    also: tuple[str, ...] = ()

    def call(
        self,
        send: Callable[[], Result],
        tell: Callable[[str, float], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> Result:
        """The result of the first try that has one; ``tell`` hears of each wait. Raises the last ``Transient``."""
        usual = wait_exponential_jitter(multiplier=self.first, max=self.longest, jitter=self.first)

        def wait(state: RetryCallState) -> float:
            fault = state.outcome.exception() if state.outcome else None
            asked = fault.wait if isinstance(fault, Transient) else None
            return usual(state) if asked is None else asked

        def before_sleep(state: RetryCallState) -> None:
            fault = state.outcome.exception() if state.outcome else None
            tell(str(fault), state.next_action.sleep if state.next_action else 0.0)

        return Retrying(
            stop=stop_after_attempt(self.tries),
            retry=retry_if_exception(self._worth_it),
            wait=wait,
            sleep=sleep,
            before_sleep=before_sleep,
            reraise=True,
        )(send)

    def _worth_it(self, fault: BaseException) -> bool:
        return isinstance(fault, Transient) and (fault.wait is None or fault.wait <= self.longest)
