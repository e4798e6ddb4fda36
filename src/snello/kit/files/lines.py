"""Files of one row a line: fixed width and JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from snello.kit.files.chunks import Chunk, Refusal, batched, printable, text_column, undecodable
from snello.kit.files.drift import Drift, without
from snello.kit.files.layout import Column, FileSet

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def _numbered(text: IO[str], skip: int) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text, start=1):
        line = line.rstrip("\r\n")
        if number > skip and line.strip("\x1a \t"):
            yield number, line


def read_fixed(text: IO[str], layout: FileSet, columns: tuple[Column, ...]) -> Iterator[Chunk]:
    """Rows cut by position; a line of another length is refused, because every later field would be shifted."""
    spans = slices(columns)
    width = max(stop for _, stop in spans)
    for batch in batched(_numbered(text, layout.skip_lines)):
        refused: list[Refusal] = []
        kept = []
        for number, line in batch:
            reason = None if len(line) == width else f"{len(line)} characters, {width} expected"
            fault = undecodable(line) if not line.isascii() else None
            if reason or fault:
                refused.append(Refusal(number, reason or (fault.reason if fault else ""), printable(line)))
            else:
                kept.append((number, line))
        column = text_column([line for _, line in kept])
        cut = [pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(column, start, stop)) for start, stop in spans]
        yield Chunk(cut, [number for number, _ in kept], refused)


def slices(columns: tuple[Column, ...]) -> list[tuple[int, int]]:
    """Start and stop of each column in a line, counted from 0."""
    spans: list[tuple[int, int]] = []
    for column in columns:
        start = column.start - 1 if column.start else (spans[-1][1] if spans else 0)
        spans.append((start, start + (column.width or 0)))
    return spans


def read_jsonl(text: IO[str], layout: FileSet, columns: tuple[Column, ...], drift: Drift) -> Iterator[Chunk]:
    """Rows from one JSON object a line; ``source`` may be a path of keys with points between."""
    paths = [column.header.split(".") for column in columns]
    taken = {column.header for column in columns} | {path[0] for path in paths if len(path) == 1}
    inner = [path for path in paths if len(path) > 1]
    for batch in batched(_numbered(text, layout.skip_lines)):
        refused: list[Refusal] = []
        rows: list[list[str | None]] = []
        extras: list[str | None] = []
        numbers: list[int] = []
        for number, line in batch:
            try:
                record = _decode(line)
            except UnicodeEncodeError:
                fault = undecodable(line)
                refused.append(Refusal(number, fault.reason if fault else "not valid text", printable(line)))
                continue
            except msgspec.DecodeError:
                refused.append(Refusal(number, "not valid JSON", printable(line)))
                continue
            if not isinstance(record, dict):
                refused.append(Refusal(number, "not a JSON object", printable(line)))
                continue
            for row in layout.rows_of(record):
                rows.append([_text(_at(row, path)) for path in paths])
                left = {key: value for key, value in row.items() if key not in taken}
                extras.append(drift.object_of(without(left, inner)) if left else None)
                numbers.append(number)
        fields = zip(*rows, strict=True) if rows else [()] * len(columns)
        yield Chunk(
            [pa.array(values, pa.string()) for values in fields], numbers, refused, pa.array(extras, pa.string())
        )


def _at(record: dict[str, Any], path: list[str]) -> Any:
    if len(path) == 1:
        return record.get(path[0])
    value: Any = record.get(".".join(path), record)
    if value is not record:
        return value
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return _encode(value).decode()
