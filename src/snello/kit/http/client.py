"""The client: one request after another, signed, paced, tried again while that may help."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from requests.adapters import HTTPAdapter

from snello.errors import ContractError
from snello.kit.http.answer import Answer
from snello.kit.http.auth import Auth, Credentials
from snello.kit.http.faults import Faults
from snello.kit.http.limit import Bucket, Limit
from snello.kit.http.retry import Expired, Retry, Transient

CONNECT = 10.0  # seconds
Decode = Callable[[bytes], Any]
Check = Callable[[Answer], None]
_json = msgspec.json.Decoder().decode

logging.getLogger("urllib3").setLevel(logging.WARNING)  # its debug lines hold whole addresses


@dataclass
class _Call:
    """One request as it is asked for."""

    where: str
    place: str
    request: requests.Request
    decode: Decode
    check: Check | None
    signed: bool = True
    renewed: bool = False
    mark: str = ""
    tries: int = field(default=0)


class Client:
    """Requests of one connector to one account; safe to call from several threads.

    - ``where``: the connector, or its stream, for messages
    - ``timeout``: seconds between two pieces of an answer; a whole answer may take five times that
    - ``workers``: threads that will send at once
    - ``decode``: makes the document of a content; JSON when not given, ``bytes`` for none
    - ``check``: looks at every success and may raise ``Transient``, ``Expired`` or a ``SnelloError``
    - ``tell``: hears of waits; the log does when not given
    """

    def __init__(
        self,
        where: str,
        *,
        auth: Auth | None = None,
        config: Mapping[str, Any] = {},
        retry: Retry = Retry(),  # noqa: B008  (frozen)
        limit: Limit | None = None,
        timeout: float = 60,
        workers: int = 1,
        cache: str | None = None,
        user_agent: str | None = None,
        decode: Decode | None = None,
        check: Check | None = None,
        tell: Callable[[str], None] | None = None,
        faults: Faults | None = None,
    ) -> None:
        self.where, self.retry, self.timeout = where, retry, timeout
        self.calls = 0
        self._decode, self._check = decode or _json, check
        self._tell = tell or logging.getLogger(where.partition(":")[0]).warning
        self._faults = faults or Faults(auth.settings if auth else ())
        self._bucket = Bucket(limit) if limit else None
        self._lock = threading.Lock()
        self._session = _session(workers, user_agent or f"snello/{version('snello')} {where.partition(':')[0]}")
        self._credentials: Credentials | None = auth.bind(config, self._login) if auth else None

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Any = None,
        json: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        where: str | None = None,
        place: str = "",
        decode: Decode | None = None,
        check: Check | None = None,
    ) -> Answer:
        """The answer to one request, a success, whatever it took.

        - ``place`` stands for the path in messages, where the path names a person
        - raises ``RetryLater`` when the server does not come round, ``ConfigError`` for credentials, address or
          certificate, ``ContractError`` for other refusals and for web pages
        """
        given = dict(headers or {})
        if json is not None:
            data, given = msgspec.json.encode(json), {"Content-Type": "application/json", **given}
        request = requests.Request(method, url, params=params, data=data, headers=given)
        place = f"{method} {place or urlsplit(url).path or '/'}"
        call = _Call(where or self.where, place, request, decode or self._decode, check or self._check)
        return self._answer(call)

    def _login(self, method: str, url: str, **body: Any) -> Answer:
        request = requests.Request(method, url, **body)
        place = f"{method} {urlsplit(url).path or '/'}"
        return self._answer(_Call(self.where, place, request, _json, None, signed=False))

    def _answer(self, call: _Call) -> Answer:
        def told(what: str, seconds: float) -> None:
            self._tell(f"{call.where}: {what}; asking again in {seconds:.1f} s")

        try:
            return self.retry.call(lambda: self._renewed_once(call), told)
        except Transient as fault:
            raise self._faults.of_patience(fault, call.where, call.place, call.tries) from None

    def _renewed_once(self, call: _Call) -> Answer:
        try:
            return self._once(call)
        except Expired as fault:
            refused = self._faults.of_expiry(fault, call.where)
            if call.renewed or not self._credentials or not self._credentials.renew(call.mark):
                raise refused from None
            call.renewed = True
        try:
            return self._once(call)
        except Expired:
            raise refused from None

    def _once(self, call: _Call) -> Answer:
        if self._bucket:
            time.sleep(self._bucket.take())
        with self._lock:
            self.calls += 1
        call.tries += 1
        try:
            prepared = self._session.prepare_request(call.request)
            if self._credentials and call.signed:
                call.mark = self._credentials.sign(prepared)
            settings = self._session.merge_environment_settings(prepared.url, {}, None, None, None)
            response = self._session.send(prepared, timeout=(CONNECT, self.timeout), allow_redirects=True, **settings)
        except (requests.RequestException, ValueError) as error:
            raise self._faults.of_connection(error, call.where, call.place) from None
        return self._judged(call, _answer_of(call.request.method or "GET", response))

    def _judged(self, call: _Call, answer: Answer) -> Answer:
        if answer.status == 401 and call.signed and not call.renewed:
            raise Expired(f"401 from {call.place}")
        if not 200 <= answer.status < 300:
            raise self._faults.of_status(answer, call.where, call.place, self.retry)
        whole = replace(answer, document=self._document(call, answer))
        if call.check:
            call.check(whole)
        return whole

    def _document(self, call: _Call, answer: Answer) -> Any:
        if call.decode is bytes:
            return answer.content
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind.endswith("html"):
            what = f"a web page came instead of data from {call.place}"
            raise ContractError(call.where, what, "check the URL, and that the interface is switched on")
        if not answer.content and (answer.status == 204 or answer.method != "GET"):
            return None
        try:
            return call.decode(answer.content)
        except (msgspec.DecodeError, ValueError):
            raise Transient(f"the answer of {call.place} is not whole JSON") from None


def _session(workers: int, user_agent: str) -> requests.Session:
    session = requests.Session()
    session.headers["User-Agent"] = user_agent
    session.headers["Accept"] = "application/json, */*;q=0.5"
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_connections=workers, pool_maxsize=workers, pool_block=True))
    return session


def _answer_of(method: str, response: requests.Response) -> Answer:
    return Answer(method, response.url, response.status_code, response.headers, response.content, response=response)
