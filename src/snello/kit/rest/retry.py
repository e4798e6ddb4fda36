"""When to ask again: what passes by itself is tried some times, as patiently as the server asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

Answer = TypeVar("Answer")


class Transient(Exception):
    """A fault that may pass by itself.

    - ``what``: the fault, without the response's body
    - ``wait``: seconds that the server asks to wait, if it does
    """

    def __init__(self, what: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.what, self.wait = what, wait


@dataclass(frozen=True)
class Retry:
    """How often and how patiently.

    - ``tries``: requests in all
    - ``first``: seconds before the second try, doubled each time, when the server names no time
    - ``longest``: seconds beyond which waiting is left to the next run
    """

    tries: int = 6
    first: float = 1.0
    longest: float = 120.0

    def call(self, send: Callable[[], Answer], tell: Callable[[str, float], None]) -> Answer:
        """The answer of the first try that gets one. Raises the last ``Transient``."""
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
            before_sleep=before_sleep,
            reraise=True,
        )(send)

    def _worth_it(self, fault: BaseException) -> bool:
        return isinstance(fault, Transient) and (fault.wait is None or fault.wait <= self.longest)


def seconds_of(retry_after: str | None) -> float | None:
    """Seconds to wait by a ``Retry-After`` header, given as seconds or as a date; none when it says neither."""
    if not retry_after:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
