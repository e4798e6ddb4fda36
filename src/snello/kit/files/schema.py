"""JSON schema and Arrow types of a layout's rows: the declared columns, then the tap's own."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from snello.kit.files.layout import DELETED_AT, EXTRA, FILE, LINE, Column, FileSet
from snello.kit.files.moments import STAMP
from snello.kit.files.values import arrow_type

_OWN = {FILE: pa.string(), LINE: pa.int64(), EXTRA: pa.string()}


def property_of(column: Column) -> dict[str, Any]:
    """JSON schema of a column's values."""
    match column.type:
        case "decimal":
            shape = {"format": "singer.decimal", "precision": column.precision, "scale": column.scale}
            return {"type": ["string", "null"], **shape}
        case "date" | "date-time" | "time":
            return {"type": ["string", "null"], "format": column.type}
        case "json":
            return {}
        case kind:
            return {"type": [kind, "null"]}


def schema_of_rows(columns: tuple[Column, ...], layout: FileSet) -> dict[str, Any]:
    """JSON schema of a stream's rows; keys are never null."""
    keys = layout.key_columns
    properties: dict[str, Any] = {column.name: property_of(column) for column in columns}
    for key in keys:
        if "type" in properties.get(key, {}):
            properties[key]["type"] = properties[key]["type"][0]
    null = ["null"] if layout.whole else []  # a row that is told gone stands in no file
    file, line = "File the row was read from, relative to the path's folder.", "Line where the row begins, from 1."
    properties[FILE] = {"type": ["string", *null] if null else "string", "description": file}
    properties[LINE] = {"type": ["integer", *null] if null else "integer", "description": line}
    properties[EXTRA] = {"type": ["object", "null"], "description": "Fields that the layout does not declare."}
    if layout.whole:
        when = "When the row was found to be gone from the newest file; null while it is there."
        properties[DELETED_AT] = {"type": ["string", "null"], "format": "date-time", "description": when}
    return {"type": "object", "properties": properties, "required": list(keys)}


def own_names(layout: FileSet) -> tuple[str, ...]:
    """The tap's own columns, in the order of the tables."""
    return (*_OWN, DELETED_AT) if layout.whole else tuple(_OWN)


def arrow_schema(columns: tuple[Column, ...], layout: FileSet) -> pa.Schema:
    """The types of a layout's tables."""
    own = list(_OWN.items()) + ([(DELETED_AT, STAMP)] if layout.whole else [])
    return pa.schema([*((column.name, arrow_type(column)) for column in columns), *own])
