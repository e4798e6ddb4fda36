"""CSV and TSV: rows as the dialect says, each with the line where it begins.

Python's reader does the splitting, in strict mode. A row that it cannot split costs one line: what an unclosed quote
swallowed is read again from the next line on.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from typing import IO, Any

import pyarrow as pa

from snello.errors import ContractError
from snello.kit.files.chunks import CHUNK_CHARACTERS, CHUNK_ROWS, Chunk, Refusal, printable, text_column, undecodable
from snello.kit.files.drift import Drift, objects
from snello.kit.files.headers import ABSENT, positions, undeclared
from snello.kit.files.layout import Column, FileSet

LARGEST_FIELD = 16 << 20  # as much as a quote that is never closed may swallow before it is given up

csv.field_size_limit(LARGEST_FIELD)


class Lines:
    """The lines of a text; remembers those of the row under way, so that they can be read again.

    - ``characters``: how many went through since somebody last set it to 0
    """

    def __init__(self, text: IO[str]) -> None:
        self._source = iter(text)
        self._again: deque[str] = deque()
        self.row: list[str] = []
        self.number = 0
        self.characters = 0

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._source)
        self.row.append(line)
        self.number += 1
        self.characters += len(line)
        return line

    def skip(self, count: int) -> None:
        """Leave lines out."""
        for _ in range(count):
            next(self, None)
        self.row.clear()

    def first(self) -> int:
        """Number of the line where the row under way began."""
        return self.number - len(self.row) + 1

    def give_up(self) -> str:
        """The first line of the row under way; the others will come again."""
        line, *others = self.row
        self._again.extendleft(reversed(others))
        self.number -= len(others)
        self.row.clear()
        return line


def read(text: IO[str], layout: FileSet, columns: tuple[Column, ...], where: str, drift: Drift) -> Iterator[Chunk]:
    """The rows of a delimited file, in chunks. Raises ``ContractError`` when the header lacks a column."""
    lines = Lines(text)
    lines.skip(layout.skip_lines)
    rows = csv.reader(lines, strict=True, **_dialect(layout))
    picked: list[int] = list(range(len(columns)))
    width = len(columns)
    extra: dict[str, int] = {}
    if layout.header:
        header = next_row(lines, rows, where)
        if header is None:
            return
        picked, width = positions(header, columns, where), len(header)
        others = undeclared(header, picked)
        extra = {name: others[name] for name in drift.kept(others)}
    while True:
        chunk, done = _chunk(lines, rows, width, (picked, extra))
        if chunk.lines or chunk.refused:
            yield chunk
        if done:
            return


def headers(text: IO[str], layout: FileSet, where: str) -> list[str]:
    """The names in the header of a delimited file; none when the file is empty."""
    lines = Lines(text)
    lines.skip(layout.skip_lines)
    return next_row(lines, csv.reader(lines, strict=True, **_dialect(layout)), where) or []


def _dialect(layout: FileSet) -> dict[str, Any]:
    quoting = csv.QUOTE_MINIMAL if layout.quote else csv.QUOTE_NONE
    quote = layout.quote or None
    return {"delimiter": layout.delimiter_mark, "quotechar": quote, "escapechar": layout.escape, "quoting": quoting}


def next_row(lines: Lines, rows: Iterator[list[str]], where: str) -> list[str] | None:
    """The next row that is not blank. Raises ``ContractError`` when it cannot be split."""
    try:
        for row in rows:
            lines.row.clear()
            if not _blank(row):
                return row
    except csv.Error:
        what = f"the header on line {lines.first()} cannot be split into fields"
        raise ContractError(where, what, "check delimiter, quote and skip_lines") from None
    return None


def _blank(row: Sequence[str]) -> bool:
    return not row or (len(row) == 1 and not row[0].strip("\x1a \t"))


Places = tuple[list[int], dict[str, int]]  # of the declared columns, and of the others by name


def _chunk(lines: Lines, rows: Iterator[list[str]], width: int, places: Places) -> tuple[Chunk, bool]:
    kept: list[list[str]] = []
    numbers: list[int] = []
    refused: list[Refusal] = []
    pending = lines.row
    done = False
    lines.characters = 0
    while len(kept) + len(refused) < CHUNK_ROWS and lines.characters < CHUNK_CHARACTERS:
        try:
            row = next(rows)
        except StopIteration:
            done = True
            break
        except csv.Error as error:
            reason = _reason(error, len(pending))
            refused.append(Refusal(lines.first(), reason, printable(lines.give_up().rstrip("\r\n"))))
            continue
        if len(row) == width:
            kept.append(row)
            numbers.append(lines.number - len(pending) + 1)
        elif not _blank(row):
            reason = f"{len(row)} fields, {width} expected"
            refused.append(Refusal(lines.first(), reason, printable("".join(pending).rstrip("\r\n"))))
        pending.clear()
    return _columns(kept, numbers, refused, places), done


def _reason(error: csv.Error, lines: int) -> str:
    """The reader's own words name characters of the dialect, never a value."""
    if "unexpected end of data" in str(error):
        return "a quote that opens here is never closed"
    if "field limit" in str(error):
        quote = ", or a quote that opens here is never closed" if lines > 1 else ""
        return f"a field is longer than 16 million characters{quote}"
    return "text after a closing quote"


def _columns(kept: list[list[str]], numbers: list[int], refused: list[Refusal], places: Places) -> Chunk:
    picked, extra = places
    try:
        width = max([*picked, *extra.values()], default=-1) + 1
        fields = list(zip(*kept, strict=True)) if kept else [()] * width
        others = objects({name: fields[index] for name, index in extra.items()}, len(kept)) if extra else None
        return Chunk([_column(fields, index, len(kept)) for index in picked], numbers, refused, others)
    except UnicodeEncodeError:
        good = []
        places_of = [index for index in (*picked, *extra.values()) if index != ABSENT]
        for row, number in zip(kept, numbers, strict=True):
            fault = next(filter(None, (undecodable(row[index]) for index in places_of)), None)
            if fault is None:
                good.append((row, number))
            else:
                record = printable("\t".join(row))
                refused.append(Refusal(number, fault.reason, record))
        return _columns([row for row, _ in good], [number for _, number in good], refused, places)


def _column(fields: Sequence[Sequence[str]], index: int, rows: int) -> pa.Array:
    return pa.nulls(rows, pa.string()) if index == ABSENT else text_column(fields[index])
