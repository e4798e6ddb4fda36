"""A session of an administrator: a mutation that always answers 200, and a token in a header or in a cookie."""

from __future__ import annotations

from singer_sdk.helpers.jsonpath import extract_jsonpath

from snello.kit.http import Answer, session_login
from snello.kit.rest import ConfigError, Errors
from tap_vendure.queries import LOGIN
from tap_vendure.refusals import CODES

WHO = {"user": "{user}", "password": "{password}"}
ERRORS = Errors("$.errors", code=CODES, again={"INTERNAL_SERVER_ERROR"})
REFUSALS = {
    "InvalidCredentialsError": "the login is refused",
    "NativeAuthStrategyError": "the server takes no login by user and password",
}


def _check(answer: Answer, where: str, settings: tuple[str, ...]) -> None:
    ERRORS.check(answer, where, settings)
    result = next(iter(extract_jsonpath("$.data.login.__typename", answer.document)), None)
    if result != "CurrentUser":
        said = REFUSALS.get(str(result), "the answer to the login is none")
        raise ConfigError(where, f"{said}, {answer.place}", "renew user and password, and check the URL")


SESSION = session_login(
    "{url}",
    WHO,
    token="vendure-auth-token",
    wrap=lambda who: {"query": LOGIN, "variables": who},
    check=_check,
)
