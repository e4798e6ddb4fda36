"""Reading any database through SQLAlchemy: key by key in pages, so that no long transaction is held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from snello.errors import ContractError
from snello.kit.sql.chunks import Chunk, Mask, Outline, gathered
from snello.kit.sql.fit import fitted
from snello.kit.sql.query import Expression, Range, Writer
from snello.kit.sql.source import Source
from snello.kit.sql.tables import Table
from snello.kit.sql.types import Column, Kind
from snello.kit.sql.values import from_state, raw_array, to_state

FIRST_ROWS = 500
FETCHED_ROWS, FETCHED_BYTES = 10_000, 16 * 2**20
ORACLE_TEXT = 4_000  # Oracle has no text without a length


class RowReader:
    """Reads through SQLAlchemy, in any dialect."""

    def __init__(self, source: Source, zone: ZoneInfo, page: int) -> None:
        self.source, self.zone, self.page = source, zone, page
        self.writer = Writer(self._read, self._bind)

    def highest(self, table: Table, name: str) -> Any:
        """The highest value of a column, as a state holds it."""
        value = self.source.scalar(self.writer.highest(table, name), table.name.table)
        if isinstance(value, datetime) and self.source.dialect in {"mssql", "oracle"}:
            value += timedelta(seconds=1)  # these know fractions that Python's times cut off
        return to_state(value)

    def chunks(self, table: Table, outline: Outline, rows: Range, size: int) -> Iterator[Chunk]:
        """The rows of a range, in its order, about ``size`` at a time."""
        if rows.order and rows.unique and not rows.missing:
            return gathered(self._pages(table, outline, rows), size)
        statement = self.writer.select(table, outline.columns, rows)
        return gathered((chunk for chunk, _ in self._fetched(table, outline, statement)), size)

    def _pages(self, table: Table, outline: Outline, rows: Range) -> Iterator[Chunk]:
        while True:
            statement = self.writer.select(table, outline.columns, rows).limit(self.page)
            read, last = 0, rows.after
            for chunk, key in self._fetched(table, outline, statement):
                read, last = read + chunk.rows.num_rows + len(chunk.refused), key
                yield chunk
            if read < self.page:
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
            result = reading.execute(statement)
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

    def _read(self, column: Column, expression: Expression) -> Expression:
        if column.kind is Kind.OTHER:
            return sa.cast(expression, sa.String(ORACLE_TEXT if self.source.dialect == "oracle" else None))
        if self.source.dialect == "sqlite":
            return expression  # typed by value, not by column
        return sa.type_coerce(expression, sa.Text() if column.kind is Kind.JSON else column.type)

    def _bind(self, column: Column, value: Any) -> Expression:
        if self.source.dialect == "sqlite":
            return sa.literal(from_state(column, value) if column.kind is Kind.BYTES else value, sa.types.NullType())
        return sa.literal(from_state(column, value), column.type)


def _key_of(outline: Outline, values: list[Sequence[Any]]) -> tuple[Any, ...]:
    names = [column.name for column in outline.columns]
    return tuple(to_state(values[names.index(name)][-1]) for name in outline.order)


def _either(one: Mask | None, other: Mask | None) -> Mask | None:
    if one is None or other is None:
        return one if other is None else other
    return np.logical_or(one, other)
