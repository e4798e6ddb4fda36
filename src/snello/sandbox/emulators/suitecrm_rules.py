"""What SuiteCRM refuses and in which words: options of a call, filters, values, logins."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from snello.sandbox.emulators.suitecrm_fields import NUMBERS, OBJECTS, Field

MEDIA = "application/vnd.api+json"
ID = re.compile(r"\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
OPERATORS = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "like": "LIKE"}
LISTS = {"in": "IN", "not_in": "NOT IN"}
DATABASE = "Database failure. Please refer to suitecrm.log for details."
DENIED = "The resource owner or authorization server denied the request."
BODIES = ("application/json", MEDIA)


class Refused(Exception):
    """An answer of 400 in SuiteCRM's envelope, whose ``errors`` is an object where JSON:API has a list."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NoAccess(Refused):
    """What the user may not do, in the words of either of SuiteCRM's two exceptions."""

    def __init__(self, right: str) -> None:
        told = "[Not Allowed] The API user does not have access to this module."
        super().__init__(f"[SuiteCRM] {told if right == 'access' else '[AccessDeniedException] '}")


async def refusal(request: Request, error: Exception) -> Response:
    """Starlette's handler of ``Refused``."""
    assert isinstance(error, Refused)
    return answer({"errors": {"status": 400, "title": None, "detail": error.detail}}, 400)


def answer(document: Mapping[str, Any], status: int = 200) -> Response:
    """A document of JSON:API."""
    return JSONResponse(dict(document), status, media_type=MEDIA)


def denied(hint: str) -> Response:
    """The answer to a call without a good token."""
    told = {"error": "access_denied", "error_description": DENIED, "hint": hint, "message": DENIED}
    return JSONResponse(told, 401)


def no_client(error: str = "invalid_client", message: str = "Client authentication failed") -> Response:
    """The answer to a login that is none."""
    told = {"error": error, "error_description": message, "message": message}
    return JSONResponse(told, 401 if error == "invalid_client" else 400)


async def body_of(request: Request) -> dict[str, Any]:
    """The resource that was sent. Options that the call does not know are refused, as is a resource without a type."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    try:
        sent = json.loads(await request.body()) if kind in BODIES else {}
    except ValueError:
        sent = {}
    sent = sent if isinstance(sent, dict) else {}
    known(sent, ("data",))
    data = sent.get("data")
    if data is None:
        raise Refused('The required option "data" is missing.')
    if not isinstance(data, dict) or not data:
        raise invalid("data", data)
    return data


def resource(data: Mapping[str, Any], *needed: str, also: tuple[str, ...] = ()) -> None:
    """See that a resource has what it must, nothing else, and all of it as it should be."""
    known(data, (*needed, *also))
    for name in needed:
        if name not in data:
            raise Refused(f'The required option "{name}" is missing.')
    if not isinstance(data["type"], str) or re.search(r"[^\w-]", data["type"]):
        raise invalid("type", data["type"])
    if "id" in data and not (isinstance(data["id"], str) and ID.fullmatch(data["id"])):
        raise invalid("id", data["id"])
    attributes = data.get("attributes", {})
    if not isinstance(attributes, dict):
        raise invalid("attributes", attributes)
    for value in attributes.values():
        if isinstance(value, list | dict):
            raise Refused('Expected argument of type "string", "array" given')


def known(options: Iterable[str], defined: tuple[str, ...]) -> None:
    """Refuse an option that the call does not define."""
    for name in options:
        if name not in defined:
            told = ", ".join(f'"{one}"' for one in defined)
            raise Refused(f'The option "{name}" does not exist. Defined options are: {told}.')


def invalid(option: str, value: Any) -> Refused:
    """An option with a value that it cannot have; the message quotes it."""
    shown = "array" if isinstance(value, list | dict) else f'"{value}"'
    return Refused(f'The option "{option}" with value {shown} is invalid.')


def number_in(options: Mapping[str, Any], name: str) -> int:
    """A number of a page, 0 when it is not given."""
    if name not in options:
        return 0
    if not str(options[name]).isdigit() or int(options[name]) < 1:
        raise invalid(name, options[name])
    return int(options[name])


def nested(request: Request) -> dict[str, Any]:
    """Query parameters as PHP reads them: ``a[b][c]=d`` as dictionaries, the last of equals."""
    found: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        first, *more = re.split(r"\]\[|\[|\]", name.removesuffix("]"))
        place, last = found, first
        for key in more:
            inner = place.setdefault(last, {})
            if not isinstance(inner, dict):
                inner = place[last] = {}
            place, last = inner, key
        place[last] = value
    return found


Column = Callable[[str], str]
Where = tuple[str, list[str], bool]
EVERYTHING: Where = ("1", [], False)


def where_of(given: Any, fields: Mapping[str, Field], module: str, column: Column, lists: bool) -> Where:
    """A filter as SQL with its values, and whether it asks for deleted records."""
    if not isinstance(given, dict) or not given:
        raise invalid("filter", given)
    terms, values = [], []
    operators = {**OPERATORS, **(LISTS if lists else {})}
    joined = str(given.get("operator", "and"))
    if joined.lower() not in ("and", "or"):
        raise Refused(f"Filter operator {joined} is invalid")
    gone = isinstance(given.get("deleted"), dict) and str(given["deleted"].get("eq")) == "1"
    for name, asked in given.items():
        if name in ("operator", "deleted"):
            continue
        if name not in fields:
            raise Refused(f"Filter field {name} in {OBJECTS[module]} module is not found")
        if not isinstance(asked, dict):
            raise Refused(f"Filter field {name} must be an array")
        for operator, value in asked.items():
            if operator.lower() not in operators:
                raise Refused(f"Filter operator {operator} is invalid")
            several = [one.strip() for one in value.split(",")] if operator.lower() in LISTS else [_moment(value)]
            marks = f"({', '.join('?' * len(several))})" if operator.lower() in LISTS else "?"
            terms.append(column(name).format(f"{operators[operator.lower()]} {marks}"))
            values += several
    return (f"({f' {joined} '.join(terms)})" if terms else "1"), values, gone


def fit(name: str, kind: Field, value: Any) -> str:
    """A value as the database keeps it in strict mode: no text is cut, no word is a number."""
    if isinstance(value, bool) or kind["type"] == "bool":
        return "1" if value in (True, 1, "1", "true", "on") else "0"
    text = "" if value is None else str(value)
    if kind.get("len") and len(text) > int(kind["len"]):
        raise Refused(DATABASE)
    shapes = {"date": "%Y-%m-%d", "datetime": "%Y-%m-%d %H:%M:%S"}
    try:
        if text and kind["type"] in NUMBERS:
            float(text)
        elif text and kind["type"] in shapes:
            datetime.strptime(text, shapes[kind["type"]])
    except ValueError:
        raise Refused(DATABASE) from None
    return text


def _moment(text: str) -> str:
    """A moment of ISO 8601 in the database's own form; any other text as it is."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:Z|[+-]\d\d:\d\d)?", text)
    return f"{found[1]} {found[2]}" if found else text
