"""Logins of an interface's own making: a user and a password are posted, a token or a cookie comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import requests
from singer_sdk.helpers.jsonpath import extract_jsonpath

from snello.errors import ConfigError, ContractError
from snello.kit import redact
from snello.kit.http.answer import Answer
from snello.kit.http.auth import Auth, Credentials, Login, value_of
from snello.kit.http.oauth import Bound
from snello.kit.http.tokens import Fetched, LoginFaults, Token, address, as_bearer, filled, names_in

USER_AND_PASSWORD: Mapping[str, Any] = {"login": "{user}", "password": "{password}"}


def session_login(
    path: str,
    body: Mapping[str, Any] = USER_AND_PASSWORD,
    token: str | None = None,
    header: str = "Authorization",
    value: str = "Bearer {token}",
    form: bool = False,
    renewal: tuple[str, str] | None = None,
    codes: frozenset[str] | set[str] = frozenset(),
) -> Auth:
    """A session that begins with a POST of ``body``, settings filling its braces, and is renewed when it ends.

    - ``path``: below the setting ``url``, or an address with settings in braces
    - ``token``: JSONPath of the token in the answer, sent on in ``header`` as ``value``; without one, cookies count
    - ``form``: whether the body goes as a form instead of JSON
    - ``renewal``: where a session is renewed without the password, as ``path`` is told, and JSONPath of the token in
      each answer that does it once, as a bearer token; a login follows where it is refused
    - ``codes``: words of the field ``error`` of a refusal that may be told
    """
    names = tuple(names_in(body))
    sessions, faults = count(1), LoginFaults(names, codes=frozenset(codes))

    def make(config: Mapping[str, Any], login: Login) -> Credentials:
        for name in names[1:]:
            redact.hide(value_of(config, name))
        renewing: list[str] = []

        def renewed() -> Answer | None:
            if renewal is None or not renewing:
                return None
            try:
                return login.post(address(renewal[0], config), faults, auth=_bearing(renewing.pop()))
            except (ConfigError, ContractError):
                return None

        def fetch(refused: str) -> Token:
            sent = {"data" if form else "json": filled(body, config)}
            answer = renewed() or login.post(address(path, config), faults, **sent)
            if token is None:
                return Token(f"session {next(sessions)}")
            found = _at(token, answer)
            if renewal is not None and isinstance(renews := _at(renewal[1], answer), str):
                redact.hide(renews)
                renewing[:] = [renews]
            if not isinstance(found, str | int) or found == "":
                what = f"the answer of {answer.place} holds no token at {token}"
                raise ContractError(login.where, what, "check that the server's version of the interface fits")
            redact.hide(str(found))
            return Token(str(found))

        return Fetched(fetch, _put(header, value) if token else _nothing)

    return Bound(names, make)


def _at(path: str, answer: Answer) -> Any:
    return next(iter(extract_jsonpath(path, answer.document)), None) if answer.document else None


def _bearing(token: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def put(request: requests.PreparedRequest) -> requests.PreparedRequest:
        as_bearer(request, token)
        return request

    return put


def _put(header: str, value: str) -> Callable[[requests.PreparedRequest, str], None]:
    def put(request: requests.PreparedRequest, token: str) -> None:
        request.headers[header] = value.replace("{token}", token)

    return put


def _nothing(request: requests.PreparedRequest, token: str) -> None:
    """Cookies are the session's business."""
