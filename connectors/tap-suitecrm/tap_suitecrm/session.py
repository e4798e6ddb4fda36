"""A session of the elder interface: a login by user and password, an argument of every call, renewed when it ends."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import requests

from snello.kit import redact
from snello.kit.http import Auth, Credentials
from snello.kit.http.auth import Login, value_of
from snello.kit.http.oauth import Bound
from snello.kit.http.tokens import Fetched, LoginFaults, Token, address
from snello.kit.rest import ConfigError, ContractError
from tap_suitecrm.faults import WRONG_PLACE

PATH, CALL = "/service/v4_1/rest.php", "call"
SETTINGS = ("user", "password")


def _session(config: Mapping[str, Any], login: Login) -> Credentials:
    user, password = (value_of(config, name, login.where) for name in SETTINGS)
    digest = hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
    redact.hide(password)
    redact.hide(digest)

    def fetch(refused: str) -> Token:
        who = {"user_name": user, "password": digest}
        sent = _form("login", {"user_auth": who, "application_name": "snello", "name_value_list": []})
        answer = login.post(address(f"{{url}}{PATH}", config), LoginFaults(SETTINGS), data=sent)
        told = answer.document if isinstance(answer.document, dict) else {}
        if told.get("number") is not None:
            what = f"{answer.status} from {answer.place}, the login is refused"
            raise ConfigError(login.where, what, f"renew {' and '.join(SETTINGS)}; a few wrong logins lock the user")
        if not isinstance(told.get("id"), str) or not told["id"]:
            raise ContractError(login.where, f"the answer of {answer.place} holds no session", WRONG_PLACE)
        redact.hide(told["id"])
        return Token(told["id"])

    return Fetched(fetch, _put)


def _put(request: requests.PreparedRequest, token: str) -> None:
    """Make the call a form, the session its first argument: arguments are told by place, too."""
    sent = json.loads(request.body or b"{}")
    request.headers.pop("Content-Type", None)
    request.prepare_body(_form(sent.pop(CALL), {"session": token, **sent}), None)


def _form(method: str, arguments: Mapping[str, Any]) -> dict[str, str]:
    return {"method": method, "input_type": "JSON", "response_type": "JSON", "rest_data": json.dumps(arguments)}


SESSION: Auth = Bound(SETTINGS, _session)
