"""A session of a Tryton server: a login by user and password, renewed when it has ended."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import requests

from snello.kit import redact
from snello.kit.http import Auth, Credentials
from snello.kit.http.auth import Login, value_of
from snello.kit.http.oauth import Bound
from snello.kit.http.tokens import Fetched, LoginFaults, Token, address
from snello.kit.rest import Errors

ERRORS = Errors("$.error", code="$.error[0]", denied={"LoginException"})
SETTINGS = ("user", "password")


def _login(config: Mapping[str, Any], login: Login) -> Credentials:
    user, password = (value_of(config, name, login.where) for name in SETTINGS)
    redact.hide(password)

    failed: list[Exception] = []

    def fetch(refused: str) -> Token:
        if failed:  # the next stream must not ask again: a few wrong passwords lock the user out
            raise failed[0]
        try:
            return Token(_token(user, password, config, login))
        except Exception as fault:
            failed.append(fault)
            raise

    return Fetched(fetch, _put)


def _token(user: str, password: str, config: Mapping[str, Any], login: Login) -> str:
    question = {"id": 1, "method": "common.db.login", "params": [user, {"password": password}, "en"]}
    answer = login.post(address("{url}/{database}/rpc/", config), LoginFaults(SETTINGS), json=question)
    ERRORS.check(answer, login.where, SETTINGS)
    number, key, *_ = answer.document["result"]
    token = b64encode(f"{user}:{number}:{key}".encode()).decode()
    redact.hide(key)
    redact.hide(token)
    return token


def _put(request: requests.PreparedRequest, token: str) -> None:
    request.headers["Authorization"] = f"Session {token}"


SESSION: Auth = Bound(SETTINGS, _login)
