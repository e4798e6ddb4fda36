"""XML: one row an element, read as a stream, with fields by path from the element."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

import msgspec
import pyarrow as pa

from snello.errors import ContractError
from snello.kit.files.chunks import CHUNK_ROWS, Chunk, Refusal
from snello.kit.files.drift import Drift, without
from snello.kit.files.elements import Elements
from snello.kit.files.layout import Column, FileSet
from snello.kit.files.xmlrows import Row, Rows

BLOCK = 1 << 18
_DECLARED = re.compile(rb"^\s*<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_BARE = ((b"<\x00", "utf-16-le"), (b"\x00<", "utf-16-be"))  # without a mark

_encode = msgspec.json.Encoder().encode


def read(raw: IO[bytes], layout: FileSet, columns: tuple[Column, ...], where: str, drift: Drift) -> Iterator[Chunk]:
    """The rows of an XML file. Raises ``ContractError`` when it is no XML, declares entities or is cut off."""
    paths = [column.header.strip("/").split("/") for column in columns]
    paths = [[*path[:-1], "#text"] if path[-1] == "." else path for path in paths]
    rows = Rows(Elements(layout.record or "", layout.namespaces), where)
    found = _found(_text(raw, layout, where), rows)
    while batch := list(islice(found, CHUNK_ROWS)):
        kept = [each for each in batch if isinstance(each, Row)]
        values = [
            [_value(_at(row.fields, path), column) for row in kept] for path, column in zip(paths, columns, strict=True)
        ]
        extra = [drift.object_of(without(row.fields, paths)) for row in kept]
        refused = [each for each in batch if isinstance(each, Refusal)]
        columns_read = [pa.array(each, pa.string()) for each in values]
        yield Chunk(columns_read, [row.line for row in kept], refused, pa.array(extra, pa.string()))
    if rows.fault is not None:
        raise rows.fault


def _found(text: IO[str], rows: Rows) -> Iterator[Row | Refusal]:
    while block := text.read(BLOCK):
        # a byte that the encoding does not have goes on as it is: the parser refuses it where it stands
        yield from rows.feed(block.encode("utf-8", "surrogateescape"))
    yield from rows.feed(b"", final=True)


def _text(raw: IO[bytes], layout: FileSet, where: str) -> IO[str]:
    """The text, in the encoding of the byte order mark, else of the XML declaration, else of the layout."""
    start = raw.read(BLOCK)
    declared = _DECLARED.match(start)
    named = declared[1].decode() if declared else layout.encoding
    encoding = next((name for mark, name in _MARKS + _BARE if start.startswith(mark)), named)
    try:
        return io.TextIOWrapper(io.BufferedReader(_Joined(start, raw)), encoding, "surrogateescape", newline="")
    except LookupError:
        what = "the file declares an encoding that does not exist"
        raise ContractError(where, what, "mend the first line of the file") from None


class _Joined(io.RawIOBase):
    """What was read already, then the rest."""

    def __init__(self, start: bytes, rest: IO[bytes]) -> None:
        self._start, self._rest = start, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block, self._start = self._start[: len(buffer)], self._start[len(buffer) :]
        block = block or self._rest.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


def _at(value: Any, path: list[str]) -> list[Any]:
    """Everything that stands at a path, in the order of the file."""
    if isinstance(value, list):
        return [found for each in value for found in _at(each, path)]
    if not path:
        return [] if value is None else [value]
    if not isinstance(value, dict):
        return [value] if path == ["#text"] and value is not None else []
    return _at(value.get(path[0]), path[1:])


def _value(found: list[Any], column: Column) -> str | None:
    """A field as the text that the parser of values reads; several, and every JSON column, as an array."""
    if not found:
        return None
    if column.type == "json" or len(found) > 1:
        return _encode(found).decode()
    [only] = found
    if isinstance(only, dict):
        text = only.get("#text")
        return text if isinstance(text, str) else _encode(only).decode()
    return str(only)
