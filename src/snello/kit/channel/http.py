"""Calls to a channel: the kit's client in the words of a channel.

``BatchRefused`` says that the channel will not take this body: the caller halves it. Everything else that a caller
cannot mend leaves as ``ConfigError`` or ``RetryLater``. No message holds a body, a query or a secret.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

import requests

from snello.errors import ConfigError, RetryLater
from snello.kit.http import Answer, Client, Expired, Limit, Transient
from snello.kit.http import Retry as Patience
from snello.kit.http.auth import Auth, Credentials, Login
from snello.kit.http.buckets import OwnBucket
from snello.kit.http.faults import Asked, Faults
from snello.kit.http.retry import AGAIN
from snello.kit.http.transport import Elsewhere, Timing, Trickle
from snello.kit.http.waits import asked

AUTHENTICATION = frozenset({401, 403})


class BatchRefused(Exception):
    """The channel understood the call and will not take this body; ``code`` is its word for why."""

    def __init__(self, code: str, status: int = 0) -> None:
        super().__init__(f"refused: {code}")
        self.code, self.status = code, status


class TooSlow(RetryLater):
    """No answer came in time, however often it was asked for: the body may be more than the channel can do at once."""


class _Late(Transient):
    """An answer that did not come in time."""


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

    @property
    def patience(self) -> Patience:
        """The same, for the client."""
        return Patience(self.attempts, self.first_wait, self.max_wait, self.limits)


@dataclass
class Pace:
    """At most so many calls a second, evenly spread; None: as they come."""

    per_second: float | None = None

    @property
    def limit(self) -> Limit | None:
        """The same, for the client."""
        return None if self.per_second is None else Limit(1, 1 / self.per_second)

    def hold(self) -> None:
        """Wait until the next call is due."""
        while wait := self._bucket.take():
            time.sleep(wait)

    @cached_property
    def _bucket(self) -> OwnBucket:
        return OwnBucket(self.limit)


class Http:
    """A session with one channel, under one name for messages.

    - ``pace`` is kept by all processes of this machine that call the same host under the same headers
    - ``parallel``: calls that may be under way at once, each over a connection of its own
    - ``auth``: a login that is renewed when it runs out, out of ``config``; a fixed key can stand in the headers

    Two attributes that a connector may set, because it knows its channel's words better:

    - ``code_of(answer)``: the word for a refusal
    - ``judge(answer)``: for any answer, also one of 2xx, the fault that its status does not tell: ``Transient`` with
      the seconds to wait, ``BatchRefused``, a ``SnelloError``; None leaves it to the status
    """

    def __init__(
        self,
        where: str,
        *,
        headers: Mapping[str, str] | None = None,
        retry: Retry | None = None,
        pace: Pace | None = None,
        renew: str = "check the credentials of the target",
        parallel: int = 1,
        auth: Auth | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self.where, self.renew = where, renew
        self.retry, self.pace = retry or Retry(), pace or Pace()
        self.code_of: Callable[[requests.Response], str] = code_of
        self.judge: Callable[[requests.Response], Exception | None] | None = None
        self._headers = dict(headers or {})
        self._client = Client(
            where,
            auth=auth or _Account(tuple(self._headers)),
            config=config or self._headers,
            retry=self.retry.patience,
            limit=self.pace.limit,
            timeout=self.retry.timeout,
            workers=parallel,
            decode=bytes,
            check=self._look,
            faults=_Words(http=self),
        )

    @property
    def calls(self) -> int:
        """Calls made, tries included."""
        return self._client.calls

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(self, method: str, url: str, *, place: str = "", **body: Any) -> requests.Response:
        """The answer to one call, 2xx, whatever it took; ``place`` names the address in messages, else its path does.

        - 408, 425, 429, 5xx, timeouts and broken connections are tried again, as long as the channel asks
        - raises ``RetryLater`` when that did not help, ``ConfigError`` for a wrong key, address or redirect,
          ``BatchRefused`` for any other 4xx
        """
        headers = {**self._headers, **(body.pop("headers", None) or {})}
        answer = self._client.send(method, url, place=place, headers=headers, **body)
        return cast(requests.Response, answer.response)

    def _look(self, answer: Answer) -> None:
        """An answer of 2xx may hold a fault."""
        fault = self.judged(answer)
        if fault is not None:
            raise fault

    def judged(self, answer: Answer) -> Exception | None:
        """The fault that the connector sees in an answer."""
        return self.judge(cast(requests.Response, answer.response)) if self.judge else None


@dataclass(frozen=True)
class _Account:
    """Credentials that are among the headers of each call already: they tell one account's pace from another's."""

    settings: tuple[str, ...]

    def bind(self, config: Mapping[str, Any], login: Login) -> Credentials:
        return self

    def current(self) -> str:
        return ""

    def sign(self, request: requests.PreparedRequest, token: str) -> None: ...

    def renew(self, token: str) -> bool:
        return False


@dataclass(frozen=True, kw_only=True)
class _Words(Faults):
    """A channel's sentences."""

    http: Http

    def of_connection(self, error: Exception, request: Asked, timing: Timing) -> Exception:
        where, place = request.where, request.place
        if isinstance(error, Elsewhere | requests.TooManyRedirects):
            return ConfigError(where, f"a redirect from {place}", "give the url setting the final address")
        if isinstance(error, requests.exceptions.SSLError):
            return ConfigError(where, f"no safe connection for {place}", "check the certificate")
        if isinstance(error, Trickle | requests.Timeout):
            return _Late(f"no answer within {timing.piece:g} s")
        if isinstance(error, ValueError):  # the faults of addresses are among them
            return ConfigError(where, "its URL is not one", "give the url setting a http(s) address")
        return Transient(f"no connection ({type(error).__name__})")

    def of_status(self, answer: Answer, request: Asked, retry: Patience) -> Exception:
        status, known = answer.status, self.http.judged(answer)
        if known is not None:
            return known
        if status in AGAIN or status >= 500:
            return Transient(str(status), asked(status, answer.headers, retry.also))
        if status in AUTHENTICATION:
            return self.of_expiry(Expired(f"{status} from {request.place}"), request)
        if 300 <= status < 400:
            what = f"{status}, a redirect, from {request.place}"
            return ConfigError(request.where, what, "give the url setting the final address")
        return BatchRefused(self.http.code_of(cast(requests.Response, answer.response)) or str(status), status)

    def of_expiry(self, fault: Expired, request: Asked) -> Exception:
        return ConfigError(request.where, fault.what, self.http.renew)

    def of_patience(self, fault: Transient, request: Asked, tries: int, retry: Patience) -> Exception:
        if fault.wait is not None and fault.wait > retry.longest:
            cure = "run again after that time; nothing is lost"
            return RetryLater(request.where, f"it asks to wait {fault.wait:.0f} s", cure)
        waited = f", tried {tries} times" if tries > 1 else ""
        kind = TooSlow if isinstance(fault, _Late) else RetryLater
        return kind(request.where, f"{fault.what} from {request.place}{waited}", "run again later; nothing is lost")


def code_of(answer: requests.Response) -> str:
    """The channel's word for a fault, from ``{"code": "…"}``; empty when there is none that is fit to be kept."""
    try:
        body = answer.json()
    except ValueError:
        return ""
    code = body.get("code") if isinstance(body, dict) else None
    return code if isinstance(code, str) and re.fullmatch(r"[A-Za-z][A-Za-z_-]{0,63}", code) else ""
