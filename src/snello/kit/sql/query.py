"""SELECT statements that read a table in key order, from where the last reading ended.

Nothing here is of one dialect alone: a keyset is written as ``a >= x and (a > x or (a = x and b > y))``, which every
database understands and whose first half lets it use an index.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from snello.kit.sql.tables import Table
from snello.kit.sql.types import Column, Expression

Read = Callable[[Column, Expression], Expression]
Bind = Callable[[Column, Any], Expression]


@dataclass(frozen=True)
class Range:
    """Which rows, in which order.

    - ``order``: key columns; empty for a table without a key, read in no order
    - ``after``: values of all of ``order``; only rows behind them
    - ``unique``: whether ``order`` tells every row from every other, so that reading can go on behind any of them
    - ``since``, ``until``: bounds of the first of ``order``, both included
    - ``below``: bound of the first of ``order``, left out
    - ``missing``: only the rows that have no value in one of these columns, in no order
    """

    order: tuple[str, ...] = ()
    unique: bool = True
    after: tuple[Any, ...] | None = None
    since: Any = None
    until: Any = None
    below: Any = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Writer:
    """How one way of reading writes SQL: ``read`` a column's expression, ``bind`` a value's, ``key`` what orders."""

    read: Read
    bind: Bind
    key: Read = lambda _column, expression: expression

    def select(self, table: Table, columns: Sequence[Column], rows: Range) -> sa.Select[Any]:
        """The statement for a range of rows."""
        # the alias matters: a bare name in `order by` means the column as selected, cast and all
        source = _aliased(table)
        fields = (self.read(column, source.c[column.name]).label(column.name) for column in columns)
        statement = sa.select(*fields).select_from(source)
        if rows.missing:
            return statement.where(sa.or_(*(source.c[name].is_(None) for name in rows.missing)))
        return statement.where(*self._conditions(table, source, rows)).order_by(*self._keys(table, source, rows.order))

    def highest(self, table: Table, name: str) -> sa.Select[Any]:
        """The highest value of a column, written as its rows are."""
        source, column = _aliased(table), table.column(name)
        return sa.select(self.read(column, sa.func.max(source.c[name])).label(name)).select_from(source)

    def bounds(self, table: Table, rows: Range) -> sa.Select[Any]:
        """The lowest and the highest value that the first of the range's order has in it."""
        source, column = _aliased(table), table.column(rows.order[0])
        lowest, highest = (self.read(column, of(source.c[column.name])) for of in (sa.func.min, sa.func.max))
        statement = sa.select(lowest.label("lowest"), highest.label("highest")).select_from(source)
        return statement.where(*self._conditions(table, source, rows))

    def count(self, table: Table) -> sa.Select[Any]:
        """How many rows the table has."""
        return sa.select(sa.func.count()).select_from(_aliased(table))

    def named(
        self, table: Table, columns: Sequence[Column], keys: Sequence[str], values: Sequence[Sequence[Any]]
    ) -> sa.Select[Any]:
        """The rows whose keys have one of some tuples of values."""
        source = _aliased(table)
        fields = (self.read(column, source.c[column.name]).label(column.name) for column in columns)
        parts = [table.column(name) for name in keys]
        wanted = (
            sa.and_(*(source.c[part.name] == self.bind(part, value) for part, value in zip(parts, row, strict=True)))
            for row in values
        )
        return sa.select(*fields).select_from(source).where(sa.or_(*wanted))

    def _keys(self, table: Table, source: sa.FromClause, order: Sequence[str]) -> list[Expression]:
        return [self.key(table.column(name), source.c[name]) for name in order]

    def _conditions(self, table: Table, source: sa.FromClause, rows: Range) -> list[sa.ColumnElement[bool]]:
        columns, keys = [table.column(name) for name in rows.order], self._keys(table, source, rows.order)
        found: list[sa.ColumnElement[bool]] = []
        found += [source.c[column.name].is_not(None) for column in columns if column.nullable]
        if rows.since is not None:
            found.append(keys[0] >= self.bind(columns[0], rows.since))
        if rows.until is not None:
            found.append(keys[0] <= self.bind(columns[0], rows.until))
        if rows.below is not None:
            found.append(keys[0] < self.bind(columns[0], rows.below))
        if rows.after is not None:
            bounds = [self.bind(column, value) for column, value in zip(columns, rows.after, strict=True)]
            found.append(_behind(keys, bounds))
        return found


def _aliased(table: Table) -> sa.FromClause:
    # untyped: `read` and `bind` know the types
    columns: list[sa.ColumnClause[Any]] = [sa.column(column.name) for column in table.columns]
    return sa.table(table.name.table, *columns, schema=table.name.schema).alias("t")


def _behind(keys: list[Expression], bounds: list[Expression]) -> sa.ColumnElement[bool]:
    first, bound = keys[0], bounds[0]
    if len(keys) == 1:
        return first > bound
    later = sa.or_(first > bound, sa.and_(first == bound, _behind(keys[1:], bounds[1:])))
    return sa.and_(first >= bound, later)
