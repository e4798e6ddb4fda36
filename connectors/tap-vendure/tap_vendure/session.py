"""A session of an administrator: a mutation that always answers 200, and a token in a header or in a cookie."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

import requests

from snello.kit import redact
from snello.kit.http import Auth, Credentials
from snello.kit.http.auth import Login, value_of
from snello.kit.http.oauth import Bound
from snello.kit.http.tokens import Fetched, LoginFaults, Token
from snello.kit.rest import ConfigError, Errors
from tap_vendure.queries import LOGIN
from tap_vendure.refusals import CODES

SETTINGS = ("user", "password")
TOKEN_HEADER = "vendure-auth-token"
COOKIE = "cookie "  # stands for a session whose token the server keeps in a cookie
ERRORS = Errors("$.errors", code=CODES, again={"INTERNAL_SERVER_ERROR"})
REFUSALS = {
    "InvalidCredentialsError": "the login is refused",
    "NativeAuthStrategyError": "the server takes no login by user and password",
}


def _login(config: Mapping[str, Any], login: Login) -> Credentials:
    user, password = (value_of(config, name, login.where) for name in SETTINGS)
    redact.hide(password)
    url, sessions = value_of(config, "url").rstrip("/"), count(1)
    question = {"query": LOGIN, "variables": {"user": user, "password": password}}

    def fetch(refused: str) -> Token:
        answer = login.post(url, LoginFaults(SETTINGS), json=question)
        ERRORS.check(answer, login.where, SETTINGS)
        document = answer.document if isinstance(answer.document, dict) else {}
        result = (document.get("data") or {}).get("login") or {}
        if result.get("__typename") != "CurrentUser":
            said = REFUSALS.get(result.get("__typename", ""), "the answer to the login is none")
            raise ConfigError(login.where, f"{said}, {answer.place}", "renew user and password, and check the URL")
        token = answer.headers.get(TOKEN_HEADER)
        if token:
            redact.hide(token)
        return Token(token or f"{COOKIE}{next(sessions)}")

    return Fetched(fetch, _put)


def _put(request: requests.PreparedRequest, token: str) -> None:
    if not token.startswith(COOKIE):
        request.headers["Authorization"] = f"Bearer {token}"


SESSION: Auth = Bound(SETTINGS, _login)
