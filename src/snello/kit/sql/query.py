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
from snello.kit.sql.types import Column

Expression = sa.ColumnElement[Any]
Read = Callable[[Column, Expression], Expression]
Bind = Callable[[Column, Any], Expression]


@dataclass(frozen=True)
class Range:
    """Which rows, in which order.

    - ``order``: key columns; empty for a table without a key, read in no order
    - ``after``: values of all of ``order``; only rows behind them
    - ``unique``: whether ``order`` tells every row from every other, so that reading can go on behind any of them
    - ``since``, ``until``: bounds of the first of ``order``, both included
    - ``missing``: only the rows that have no value in one of these columns, in no order
    """

    order: tuple[str, ...] = ()
    unique: bool = True
    after: tuple[Any, ...] | None = None
    since: Any = None
    until: Any = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Writer:
    """How one way of reading writes SQL: ``read`` a column's expression, ``bind`` a value's."""

    read: Read
    bind: Bind

    def select(self, table: Table, columns: Sequence[Column], rows: Range) -> sa.Select[Any]:
        """The statement for a range of rows."""
        # the alias matters: a bare name in `order by` means the column as selected, cast and all
        source = _aliased(table)
        fields = (self.read(column, source.c[column.name]).label(column.name) for column in columns)
        statement = sa.select(*fields).select_from(source)
        if rows.missing:
            return statement.where(sa.or_(*(source.c[name].is_(None) for name in rows.missing)))
        conditions = self._conditions(table, [source.c[name] for name in rows.order], rows)
        return statement.where(*conditions).order_by(*(source.c[name] for name in rows.order))

    def highest(self, table: Table, name: str) -> sa.Select[Any]:
        """The highest value of a column, written as its rows are."""
        source, column = _aliased(table), table.column(name)
        return sa.select(self.read(column, sa.func.max(source.c[name])).label(name)).select_from(source)

    def _conditions(self, table: Table, keys: list[Expression], rows: Range) -> list[sa.ColumnElement[bool]]:
        columns = [table.column(name) for name in rows.order]
        found: list[sa.ColumnElement[bool]] = []
        found += [key.is_not(None) for key, column in zip(keys, columns, strict=True) if column.nullable]
        if rows.since is not None:
            found.append(keys[0] >= self.bind(columns[0], rows.since))
        if rows.until is not None:
            found.append(keys[0] <= self.bind(columns[0], rows.until))
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
