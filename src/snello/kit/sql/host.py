"""What a stream of rows asks of the tap that holds it, and of the way in which its database is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from singer_sdk.helpers._batch import BatchConfig

from snello.kit.batches import BatchFolder
from snello.kit.quarantine import QuarantineStream
from snello.kit.sql.bookmarks import Clock
from snello.kit.sql.chunks import Chunk, Outline
from snello.kit.sql.query import Range
from snello.kit.sql.settings import Settings
from snello.kit.sql.tables import Name, Table


class Reader(Protocol):
    """A way to read a table."""

    def highest(self, table: Table, name: str) -> Any:
        """The highest value of a column, as a state holds it."""

    def bounds(self, table: Table, rows: Range) -> tuple[Any, Any]:
        """The lowest and the highest value of the first key column in a range, as a state holds them."""

    def count(self, table: Table) -> int:
        """How many rows the table has."""

    def named(self, table: Table, outline: Outline, values: Sequence[Sequence[Any]]) -> Iterator[Chunk]:
        """The rows that have one of these keys, given as a state holds them."""

    def chunks(self, table: Table, outline: Outline, rows: Range, size: int) -> Iterator[Chunk]:
        """The rows of a range, in its order, about ``size`` at a time."""


class Host(Protocol):
    """The tap, as its streams see it."""

    @property
    def options(self) -> Settings:
        """The settings, typed."""

    @property
    def reader(self) -> Reader:
        """How rows are read."""

    @property
    def database(self) -> str:
        """Which database this is, without its secrets."""

    @property
    def clock(self) -> Clock:
        """When this run began."""

    @property
    def quarantine(self) -> QuarantineStream:
        """The stream of refused rows."""

    def folder(self, config: BatchConfig) -> BatchFolder:
        """Where batch files go."""

    def live(self, name: Name) -> Table | None:
        """A table as it is this moment."""

    def stream_done(self, name: str) -> None:
        """Called for each stream when all have ended."""
