"""Reading any database through SQLAlchemy: key by key in pages, so that no long transaction is held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from snello.errors import ContractError
from snello.kit.sql.chunks import Chunk, Mask, Outline, gathered
from snello.kit.sql.fit import fitted
from snello.kit.sql.query import Range, Writer
from snello.kit.sql.source import Source
from snello.kit.sql.spelling import MYSQL, key, read, read_to_its_end
from snello.kit.sql.tables import Table
from snello.kit.sql.types import Column, Expression, Kind
from snello.kit.sql.values import from_state, raw_array, to_state

FIRST_ROWS = 500
FETCHED_ROWS, FETCHED_BYTES = 10_000, 16 * 2**20


class RowReader:
    """Reads through SQLAlchemy, in any dialect."""

    def __init__(self, source: Source, zone: ZoneInfo, page: int) -> None:
        self.source, self.zone, self.page = source, zone, page
        dialect = source.dialect
        self.writer = Writer(partial(read, dialect), self._bind, partial(key, dialect))

    def highest(self, table: Table, name: str) -> Any:
        """The highest value of a column, as a state holds it."""
        value = self.source.scalar(self.writer.highest(table, name), table.name.table)
        if isinstance(value, datetime) and self.source.dialect in {"mssql", "oracle"}:
            value += timedelta(seconds=1)  # these know fractions that Python's times cut off
        return to_state(value)

    def bounds(self, table: Table, rows: Range) -> tuple[Any, Any]:
        """The lowest and the highest value of the first key column in a range, as a state holds them."""
        lowest, highest = self.source.row(self.writer.bounds(table, rows), table.name.table)
        return to_state(lowest), to_state(highest)

    def count(self, table: Table) -> int:
        """How many rows the table has."""
        return int(self.source.scalar(self.writer.count(table), table.name.table))

    def named(self, table: Table, outline: Outline, values: Sequence[Sequence[Any]]) -> Iterator[Chunk]:
        """The rows that have one of these keys, given as a state holds them."""
        statement = self.writer.named(table, outline.columns, outline.keys, values)
        return (chunk for chunk, _ in self._fetched(table, outline, statement))

    def chunks(self, table: Table, outline: Outline, rows: Range, size: int) -> Iterator[Chunk]:
        """The rows of a range, in its order, about ``size`` at a time."""
        if rows.order and rows.unique and not rows.missing:
            return gathered(self._pages(table, outline, rows), size)
        statement = self.writer.select(table, outline.columns, rows)
        return gathered((chunk for chunk, _ in self._fetched(table, outline, statement)), size)

    def _pages(self, table: Table, outline: Outline, rows: Range) -> Iterator[Chunk]:
        while True:
            statement = self.writer.select(table, outline.columns, rows).limit(self.page)
            got, last = 0, rows.after
            for chunk, last_key in self._fetched(table, outline, statement):
                got, last = got + chunk.rows.num_rows + len(chunk.refused), last_key
                yield chunk
            if got < self.page:
                return
            if last == rows.after:
                what = f"the key {', '.join(rows.order)} is finer than its values show, so pages cannot go on behind it"
                raise ContractError(self.source.place.at(table.name.table), what, "set primary_keys to other columns")
            rows = replace(rows, after=last, since=None)

    def _fetched(
        self, table: Table, outline: Outline, statement: sa.Select[Any]
    ) -> Iterator[tuple[Chunk, tuple[Any, ...]]]:
        """Chunks of about the same size in bytes, each with the key of its last row, fit or not."""
        size = FIRST_ROWS
        with self.source.connect(table.name.table) as connection:
            reading = connection.execution_options(stream_results=True, max_row_buffer=FIRST_ROWS)
            with read_to_its_end(reading, reading.execute(statement)) as result:
                while fetched := result.fetchmany(size):
                    values: list[Sequence[Any]] = list(zip(*fetched, strict=True))
                    chunk = self._chunk(outline, values)
                    yield chunk, _key_of(outline, values)
                    size = min(FETCHED_ROWS, 1 + FETCHED_BYTES * len(fetched) // (chunk.rows.nbytes + 1))

    def _chunk(self, outline: Outline, values: list[Sequence[Any]]) -> Chunk:
        arrays, unfit = [], []
        for column, each in zip(outline.columns, values, strict=True):
            raw, odd = raw_array(column, each, self.zone)
            array, outside = fitted(column, raw, self.zone)
            arrays.append(array)
            unfit.append(_either(odd, outside))
        return outline.chunk(arrays, unfit, lambda row, place: to_state(values[place][row]))

    def _bind(self, column: Column, value: Any) -> Expression:
        if self.source.dialect == "sqlite":
            return sa.literal(from_state(column, value) if column.kind is Kind.BYTES else value, sa.types.NullType())
        given = from_state(column, value)
        plain = self.source.dialect in MYSQL  # whose enums and times are compared as text
        return sa.literal(given if not plain or column.kind is not Kind.TIME else value, None if plain else column.type)


def _key_of(outline: Outline, values: list[Sequence[Any]]) -> tuple[Any, ...]:
    names = [column.name for column in outline.columns]
    return tuple(to_state(values[names.index(name)][-1]) for name in outline.order)


def _either(one: Mask | None, other: Mask | None) -> Mask | None:
    if one is None or other is None:
        return one if other is None else other
    return np.logical_or(one, other)
