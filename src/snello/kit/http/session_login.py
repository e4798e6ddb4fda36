"""Logins of an interface's own making: a user and a password are posted, a token or a cookie comes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
COOKIE = "cookie "  # stands for the token of a session that the client's cookies carry

Given = Mapping[str, str]
Check = Callable[[Answer, str, tuple[str, ...]], None]
Put = Callable[[requests.PreparedRequest, str], None]


def session_login(
    path: str,
    body: Mapping[str, Any] = USER_AND_PASSWORD,
    token: str | Callable[[Answer, Given], str | None] | None = None,
    header: str = "Authorization",
    value: str = "Bearer {token}",
    form: bool = False,
    renewal: tuple[str, str] | None = None,
    codes: frozenset[str] | set[str] = frozenset(),
    *,
    wrap: Callable[[Any], Any] | None = None,
    check: Check | None = None,
    inside: Callable[[dict[str, Any], str], Mapping[str, str]] | None = None,
) -> Auth:
    """A session that begins with a POST of ``body``, settings filling its braces, and is renewed when it ends.

    A login that is refused is not tried again by the same run: some wrong passwords lock the user.

    - ``path``: below the setting ``url``, or an address with settings in braces
    - ``token``: JSONPath of the token in the answer, or a function of the answer and the settings of ``body``; it is
      sent on in ``header`` as ``value``. A header's name where the token comes in one, or else in a cookie; without
      any, cookies count
    - ``form``: whether the body goes as a form instead of JSON
    - ``renewal``: where a session is renewed without the password, as ``path`` is told, and JSONPath of the token in
      each answer that does it once, as a bearer token; a login follows where it is refused
    - ``codes``: words of the field ``error`` of a refusal that may be told
    - ``wrap``: makes of the filled body what is sent, such as a query with the body for its variables
    - ``check``: raises for a refusal inside a success, told who asks and by which settings, as ``Errors.check`` does
    - ``inside``: makes the form that a request is sent as, of its JSON and the token, which is then in no header
    """
    faults = LoginFaults(tuple(names_in(body)), codes=frozenset(codes))
    put = _inside(inside) if inside else _in_header(header, value)

    def make(config: Mapping[str, Any], login: Login) -> Credentials:
        for name in faults.settings[1:]:
            redact.hide(value_of(config, name))
        return Fetched(_Sessions(config, login, faults, path, body, token, form, renewal, wrap, check).fetch, put)

    return Bound(faults.settings, make)


@dataclass(repr=False)  # the configuration holds secrets
class _Sessions:
    """The sessions of one configuration, one after another."""

    config: Mapping[str, Any]
    login: Login
    faults: LoginFaults
    path: str
    body: Mapping[str, Any]
    token: str | Callable[[Answer, Given], str | None] | None
    form: bool
    renewal: tuple[str, str] | None
    wrap: Callable[[Any], Any] | None
    check: Check | None
    cookies: int = 0
    renews: str | None = None
    refusal: ConfigError | ContractError | None = None

    def fetch(self, refused: str) -> Token:
        """Another session; a refusal stands."""
        if self.refusal is not None:
            raise self.refusal
        try:
            return self._of(self._renewed() or self._begun())
        except (ConfigError, ContractError) as refusal:
            self.refusal = refusal
            raise

    def _begun(self) -> Answer:
        body = filled(self.body, self.config)
        return self._post(self.path, **{"data" if self.form else "json": self.wrap(body) if self.wrap else body})

    def _renewed(self) -> Answer | None:
        renews, self.renews = self.renews, None
        if self.renewal is None or renews is None:
            return None
        try:
            answer = self._post(self.renewal[0], auth=_bearing(renews))
        except (ConfigError, ContractError):
            return None
        return answer if self._found(answer) else None

    def _post(self, path: str, **sent: Any) -> Answer:
        answer = self.login.post(address(path, self.config), self.faults, **sent)
        if self.check:
            self.check(answer, self.login.where, self.faults.settings)
        return answer

    def _of(self, answer: Answer) -> Token:
        """The session that an answer begins. Raises ``ContractError``."""
        found = self._found(answer)
        if self.renewal is not None and isinstance(renews := _at(self.renewal[1], answer), str):
            redact.hide(renews)
            self.renews = renews
        if not isinstance(found, str | int) or found == "":
            at = f" at {self.token}" if isinstance(self.token, str) else ""
            what = f"the answer of {answer.place} holds no token{at}"
            raise ContractError(self.login.where, what, "check that the server's version of the interface fits")
        redact.hide(str(found))
        return Token(str(found))

    def _found(self, answer: Answer) -> Any:
        if callable(self.token):
            return self.token(answer, {name: value_of(self.config, name) for name in self.faults.settings})
        if self.token and self.token.startswith("$"):
            return _at(self.token, answer)
        self.cookies += 1
        return answer.headers.get(self.token or "") or f"{COOKIE}{self.cookies}"


def _at(path: str, answer: Answer) -> Any:
    return next(iter(extract_jsonpath(path, answer.document)), None) if answer.document else None


def _bearing(token: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def put(request: requests.PreparedRequest) -> requests.PreparedRequest:
        as_bearer(request, token)
        return request

    return put


def _in_header(header: str, value: str) -> Put:
    def put(request: requests.PreparedRequest, token: str) -> None:
        if not token.startswith(COOKIE):
            request.headers[header] = value.replace("{token}", token)

    return put


def _inside(form: Callable[[dict[str, Any], str], Mapping[str, str]]) -> Put:
    def put(request: requests.PreparedRequest, token: str) -> None:
        sent = json.loads(request.body or b"{}")
        request.headers.pop("Content-Type", None)  # the body of a form brings its own
        request.prepare_body(form(sent, token), None)

    return put
