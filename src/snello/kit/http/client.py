"""The client: one request after another, signed, paced, tried again while that may help."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import requests

from snello.errors import ConfigError
from snello.kit.http.answer import Answer
from snello.kit.http.asking import (
    Call,
    Check,
    Decode,
    document_of,
    from_json,
    host_of,
    json_or_none,
    path_of,
    request_of,
)
from snello.kit.http.auth import Auth, Login, is_password, value_of
from snello.kit.http.cache import AnswerCache
from snello.kit.http.faults import Asked, Faults
from snello.kit.http.limit import Limit
from snello.kit.http.pacing import Pacing
from snello.kit.http.retry import Expired, Retry, Transient
from snello.kit.http.trace import Trace
from snello.kit.http.transport import Elsewhere, Timing, Trickle, sent, session_for
from snello.kit.http.waits import exhausted
from snello.kit.places import keyed_hash, state_folder

logging.getLogger("urllib3").setLevel(logging.WARNING)  # its debug lines hold whole addresses


class Client:
    """Requests of one connector to one account; safe to call from several threads.

    - ``where``: the connector, or its stream, for messages
    - ``auth`` takes its secrets out of ``config``
    - ``limit`` is kept by all processes of this machine that use the account
    - ``timeout``: seconds between two pieces of an answer; a whole one may take five times that
    - ``workers``: threads that will send at once
    - ``cache``: name of a folder for answers, which are asked about again each time
    - ``decode``: makes the document of a content; JSON when not given, ``bytes`` for the content as it is
    - ``check``: looks at every success and may raise ``Transient``, ``Expired`` or a ``SnelloError``
    - ``tell``: hears of waits; the log does when not given
    - ``faults``: other words for faults
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
        connector = where.partition(":")[0]
        self.where, self.retry, self.calls = where, retry, 0
        self._timing, self._decode, self._check = Timing(timeout), decode or from_json, check
        self._log = logging.getLogger(connector)
        self._tell = tell or self._log.warning
        self._settings = auth.settings if auth else ()
        self._faults = faults or Faults(self._settings)
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._session = session_for(workers, user_agent or f"snello/{version('snello')} {connector}")
        account = tuple(value_of(config, name, where) for name in self._settings)
        self._pacing = Pacing(limit, account, self._tell)
        self._cache = AnswerCache(state_folder("http", f"{cache}-{keyed_hash(*account)}")) if cache else None
        self._locked_out: ConfigError | None = None
        self._welcome = False
        self._credentials = auth.bind(config, Login(where, self._login)) if auth else None

    def close(self) -> None:
        """Close the connections and tell how many answers were still good; whoever waits to ask again gives up."""
        self._closed.set()
        self._session.close()
        self._pacing.close()
        if self._cache:
            self._cache.close()
            self._log.info("%s: %d answers had not changed", self.where, self._cache.revalidated)

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
        refusal: Check | None = None,
        accept: tuple[int, ...] = (),
    ) -> Answer:
        """The answer to one request, a success, whatever it took.

        - ``accept``: statuses that are an answer too, without a document
        - ``refusal``: looks at every refusal, and may raise what it means; else its status tells
        - ``place`` stands for the path in messages, where the path names a person
        - raises ``RetryLater`` when the server does not come round, ``ConfigError`` for credentials, address or
          certificate, ``ContractError`` for other refusals and for web pages
        """
        request = request_of(method, url, headers, params=params, json=json, data=data)
        asked = Asked(where or self.where, f"{method} {place or path_of(url)}", host_of(url))
        read, judge = decode or self._decode, check or self._check
        return self._answer(Call(request, asked, read, judge, self._faults, accept=accept, refusal=refusal))

    def _login(self, url: str, faults: Faults, **body: Any) -> Answer:
        """A request that is not signed, and whose faults are told in other words."""
        request = request_of("POST", url, {"Accept": "application/json"}, **body)
        asked = Asked(self.where, f"POST {path_of(url)}", host_of(url))
        return self._answer(Call(request, asked, json_or_none, None, faults, signed=False))

    def _answer(self, call: Call) -> Answer:
        def told(what: str, seconds: float) -> None:
            self._tell(f"{call.asked.where}: {what}; asking again in {seconds:.1f} s")

        try:
            return self.retry.call(lambda: self._renewed_once(call), told, self._nap)
        except Transient as fault:
            raise call.faults.of_patience(fault, call.asked, call.tries, self.retry) from None

    def _nap(self, seconds: float) -> None:
        if self._closed.wait(seconds):
            raise Transient("the run has ended")

    def _renewed_once(self, call: Call) -> Answer:
        try:
            return self._once(call)
        except Expired as fault:
            if not self._renewed(call):
                refusal = call.faults.of_expiry(fault, call.asked)
                if isinstance(refusal, ConfigError) and not self._welcome and is_password(self._credentials):
                    self._locked_out = refusal
                raise refusal from None
        call.renewed = True
        try:
            return self._once(call)
        except Expired as fault:
            raise call.faults.of_expiry(fault, call.asked) from None

    def _renewed(self, call: Call) -> bool:
        try:
            return bool(self._credentials and not call.renewed and self._credentials.renew(call.token))
        except ConfigError as fault:
            self._locked_out = fault
            raise

    def _once(self, call: Call) -> Answer:
        signed = self._credentials if call.signed else None
        self._pacing.hold(call.asked.host, call.asked.where)
        call.token = self._logged_in(call) if signed else ""
        try:
            prepared = self._session.prepare_request(call.request)
        except (requests.RequestException, ValueError) as error:
            raise call.faults.of_connection(error, call.asked, self._timing) from None
        if self._cache and call.signed:
            self._cache.ask(prepared)
        if signed:
            signed.sign(prepared, call.token)
        answer = self._sent(call, prepared)
        self._heed(call, answer)
        return self._judged(call, answer)

    def _logged_in(self, call: Call) -> str:
        """The token in force. A login or a password that was refused is not tried again: that locks accounts."""
        if self._locked_out is not None:
            raise ConfigError(call.asked.where, self._locked_out.what, self._locked_out.cure)
        try:
            return self._credentials.current() if self._credentials else ""
        except ConfigError as fault:
            self._locked_out = fault
            raise

    def _sent(self, call: Call, prepared: requests.PreparedRequest) -> Answer:
        with self._lock:
            self.calls += 1
        call.tries += 1
        trace = Trace(call.asked.where, call.asked.place, prepared.url or "", call.tries)
        began = time.monotonic()
        try:
            response = sent(self._session, prepared, self._timing)
        except (requests.RequestException, OSError, Elsewhere, Trickle, ValueError) as error:
            trace.write(type(error).__name__, 0, time.monotonic() - began)
            raise call.faults.of_connection(error, call.asked, self._timing) from None
        trace.write(response.status_code, len(response.content), time.monotonic() - began)
        if self._cache and call.signed:
            response = self._cache.settled(prepared, response)
        url, method = response.url, call.request.method or "GET"
        return Answer(method, url, response.status_code, response.headers, response.content, response=response)

    def _heed(self, call: Call, answer: Answer) -> None:
        """What the server says of its own limit holds for whoever asks next."""
        wait = exhausted(answer.headers) if answer.status < 400 else None
        if wait and wait <= self.retry.longest:
            self._pacing.rest(call.asked.host, call.asked.where, wait)

    def _judged(self, call: Call, answer: Answer) -> Answer:
        if answer.status == 401 and call.signed and self._credentials:
            raise Expired(f"401 from {call.asked.place}")
        if answer.status in call.accept:
            return answer
        if not 200 <= answer.status < 300:
            if call.refusal and 400 <= answer.status < 500:
                call.refusal(replace(answer, document=json_or_none(answer.content)))
            raise call.faults.of_status(answer, call.asked, self.retry)
        self._welcome = self._welcome or call.signed
        whole = replace(answer, document=document_of(call, answer))
        if call.check:
            call.check(whole)
        return whole
