"""What Salesforce refuses and how it says so: errors of a call, errors of a row, and the values that fields take."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,}")
NUMBERS = ("double", "int", "currency", "percent")
CELLS = {"true": True, "1": True, "false": False, "0": False}
MOST_RECORDS, MOST_BYTES, PAGE = 200, 150_000_000, 2000


class Refused(Exception):
    """An answer in Salesforce's list of errors, for a call as a whole."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


class RowRefused(Exception):
    """What is the matter with one row."""

    def __init__(self, code: str, message: str, fields: Sequence[str] = ()) -> None:
        super().__init__(code)
        self.code, self.message, self.fields = code, message, list(fields)

    def body(self) -> dict[str, Any]:
        """As a result of a collection tells it."""
        error = {"statusCode": self.code, "message": self.message, "fields": self.fields}
        return {"success": False, "errors": [error]}

    def cell(self) -> str:
        """As the results of a job tell it."""
        return f"{self.code}:{self.message}:{','.join(self.fields)} --"


async def refusal(request: Request, error: Exception) -> Response:
    """Starlette's handler of ``Refused``."""
    assert isinstance(error, Refused)
    return JSONResponse([{"message": error.message, "errorCode": error.code}], error.status)


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object sent."""
    try:
        document = await request.json()
    except ValueError:
        raise Refused(400, "JSON_PARSER_ERROR", "Unexpected character at [line:1, column:1]") from None
    if not isinstance(document, dict):
        raise Refused(400, "JSON_PARSER_ERROR", "The HTTP entity body is required to be an object")
    return document


def no_column(name: str, kind: str) -> Refused:
    """A field that the object has not, or that this user does not see."""
    return Refused(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {kind}")


def parsed(field: Mapping[str, Any], value: Any) -> Any:
    """A JSON value, if it is of the field's type; otherwise the body as a whole is refused."""
    kind, name = field["type"], field["name"]
    told = {bool: "VALUE_TRUE", int: "VALUE_NUMBER_INT", float: "VALUE_NUMBER_FLOAT", str: "VALUE_STRING"}
    if value is None:
        return None
    wanted: tuple[type, ...] = (str,)
    if kind == "boolean":
        wanted = (bool,)
    elif kind in NUMBERS:
        wanted = (int, float)
    if type(value) not in wanted or not _typed(kind, value):
        shape = told.get(type(value), "START_OBJECT")
        raise Refused(400, "JSON_PARSER_ERROR", f"Cannot deserialize instance of {kind} from {shape} value for {name}")
    return value


def read(field: Mapping[str, Any], cell: str) -> Any:
    """The value of a cell; ``#N/A`` is null."""
    kind = field["type"]
    if cell == "#N/A":
        return None
    if kind == "boolean":
        if cell.lower() not in CELLS:
            raise _unfit(field, cell)
        return CELLS[cell.lower()]
    if kind in NUMBERS:
        try:
            return float(cell)
        except ValueError:
            raise _unfit(field, cell) from None
    if not _typed(kind, cell):
        raise _unfit(field, cell)
    return cell


def fit(field: Mapping[str, Any], value: Any) -> Any:
    """A value of the right type, as the field keeps it; raises ``RowRefused``."""
    name = field["name"]
    if value in (None, ""):
        if not field["nillable"]:
            raise RowRefused("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{name}]", [name])
        return None
    if not isinstance(value, str):
        return value
    if field["type"] == "email" and not EMAIL.fullmatch(value):
        raise RowRefused("INVALID_EMAIL_ADDRESS", f"{field['label']}: invalid email address: {value}", [name])
    if field["length"] and len(value) > field["length"]:
        told = f"{field['label']}: data value too large: {value} (max length={field['length']})"
        raise RowRefused("STRING_TOO_LONG", told, [name])
    choices = [one["value"] for one in field["picklistValues"]]
    if field["restrictedPicklist"] and value not in choices:
        told = f"{field['label']}: bad value for restricted picklist field: {value}"
        raise RowRefused("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", told, [name])
    return value


def _unfit(field: Mapping[str, Any], cell: str) -> RowRefused:
    told = f"{field['label']}: value not of required type: {cell}"
    return RowRefused("INVALID_TYPE_ON_FIELD_IN_RECORD", told, [field["name"]])


def _typed(kind: str, value: Any) -> bool:
    try:
        if kind == "date":
            date.fromisoformat(value)
        elif kind == "datetime":
            return datetime.fromisoformat(value).tzinfo is not None and "T" in value
    except ValueError:
        return False
    return True
