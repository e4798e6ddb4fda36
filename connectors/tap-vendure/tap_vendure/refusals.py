"""What the server says no with, inside a success, and what its codes mean."""

from __future__ import annotations

from singer_sdk.helpers.jsonpath import extract_jsonpath

from snello.kit.rest import Answer, ConfigError, Errors

CODES = "$.errors[*].extensions.code"
# a session that has ended and a missing right have one code: after a new login it is the right
ERRORS = Errors("$.errors", code=CODES, again={"INTERNAL_SERVER_ERROR"}, expired={"FORBIDDEN"})


def check_channel(answer: Answer, where: str) -> None:
    """Raise ``ConfigError`` for an unknown channel: the credentials are good, a setting is not."""
    if "CHANNEL_NOT_FOUND" in extract_jsonpath(CODES, answer.document):
        what = f"{answer.status} from {answer.place}: the shop has no channel of that token"
        raise ConfigError(where, what, "set channel to the token of one, or leave it out")
