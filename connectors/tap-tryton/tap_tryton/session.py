"""A session of a Tryton server: a login by user and password, renewed when it has ended."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping

from snello.kit import redact
from snello.kit.http import Answer, session_login
from snello.kit.rest import Errors

QUESTION = {"id": 1, "method": "common.db.login", "params": ["{user}", {"password": "{password}"}, "en"]}
ERRORS = Errors("$.error", code="$.error[0]", denied={"LoginException"})


def _token(answer: Answer, given: Mapping[str, str]) -> str | None:
    """The user's login and number and the session's key, as each call carries them."""
    match answer.document:
        case {"result": [int(number), str(key), *_]}:
            redact.hide(key)
            return b64encode(f"{given['user']}:{number}:{key}".encode()).decode()
    return None


SESSION = session_login("{url}/{database}/rpc/", QUESTION, _token, value="Session {token}", check=ERRORS.check)
