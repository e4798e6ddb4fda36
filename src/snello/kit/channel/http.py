"""Calls to a channel: paced, tried again when that may help, told in one sentence when it does not.

``BatchRefused`` says that the channel will not take this body: the caller halves it. Everything else that a caller
cannot mend leaves as ``ConfigError`` or ``RetryLater``. No message holds a body, a query or a secret.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from snello.errors import ConfigError, RetryLater

AGAIN = frozenset({408, 425, 429})
AUTHENTICATION = frozenset({401, 403})

logging.getLogger("urllib3").setLevel(logging.WARNING)  # its debug lines hold whole addresses


class BatchRefused(Exception):
    """The channel understood the call and will not take this body; ``code`` is its word for why."""

    def __init__(self, code: str, status: int = 0) -> None:
        super().__init__(f"refused: {code}")
        self.code, self.status = code, status


class _Again(Exception):
    """The call may succeed if it is made again; ``wait`` is what the channel asked for, in seconds."""

    def __init__(self, what: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.what, self.wait = what, wait


@dataclass(frozen=True)
class Retry:
    """How often and how patiently a call is tried; ``limits`` are headers beside Retry-After that a 429 may carry."""

    attempts: int = 5
    timeout: float = 30.0
    max_wait: float = 60.0
    first_wait: float = 0.5
    limits: tuple[str, ...] = ()

    def also(self, *limits: str) -> Retry:
        """The same, with other headers that a 429 may carry."""
        return replace(self, limits=limits)

    def asked(self, answer: requests.Response) -> float | None:
        """The wait that the channel asks for: seconds, or a date."""
        for header in ("Retry-After", *(self.limits if answer.status_code == 429 else ())):
            value = answer.headers.get(header, "").strip()
            if re.fullmatch(r"\d+(\.\d+)?", value):
                return float(value)
            if value:
                return _until(value)
        return None

    def wait(self, state: RetryCallState) -> float:
        """What the channel asked for, else twice as long as last time, with some chance in it."""
        fault = state.outcome.exception() if state.outcome else None
        if isinstance(fault, _Again) and fault.wait is not None:
            return fault.wait
        longest: float = min(self.max_wait, self.first_wait * 2 ** (state.attempt_number - 1))
        return longest * random.uniform(0.5, 1.0)


@dataclass
class Pace:
    """At most so many calls a second, evenly spread; None: as they come."""

    per_second: float | None = None
    _next: float = field(default=0.0, repr=False)

    def hold(self) -> None:
        """Wait until the next call is due."""
        if self.per_second is None:
            return
        now = time.monotonic()
        if self._next > now:
            time.sleep(self._next - now)
        self._next = max(now, self._next) + 1 / self.per_second


class Http:
    """A session with one channel, under one name for messages."""

    def __init__(
        self,
        where: str,
        *,
        headers: Mapping[str, str] | None = None,
        retry: Retry | None = None,
        pace: Pace | None = None,
        renew: str = "check the credentials of the target",
    ) -> None:
        self.where, self.renew = where, renew
        self.retry, self.pace = retry or Retry(), pace or Pace()
        self.calls = 0
        self.code_of: Callable[[requests.Response], str] = code_of  # a connector may know its channel's words better
        self._session = requests.Session()
        self._session.trust_env = False  # a .netrc must not lend its password, nor a proxy read the bodies
        self._session.headers.update(headers or {})

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def call(self, method: str, url: str, *, place: str = "", **body: Any) -> requests.Response:
        """The answer to one call, 2xx, whatever it took; ``place`` names the address in messages, else its path does.

        - 408, 425, 429, 5xx, timeouts and broken connections are tried again, as long as the channel asks
        - raises ``RetryLater`` when that did not help, ``ConfigError`` for a wrong key, address or redirect,
          ``BatchRefused`` for any other 4xx
        """
        place = f"{method} {place or urlsplit(url).path or '/'}"
        tries = Retrying(
            retry=retry_if_exception_type(_Again),
            stop=stop_after_attempt(self.retry.attempts),
            wait=self.retry.wait,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return tries(self._once, method, url, place, body)
        except _Again as fault:
            waited = f", tried {self.retry.attempts} times" if self.retry.attempts > 1 else ""
            raise RetryLater(
                self.where, f"{fault.what} from {place}{waited}", "run again later; nothing is lost"
            ) from None

    def _sleep(self, seconds: float) -> None:
        if seconds > self.retry.max_wait:
            raise RetryLater(
                self.where, f"it asks to wait {seconds:.0f} s", "run again after that time; nothing is lost"
            )
        time.sleep(seconds)

    def _once(self, method: str, url: str, place: str, body: Mapping[str, Any]) -> requests.Response:
        self.pace.hold()
        self.calls += 1
        try:
            answer = self._session.request(method, url, timeout=self.retry.timeout, allow_redirects=False, **body)
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema):
            raise ConfigError(self.where, "its URL is not one", "give the url setting a http(s) address") from None
        except requests.exceptions.SSLError:
            raise ConfigError(self.where, f"no safe connection for {place}", "check the certificate") from None
        except requests.exceptions.Timeout:
            raise _Again(f"no answer within {self.retry.timeout:g} s") from None
        except requests.exceptions.RequestException as error:
            raise _Again(f"no connection ({type(error).__name__})") from None
        return self._judged(answer, place)

    def _judged(self, answer: requests.Response, place: str) -> requests.Response:
        status = answer.status_code
        if 200 <= status < 300:
            return answer
        if status in AGAIN or status >= 500:
            raise _Again(str(status), self.retry.asked(answer))
        if status in AUTHENTICATION:
            raise ConfigError(self.where, f"{status} from {place}", self.renew)
        if 300 <= status < 400:
            raise ConfigError(
                self.where, f"{status}, a redirect, from {place}", "give the url setting the final address"
            )
        raise BatchRefused(self.code_of(answer) or str(status), status)


def code_of(answer: requests.Response) -> str:
    """The channel's word for a fault, from ``{"code": "…"}``; empty when there is none that is fit to be kept."""
    try:
        body = answer.json()
    except ValueError:
        return ""
    code = body.get("code") if isinstance(body, dict) else None
    return code if isinstance(code, str) and re.fullmatch(r"[A-Za-z][A-Za-z_-]{0,63}", code) else ""


def _until(date: str) -> float | None:
    try:
        then = parsedate_to_datetime(date)
    except ValueError:
        return None
    return max(0.0, (then - datetime.now(UTC)).total_seconds())
