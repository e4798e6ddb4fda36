"""Arrow tables as Singer RECORD lines, encoded in C, a table at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

_UNFIT = re.compile(r'["\\\x00-\x1f]')  # names that a struct's field cannot have


class RecordLines:
    """RECORD lines of one stream.

    - ``names``: the properties, in the order of the columns given later
    - ``raw``: those whose values are JSON text already and are written as they are
    """

    def __init__(self, stream: str, names: Sequence[str], raw: Iterable[str] = ()) -> None:
        self.names, self._raw = tuple(names), frozenset(raw)
        # without garbage collection: tens of thousands of rows live at once, and none can be in a cycle
        self._row = self._struct() if not any(map(_UNFIT.search, self.names)) else self._dictionary
        self._line: Any = msgspec.defstruct(
            "Line",
            [("record", object), ("time_extracted", str), ("stream", str, stream)],
            tag_field="type",
            tag="RECORD",
            gc=False,
        )
        self._encode = msgspec.json.Encoder().encode_lines

    def _struct(self) -> Any:
        fields = [(f"field_{index}", object) for index in range(len(self.names))]
        rename = {f"field_{index}": name for index, name in enumerate(self.names)}
        return msgspec.defstruct("Row", fields, rename=rename.get, gc=False)

    def _dictionary(self, *values: Any) -> dict[str, Any]:
        return dict(zip(self.names, values, strict=True))

    def of_table(self, table: pa.Table, extracted: str) -> bytes:
        """The lines of a table whose columns are in the order of the names."""
        columns = [
            _as_raw(values) if name in self._raw else jsonable(values)
            for name, values in zip(self.names, table.columns, strict=True)
        ]
        return self.of_columns(columns, extracted)

    def of_columns(self, columns: Sequence[Sequence[Any]], extracted: str) -> bytes:
        """The lines of columns of plain Python values."""
        line = self._line
        return self._encode([line(row, extracted) for row in map(self._row, *columns)])


def jsonable(values: pa.ChunkedArray) -> list[Any]:
    """A column as the values that JSON has, times in ISO 8601 and decimals as text."""
    kind = values.type
    if pa.types.is_timestamp(kind):
        moments = values.cast(pa.timestamp("us", "UTC") if kind.tz else pa.timestamp("us")).cast(pa.timestamp("us"))
        texts = pc.replace_substring(moments.cast(pa.string()), " ", "T", max_replacements=1)
        values = pc.binary_join_element_wise(texts, "Z", "") if kind.tz else texts
    elif pa.types.is_decimal(kind) or pa.types.is_date(kind) or pa.types.is_time(kind):
        values = values.cast(pa.string())
    plain: list[Any] = values.to_pylist()
    return plain


def _as_raw(values: pa.ChunkedArray) -> list[Any]:
    return [None if value is None else msgspec.Raw(value.encode()) for value in values.to_pylist()]


def records_of(table: pa.Table, raw: Iterable[str] = ()) -> Iterator[dict[str, Any]]:
    """The rows of a table as dictionaries, for consumers that look at single records."""
    names = table.column_names
    columns = [jsonable(values) for values in table.columns]
    for name in raw:
        index = names.index(name)
        columns[index] = [None if value is None else msgspec.json.decode(value) for value in columns[index]]
    for row in zip(*columns, strict=True):
        yield dict(zip(names, row, strict=True))
