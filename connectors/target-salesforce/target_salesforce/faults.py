"""Salesforce's errors in our words: what rows are to blame for, what the org is, and what passes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from snello.kit.channel import ConfigError, RetryLater, Transient
from snello.kit.http import Expired

WHERE = "target-salesforce"
LOCKED = "UNABLE_TO_LOCK_ROW"
PASSES = frozenset(
    (
        "ENTITY_IS_DELETED",
        "QUERY_TIMEOUT",
        "REQUEST_RUNNING_TOO_LONG",
        "SERVER_UNAVAILABLE",
        LOCKED,
        "UNKNOWN_EXCEPTION",
    )
)
OF_THE_ORG = {
    "API_CURRENTLY_DISABLED": ("the org's API is switched off", "ask Salesforce's support"),
    "API_DISABLED_FOR_ORG": ("the org has no API, or its user may not use it", "give the user the right API Enabled"),
    "FEATURENOTENABLED": ("the org has no Bulk API", "set bulk_threshold to more rows than an audience has"),
    "FUNCTIONALITY_NOT_ENABLED": ("the org lacks a feature that this call needs", "have it enabled in Salesforce"),
    "INSUFFICIENT_ACCESS": ("the user may not do this", "give its permission set the rights named in the README"),
    "INVALID_TYPE": ("the org has no such object, or its user may not see it", "check the setting object"),
    "STORAGE_LIMIT_EXCEEDED": ("the org's data storage is full", "free some, or buy more, and run again"),
}
OF_A_FIELD = re.compile(
    r"No such column '(?P<a>[A-Za-z][\w.]{0,80})'|fields: (?P<b>[A-Za-z][\w., ]{0,200})\.|"
    r"Field name not found : (?P<c>[A-Za-z][\w.]{0,80})"
)
FIELDS = frozenset(("INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE", "INVALIDBATCH"))
ALREADY = "already_member"
NO_PARENT = "Foreign key external ID"
WORD = re.compile(r"[a-z][a-z_]{0,63}")


@dataclass(frozen=True)
class RowFault:
    """Why a row was not written: a word; whether it is to be tried ``again``; the ``job`` that has not ended.

    ``config``: where the org is to blame, and not the row.
    """

    word: str
    again: bool = False
    job: str = ""
    config: ConfigError | None = None


def judge(answer: requests.Response) -> Exception | None:
    """The fault that an answer's status does not tell; None where it does, or where rows are to blame."""
    if not 400 <= answer.status_code < 500 or answer.status_code == 401:
        return None
    for code, message in errors_of(answer):
        if code == "REQUEST_LIMIT_EXCEEDED":
            return _limit(message)
        if code == "INVALID_SESSION_ID":
            return Expired(f"{answer.status_code}: the session has ended")
        if code in ("EXCEEDEDQUOTA", "EXCEEDED_QUOTA"):
            what = "the org's bulk batches of 24 hours are used up"
            return RetryLater(WHERE, what, "run again tomorrow; nothing is lost")
        if code in (LOCKED, "SERVER_UNAVAILABLE"):
            return Transient(code)
        if config := of_org(code, message):
            return config
    return None


def of_org(code: str, message: str) -> ConfigError | None:
    """The sentence for a fault that no row is to blame for."""
    if code in OF_THE_ORG:
        return ConfigError(WHERE, *OF_THE_ORG[code])
    if code in FIELDS and (found := OF_A_FIELD.search(message)):
        name = next(text for text in found.groups() if text)
        cure = "check fields, on_join and on_leave, and that the user may edit it (field-level security)"
        return ConfigError(WHERE, f"Salesforce does not take the field {name}", cure)
    return None


def of_row(code: str, message: str) -> RowFault:
    """What is the matter with a row."""
    if code == "INVALID_FIELD" and NO_PARENT in message:
        return RowFault("no_parent", again=True)
    if "Already a campaign member" in message:
        return RowFault(ALREADY)
    if LOCKED in message:  # of a trigger's own transaction
        code = LOCKED
    word = code.lower() if WORD.fullmatch(code.lower()) else "refused"
    return RowFault(word, again=code in PASSES, config=of_org(code, message))


def of_cell(told: str) -> RowFault:
    """What is the matter with a row, as the results of a job tell it: ``CODE:message:fields --``."""
    code, _, message = told.partition(":")
    return of_row(code.strip(), message)


def code_of(answer: requests.Response) -> str:
    """The word for a body that was refused as a whole."""
    if answer.status_code == 413:
        return "too_large"
    code = next((code for code, _ in errors_of(answer)), "").lower()
    return code if WORD.fullmatch(code) else ""


def errors_of(answer: requests.Response) -> Iterator[tuple[str, str]]:
    """Codes and messages of an answer."""
    try:
        body = answer.json()
    except ValueError:
        return
    for error in body if isinstance(body, list) else ():
        if isinstance(error, Mapping):
            yield _text(error, "errorCode"), _text(error, "message")


def _text(error: Mapping[str, Any], name: str) -> str:
    return str(error.get(name) or "")


def _limit(message: str) -> Exception:
    if "Concurrent" in message:
        return Transient("too many calls at once")
    what = "the org's calls of 24 hours are used up"
    return RetryLater(WHERE, what, "run again tomorrow; nothing is lost")
