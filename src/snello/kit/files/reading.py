"""From a file to typed tables: open, decode, read by format, parse column by column, set refused rows apart."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator
from typing import IO, Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from snello.errors import ContractError
from snello.kit.files import columnar, delimited, lines, sheets, xml
from snello.kit.files.chunks import Chunk, Refusal
from snello.kit.files.drift import Drift
from snello.kit.files.layout import FILE, LINE, Column, FileSet
from snello.kit.files.places import READ_BYTES
from snello.kit.files.repeats import Repeats
from snello.kit.files.schema import arrow_schema
from snello.kit.files.values import expected, parse

MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def text_of(raw: IO[bytes], layout: FileSet) -> IO[str]:
    """The decoded text; a byte order mark wins over the declared encoding, an undecodable byte is carried along."""
    buffered = io.BufferedReader(_raw(raw), READ_BYTES)
    start = buffered.peek(4)[:4]
    encoding = next((name for mark, name in MARKS if start.startswith(mark)), layout.encoding)
    return io.TextIOWrapper(buffered, encoding, errors="surrogateescape", newline="")


class _Readable(io.RawIOBase):
    """Any object with ``read`` as the raw stream that Python's buffers want."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._source.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


def _raw(source: IO[bytes]) -> io.RawIOBase:
    return _Readable(source)


class Typed(NamedTuple):
    """Some rows of a file.

    - ``table``: the good rows
    - ``refused``: the others
    - ``keys``: the keys of both, where they could be read
    - ``unread``: how many rows hold no key that could be read
    """

    table: pa.Table
    refused: list[Refusal]
    keys: pa.Table
    unread: int


def chunks(raw: IO[bytes], layout: FileSet, columns: tuple[Column, ...], where: str, drift: Drift) -> Iterator[Chunk]:
    """The rows of one file as its format says."""
    match layout.format:
        case "csv" | "tsv":
            return delimited.read(text_of(raw, layout), layout, columns, where, drift)
        case "fixed":
            return lines.read_fixed(text_of(raw, layout), layout, columns)
        case "jsonl":
            return lines.read_jsonl(text_of(raw, layout), layout, columns, drift)
        case "excel":
            return sheets.read(raw, layout, columns, where, drift)
        case "parquet":
            return columnar.read(raw, columns, where, drift)
        case "xml":
            return xml.read(raw, layout, columns, where, drift)


def columns_in(raw: IO[bytes], layout: FileSet, where: str) -> tuple[Column, ...]:
    """The columns that a file declares itself, under the stream's conventions."""
    match layout.format:
        case "parquet":
            return columnar.columns_of(raw, where)
        case "excel":
            return layout.resolved(tuple(sheets.headers(raw, layout, where)))
        case _:
            return layout.resolved(tuple(delimited.headers(text_of(raw, layout), layout, where)))


def table_of(
    chunk: Chunk, columns: tuple[Column, ...], layout: FileSet, name: str, repeats: Repeats | None = None
) -> Typed:
    """The rows of a chunk, typed; refused are those of the reader, of bad values, of empty keys and of taken ones."""
    faults: dict[int, list[str]] = {}
    keys = layout.key_columns
    arrays = []
    for values, column in zip(chunk.values, columns, strict=True):
        bad = None
        if pa.types.is_string(values.type):
            values, bad = parse(values, column)
        arrays.append(values)
        if bad is not None:
            _note(faults, bad, expected(column))
        if column.name in keys and values.null_count:
            empty = pc.is_null(values) if bad is None else pc.and_not(pc.is_null(values), bad)
            _note(faults, empty, f"{column.name}: the key is empty")
    table = _table(arrays, chunk, arrow_schema(columns, layout), name)
    held = table.select(keys).drop_null() if layout.whole else table.select(keys)
    unread = len(chunk.refused) + table.num_rows - held.num_rows
    table, rows = _without(table, np.arange(table.num_rows), faults)
    taken = {} if repeats is None else repeats.contradicting(table)
    table, _ = _without(table, rows, taken)
    faults |= {int(rows[row]): [f"its key is that of line {line}"] for row, line in taken.items()}
    refused = list(chunk.refused)
    for row, reasons in sorted(faults.items()):
        refused.append(Refusal(chunk.lines[row], "; ".join(reasons), _record(chunk, columns, row)))
    return Typed(table, refused, held, unread)


def _without(table: pa.Table, rows: NDArray[np.int64], left_out: Collection[int]) -> tuple[pa.Table, NDArray[np.int64]]:
    """A table, and the numbers of its rows, without those at some places."""
    if not left_out:
        return table, rows
    keep = np.ones(len(rows), bool)
    keep[list(left_out)] = False
    return table.filter(pa.array(keep)), rows[keep]


def _note(faults: dict[int, list[str]], mask: pa.Array, reason: str) -> None:
    for row in pc.indices_nonzero(mask).to_pylist():
        faults.setdefault(row, []).append(reason)


def _record(chunk: Chunk, columns: tuple[Column, ...], row: int) -> str:
    values = {column.header: values[row].as_py() for values, column in zip(chunk.values, columns, strict=True)}
    if chunk.extra is not None and chunk.extra[row].is_valid:
        values |= msgspec.json.decode(chunk.extra[row].as_py())
    return msgspec.json.encode(values, enc_hook=str).decode()


def _table(arrays: list[pa.Array], chunk: Chunk, schema: pa.Schema, name: str) -> pa.Table:
    rows = len(chunk.lines)
    extra = chunk.extra if chunk.extra is not None else pa.nulls(rows, pa.string())
    own = [pa.repeat(pa.scalar(name, pa.string()), rows), pa.array(chunk.lines, pa.int64()), extra]
    absent = [pa.nulls(rows, field.type) for field in list(schema)[len(arrays) + len(own) :]]
    return pa.Table.from_arrays([*arrays, *own, *absent], schema=schema)


class Source(NamedTuple):
    """One file, or member of one, to be read: its bytes, its name, and where it is for messages."""

    raw: IO[bytes]
    name: str
    where: str


def read_part(
    source: Source, layout: FileSet, columns: tuple[Column, ...], drift: Drift, repeats: Repeats | None = None
) -> Iterator[Typed]:
    """Typed tables of one file, each with the rows refused on the way to it.

    - ``repeats``: refuses rows whose key is taken; without it every row is told

    Raises ``ContractError`` when the file lacks a column that ``keys`` names.
    """
    absent = set(layout.keys) - {FILE, LINE, *(column.name for column in columns)}
    try:
        told = tuple(column for column in columns if column.is_in_rows)
        for chunk in chunks(source.raw, layout, told, source.where, drift):
            if len(told) < len(columns):
                chunk.values = _filled(chunk, columns, source.name)
            if absent:
                what = f"the header has no column {min(absent)!r}, which keys names"
                raise ContractError(source.where, what, "mend the file, or keys in the settings")
            yield table_of(chunk, columns, layout, source.name, repeats)
    except MemoryError:
        cure = "check that it is a text file"
        raise ContractError(source.where, "a single line does not fit into memory", cure) from None


def _filled(chunk: Chunk, columns: tuple[Column, ...], name: str) -> list[pa.Array]:
    """The values of every column: of those that no row holds, what the layout or the file's name says."""
    told = iter(chunk.values)
    rows = len(chunk.lines)
    values = []
    for column in columns:
        text = column.constant
        if column.in_name is not None:
            found = re.search(column.in_name, name)
            text = found[1] if found else None
        values.append(next(told) if column.is_in_rows else pa.repeat(pa.scalar(text, pa.string()), rows))
    return values
