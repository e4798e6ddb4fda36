"""What every reader yields: some thousand rows column by column, and the rows it refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa

CHUNK_ROWS = 10_000  # bounds the memory of a run, whatever the size of a file
CHUNK_CHARACTERS = 32 << 20  # and this one, whatever the size of its rows


class Refusal(NamedTuple):
    """A row that is not what the layout says: where it begins, why it was refused (never its values), its text."""

    line: int
    reason: str
    record: str


@dataclass
class Chunk:
    """Rows as columns, in the order of the layout's columns: text still to be parsed, or typed values (Parquet)."""

    values: list[pa.Array]
    lines: list[int]
    refused: list[Refusal] = field(default_factory=list)
    extra: pa.Array | None = None  # undeclared fields, a JSON object a row


class Undecodable(NamedTuple):
    """First byte of a text that the declared encoding cannot read."""

    byte: int

    @property
    def reason(self) -> str:
        """The fault, for the quarantine."""
        return f"byte 0x{self.byte:02X} is not valid in the declared encoding"


def undecodable(text: str) -> Undecodable | None:
    """The first byte that the decoder passed through as a lone surrogate, if any."""
    for character in text:
        if "\udc80" <= character <= "\udcff":
            return Undecodable(ord(character) - 0xDC00)
    return None


def printable(text: str) -> str:
    """The text with undecodable bytes written as ``\\xNN``, so that the quarantine can hold it."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def text_column(values: Sequence[str | None]) -> pa.Array:
    """A text column. Raises ``UnicodeEncodeError`` when a value holds an undecodable byte."""
    return pa.array(values, pa.string())


def batched(lines: Iterator[tuple[int, str]], size: int = CHUNK_ROWS) -> Iterator[list[tuple[int, str]]]:
    """Numbered lines in lists of at most ``size``, fewer of very long ones."""
    batch: list[tuple[int, str]] = []
    held = 0
    for line in lines:
        batch.append(line)
        held += len(line[1])
        if len(batch) == size or held >= CHUNK_CHARACTERS:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
