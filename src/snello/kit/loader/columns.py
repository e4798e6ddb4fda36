"""The columns of a stream: its JSON schema as the types that the lake keeps."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pyarrow as pa

from snello.lake.arrowtypes import TIMESTAMP
from snello.lake.evolution import MOST_DIGITS

EXTRACTED_AT = "_sdc_extracted_at"
EXTRA = "_extra"  # undeclared fields, as JSON; a stream may declare it as an object
ROW_KEY = "_sdc_row"  # the key of rows of a stream without one

_UNSAFE = re.compile(r"[\s,;{}()=.`\"'\\\x00-\x1f]")
_PROPERTY = "snello.property"  # metadata of a column whose name is not the property's
_DECIMAL_FORMATS = {"singer.decimal", "x-singer.decimal"}
_WIDEST = (MOST_DIGITS, 9)


class Kind(Enum):
    """What a value is, whatever the stream calls it."""

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"
    DATE = "date"
    TIMESTAMP = "date-time"
    DECIMAL = "decimal"
    JSON = "JSON"


_ARROW = {
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.TEXT: pa.string(),
    Kind.DATE: pa.date32(),
    Kind.TIMESTAMP: TIMESTAMP,
    Kind.JSON: pa.string(),
}
_BY_TYPE = {"integer": Kind.INTEGER, "number": Kind.NUMBER, "boolean": Kind.BOOLEAN}
_BY_FORMAT = {"date": Kind.DATE, "date-time": Kind.TIMESTAMP}


@dataclass(frozen=True)
class Column:
    """One property of the records and the column of the table that takes it."""

    property: str
    name: str
    kind: Kind
    type: pa.DataType


def columns_of(schema: Mapping[str, Any], table: pa.Schema | None = None) -> tuple[Column, ...]:
    """The columns of a stream's JSON schema, ``_sdc_extracted_at`` always among them.

    ``table``: the table's schema so far; a property keeps the column that it has there.
    """
    properties: dict[str, Any] = dict(schema["properties"])
    properties[EXTRACTED_AT] = {"type": ["string", "null"], "format": "date-time"}
    names = _names(properties, table or pa.schema([]))
    return tuple(_column(name, names[name], declared) for name, declared in properties.items())


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """The schema of a batch with these columns."""
    return pa.schema([pa.field(column.name, column.type, metadata=_origin(column)) for column in columns])


def _origin(column: Column) -> dict[str, str] | None:
    return {_PROPERTY: column.property} if column.property != column.name else None


def _column(name: str, safe: str, declared: Any) -> Column:
    variants = list(_variants(declared)) if isinstance(declared, Mapping) else []
    kind = _common({kind for kind, _ in variants})
    if kind is not Kind.DECIMAL:
        return Column(name, safe, kind, _ARROW[kind])
    scale = max(scale for _, (_, scale) in variants)
    whole = max(precision - scale for _, (precision, scale) in variants)
    return Column(name, safe, kind, pa.decimal128(min(whole + scale, MOST_DIGITS), scale))


def _variants(declared: Mapping[str, Any]) -> Iterator[tuple[Kind, tuple[int, int]]]:
    """The kinds that a property may take, null apart; decimals with precision and scale."""
    nested = declared.get("anyOf") or declared.get("oneOf") or declared.get("allOf")
    if nested:
        for variant in nested:
            if isinstance(variant, Mapping):
                yield from _variants(variant)
        return
    types = declared.get("type", ())
    for name in [types] if isinstance(types, str) else types:
        if name == "string" and declared.get("format") in _DECIMAL_FORMATS:
            size = _decimal_size(declared)
            yield (Kind.DECIMAL if size[0] <= MOST_DIGITS else Kind.TEXT), size
        elif name == "string":
            yield _BY_FORMAT.get(declared.get("format", ""), Kind.TEXT), _WIDEST
        elif name != "null":
            yield _BY_TYPE.get(name, Kind.JSON), _WIDEST


def _decimal_size(declared: Mapping[str, Any]) -> tuple[int, int]:
    if declared.get("precision") is None:
        return _WIDEST
    return int(declared["precision"]), int(declared.get("scale") or 0)


def _common(kinds: set[Kind]) -> Kind:
    if len(kinds) == 1:
        return kinds.pop()
    if kinds == {Kind.INTEGER, Kind.NUMBER}:
        return Kind.NUMBER
    if kinds == {Kind.DATE, Kind.TIMESTAMP}:
        return Kind.TIMESTAMP
    if kinds and kinds <= {Kind.TEXT, Kind.DATE, Kind.TIMESTAMP, Kind.DECIMAL}:
        return Kind.TEXT
    return Kind.JSON


def _names(properties: Mapping[str, Any], table: pa.Schema) -> dict[str, str]:
    """A column name for each property: its own where engines can read it, else a safe one, kept in the table's schema.

    Engines that read the lake do not tell ``id`` from ``ID``: of two such names, one gets a suffix.
    """
    known = {
        (field.metadata or {}).get(_PROPERTY.encode(), field.name.encode()).decode(): field.name for field in table
    }
    names = {name: known[name] for name in properties if name in known}
    if EXTRA in properties and _column(EXTRA, EXTRA, properties[EXTRA]).kind is Kind.JSON:
        names[EXTRA] = EXTRA  # a tap that gathers undeclared fields itself means the same column
    taken = {name.lower() for name in known.values()} | {EXTRA, ROW_KEY}
    for name in sorted(set(properties) - set(names), key=lambda name: (name != name.lower(), name)):
        safe = _UNSAFE.sub("_", name) or "_"
        if safe.lower() in taken:
            safe = f"{safe}_{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:6]}"
        names[name] = safe
        taken.add(safe.lower())
    return names


def _origin_of(field: pa.Field) -> str:
    """The property that a column of the table was made for."""
    found: bytes = (field.metadata or {}).get(_PROPERTY.encode(), field.name.encode())
    return found.decode()
