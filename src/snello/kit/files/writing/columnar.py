"""Parquet, typed as the audience is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from snello.kit.files.writing.encoding import Encoded, Row, Unfit, op_word, text_of
from snello.kit.files.writing.layout import Column, Layout

_TYPES: dict[str, tuple[pa.DataType, Callable[[Any], Any]]] = {
    "integer": (pa.int64(), int),
    "number": (pa.float64(), float),
    "boolean": (pa.bool_(), bool),
    "date": (pa.date32(), date.fromisoformat),
    "date-time": (pa.timestamp("us", tz="UTC"), datetime.fromisoformat),
}


class Parquet:
    """One row group; hashed, normalised and formatted columns are text."""

    def __init__(self, layout: Layout, schema: Mapping[str, Any]) -> None:
        self.layout = layout
        kinds = schema.get("properties", {})
        self._made = {column.name: self._type(column, kinds.get(column.reads, {})) for column in layout.columns}
        first = [pa.field(layout.op, pa.string())] if layout.op else []
        self._schema = pa.schema([*first, *(pa.field(name, kind) for name, (kind, _) in self._made.items())])

    def encode(self, op: str, rows: Iterable[tuple[str, Row]]) -> Encoded:
        """The whole file."""
        done, kept = Encoded(), []
        for key, row in rows:
            try:
                kept.append(self._row(op, row))
            except Unfit as fault:
                done.refused[key] = fault.code
        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(kept, schema=self._schema), sink, compression="zstd")
        done.rows, done.content = len(kept), sink.getvalue().to_pybytes()
        return done

    def _type(self, column: Column, declared: Mapping[str, Any]) -> tuple[pa.DataType, Callable[[Any], Any] | None]:
        if column.hash or column.normalise or column.date_format:
            return pa.string(), None
        kinds = [kind for kind in declared.get("type", ["string"]) if kind != "null"]
        word = declared.get("format") or (kinds[0] if kinds else "string")
        return _TYPES.get(word, (pa.string(), None))

    def _row(self, op: str, row: Row) -> dict[str, Any]:
        made: dict[str, Any] = {self.layout.op: op_word(op, self.layout)} if self.layout.op else {}
        for column in self.layout.columns:
            value, make = row.get(column.reads), self._made[column.name][1]
            try:
                if make is None:
                    value = json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else value
                    text = text_of(value, column, self.layout)
                    if text is not None:
                        text.encode()
                    made[column.name] = text
                else:
                    made[column.name] = None if value is None else make(value)
            except UnicodeEncodeError:
                raise Unfit("encoding") from None
            except (ValueError, TypeError, OverflowError):
                raise Unfit("bad_value") from None
        return made
