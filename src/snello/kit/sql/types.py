"""One table: what each SQL type becomes in the lake.

==================  ==========================  ======================  ====================================
SQL                 JSON schema                 lake                    value
==================  ==========================  ======================  ====================================
boolean             boolean                     bool                    as is
integers            integer                     int64                   as is
real, double        number                      float64                 as is; NaN and infinity are refused
numeric(p, s)       string, singer.decimal      decimal(p, s)           as is; numeric without p: (38, 18)
date                string, date                date                    years 1 to 9999
timestamptz         string, date-time           timestamp (UTC)         the same instant
timestamp           string, date-time           timestamp (UTC)         local to the setting ``timezone``
time                string, time                text                    ISO text
char, text, enum    string                      text                    as is, padding kept
uuid                string, uuid                text                    lower case with dashes
bytes               string, base64              text                    base64
json                string, application/json    text                    JSON text
arrays              string, application/json    text                    JSON text
everything else     string                      text                    as the database writes it
==================  ==========================  ======================  ====================================
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.sql.sqltypes import _Binary
from sqlalchemy.types import TypeEngine

Expression = sa.ColumnElement[Any]

UTC_MICROSECONDS = pa.timestamp("us", tz="UTC")
DECIMAL_DIGITS = 38
LARGEST_INTEGER_DIGITS = 18
UNBOUNDED_DECIMAL = (DECIMAL_DIGITS, 18)


class Kind(StrEnum):
    """Rows of the table above."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"
    DECIMAL = "decimal"
    DATE = "date"
    INSTANT = "instant"
    LOCAL = "local"
    TIME = "time"
    TEXT = "text"
    UUID = "uuid"
    BYTES = "bytes"
    JSON = "json"
    ARRAY = "array"
    OTHER = "other"


# First match wins: a Float is a Numeric, Oracle's DATE is a DateTime, an Enum is a String.
_KINDS: tuple[tuple[type[TypeEngine[Any]], Kind], ...] = (
    (sa.Boolean, Kind.BOOLEAN),
    (mysql.YEAR, Kind.INTEGER),
    (sa.Float, Kind.NUMBER),
    (sa.Numeric, Kind.DECIMAL),
    (sa.Integer, Kind.INTEGER),
    (sa.DateTime, Kind.LOCAL),
    (sa.Date, Kind.DATE),
    (sa.Time, Kind.TIME),
    (sa.Uuid, Kind.UUID),
    (_Binary, Kind.BYTES),
    (sa.JSON, Kind.JSON),
    (sa.ARRAY, Kind.ARRAY),
    (sa.String, Kind.TEXT),
)

_SCHEMAS: dict[Kind, dict[str, Any]] = {
    Kind.BOOLEAN: {"type": ["boolean", "null"]},
    Kind.INTEGER: {"type": ["integer", "null"]},
    Kind.NUMBER: {"type": ["number", "null"]},
    Kind.DECIMAL: {"type": ["string", "null"], "format": "singer.decimal"},
    Kind.DATE: {"type": ["string", "null"], "format": "date"},
    Kind.INSTANT: {"type": ["string", "null"], "format": "date-time"},
    Kind.LOCAL: {"type": ["string", "null"], "format": "date-time"},
    Kind.TIME: {"type": ["string", "null"], "format": "time"},
    Kind.TEXT: {"type": ["string", "null"]},
    Kind.UUID: {"type": ["string", "null"], "format": "uuid"},
    Kind.BYTES: {"type": ["string", "null"], "contentEncoding": "base64"},
    Kind.JSON: {"type": ["string", "null"], "contentMediaType": "application/json"},
    Kind.ARRAY: {"type": ["string", "null"], "contentMediaType": "application/json"},
    Kind.OTHER: {"type": ["string", "null"]},
}

_ARROW: dict[Kind, pa.DataType] = {
    Kind.BOOLEAN: pa.bool_(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.DATE: pa.date32(),
    Kind.INSTANT: UTC_MICROSECONDS,
    Kind.LOCAL: UTC_MICROSECONDS,
}


@dataclass(frozen=True)
class Column:
    """One column of a table, and what it becomes."""

    name: str
    type: TypeEngine[Any]
    kind: Kind
    arrow: pa.DataType
    schema: dict[str, Any]
    nullable: bool


def column(name: str, type_: TypeEngine[Any], *, dialect: str, nullable: bool, as_text: bool = False) -> Column:
    """The column as the table above has it; ``as_text`` takes it as the database writes it."""
    type_ = getattr(type_, "data_type", type_)  # a domain is what it rests on
    kind = Kind.OTHER if as_text else kind_of(type_, dialect)
    arrow, schema = _ARROW.get(kind, pa.string()), dict(_SCHEMAS[kind])
    if kind is Kind.DECIMAL:
        precision, scale = decimal_of(type_)
        arrow = pa.decimal128(precision, scale)
        schema |= {"precision": precision, "scale": scale}
    return Column(name, type_, kind, arrow, schema, nullable)


def kind_of(type_: TypeEngine[Any], dialect: str) -> Kind:
    """The row of the table for a reflected type."""
    kind = next((kind for parent, kind in _KINDS if isinstance(type_, parent)), Kind.OTHER)
    if isinstance(type_, mysql.BIT) and type_.length in {1, None}:
        return Kind.BOOLEAN
    if kind is Kind.LOCAL and (getattr(type_, "timezone", False) or type_.__visit_name__ == "DATETIMEOFFSET"):
        return Kind.INSTANT
    if kind is Kind.LOCAL and dialect in {"mysql", "mariadb"} and isinstance(type_, sa.TIMESTAMP):
        return Kind.INSTANT  # an instant, shown in the session's time zone, which is set to UTC
    if kind is Kind.DECIMAL and isinstance(type_, sa.Integer):  # Oracle's NUMBER is both
        precision, scale = decimal_of(type_)
        return Kind.INTEGER if scale == 0 and precision <= LARGEST_INTEGER_DIGITS else kind
    return kind


def decimal_of(type_: TypeEngine[Any]) -> tuple[int, int]:
    """Precision and scale that a decimal of the lake can have; values beyond them are refused, never rounded."""
    precision, scale = getattr(type_, "precision", None), getattr(type_, "scale", None)
    if precision is None:
        return UNBOUNDED_DECIMAL
    scale = scale or 0
    if scale < 0:
        precision, scale = precision - scale, 0
    scale = min(scale, DECIMAL_DIGITS)
    return min(max(precision, scale), DECIMAL_DIGITS), scale


_REASONS = {
    Kind.BOOLEAN: "not a boolean",
    Kind.INTEGER: "not an integer of 64 bits",
    Kind.NUMBER: "not a finite number",
    Kind.DATE: "not a date of the years 1 to 9999",
    Kind.INSTANT: "not a timestamp of the years 1 to 9999",
    Kind.LOCAL: "not a timestamp of the years 1 to 9999",
    Kind.BYTES: "not bytes",
}


def reason(column: Column) -> str:
    """Why a row was refused for this column, without the value."""
    if column.kind is Kind.DECIMAL:
        return f"does not fit decimal({column.arrow.precision}, {column.arrow.scale})"
    return _REASONS.get(column.kind, "not UTF-8 text")
