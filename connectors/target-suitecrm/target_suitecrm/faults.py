"""SuiteCRM's refusals in our words. Nearly all are 400 with a sentence, which quotes values: none of it is shown."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import requests

from snello.kit.channel import BatchRefused, ConfigError

WHERE = "target-suitecrm"
FOLDER = "check url: it is the folder in which SuiteCRM's Api folder lies, /legacy on version 8"
EXISTS, GONE, UNRELATED, NO_OPERATOR, DATABASE, INVALID = (
    "exists",
    "not_there",
    "unrelated",
    "no_operator",
    "database",
    "invalid",
)
CODES = (
    (EXISTS, re.compile(r" is already exist")),
    (GONE, re.compile(r" module with id .* is not found")),
    (UNRELATED, re.compile(r" id is not related to ")),
    (NO_OPERATOR, re.compile(r"Filter operator \w+ is invalid")),
    (INVALID, re.compile(r"The (required )?option |Expected argument of type ")),
)
NO_RIGHT = re.compile(r"\[AccessDeniedException\]|\[Not Allowed\]|does not have access")
NO_FIELD = re.compile(r"(?:Property|Filter field) (\w+) in (\w+) module is (?:invalid|not found)")
NO_LINK = re.compile(r"Cannot load relationship |Link field has not found ")
VERBS = {"GET": "read", "POST": "make", "PATCH": "change", "DELETE": "change"}


def judge(answer: requests.Response) -> Exception | None:
    """The fault that an answer's status does not tell; None where it does."""
    status = answer.status_code
    if status not in (400, 403, 404, 405):
        return None
    detail = detail_of(answer)
    if detail is None:
        if status in (404, 405):
            return ConfigError(WHERE, f"there is no V8 interface ({status})", FOLDER)
        return None
    if NO_RIGHT.search(detail):
        what = f"the client's user may not {VERBS.get(answer.request.method or '', 'use')} {_module(answer)}"
        return ConfigError(WHERE, what, "give its role that right; see README, Permissions")
    if field := NO_FIELD.search(detail):
        cure = "add it in Studio, or mend the settings; see README, Settings"
        return ConfigError(WHERE, f"SuiteCRM has no field {field[1]} in {field[2]}", cure)
    if NO_LINK.search(detail):
        return ConfigError(WHERE, "contacts have no link to target lists", "see that the module Target Lists is there")
    code = next((code for code, words in CODES if words.search(detail)), DATABASE)
    return BatchRefused(code, status)


def detail_of(answer: requests.Response) -> str | None:
    """What SuiteCRM says, in an object where JSON:API has a list; None for an answer that is none of its."""
    try:
        body: Any = answer.json()
    except ValueError:
        return None
    errors = body.get("errors") if isinstance(body, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else errors
    return str(first.get("detail") or "") if isinstance(first, dict) else None


def _module(answer: requests.Response) -> str:
    """The module that a call was about; contacts where only its body says so."""
    found = re.search(r"/(?:module|fields)/(\w+)", urlsplit(answer.url).path)
    return found[1] if found else "Contacts"
