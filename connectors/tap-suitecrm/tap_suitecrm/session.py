"""A session of the elder interface: a login by user and password, an argument of every call, renewed when it ends."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from snello.kit import redact
from snello.kit.http import Answer, session_login
from snello.kit.rest import ConfigError, ContractError
from tap_suitecrm.faults import WRONG_PLACE

PATH, CALL = "/service/v4_1/rest.php", "call"
WHO = {"user_name": "{user}", "password": "{password}"}


def _form(method: str, arguments: Mapping[str, Any]) -> dict[str, str]:
    return {"method": method, "input_type": "JSON", "response_type": "JSON", "rest_data": json.dumps(arguments)}


def _login(who: Mapping[str, str]) -> dict[str, str]:
    digest = hashlib.md5(who["password"].encode(), usedforsecurity=False).hexdigest()
    redact.hide(digest)
    who = {**who, "password": digest}
    return _form("login", {"user_auth": who, "application_name": "snello", "name_value_list": []})


def _check(answer: Answer, where: str, settings: tuple[str, ...]) -> None:
    told = answer.document if isinstance(answer.document, dict) else {}
    if told.get("number") is not None:
        what = f"{answer.status} from {answer.place}, the login is refused"
        raise ConfigError(where, what, f"renew {' and '.join(settings)}; a few wrong logins lock the user")
    if not isinstance(told.get("id"), str) or not told["id"]:
        raise ContractError(where, f"the answer of {answer.place} holds no session", WRONG_PLACE)


def _inside(call: dict[str, Any], session: str) -> dict[str, str]:
    """The session is the first argument: arguments are told by place, too."""
    return _form(call.pop(CALL), {"session": session, **call})


SESSION = session_login(PATH, WHO, "$.id", form=True, wrap=_login, check=_check, inside=_inside)
