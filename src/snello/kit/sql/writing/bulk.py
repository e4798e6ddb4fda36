"""Many rows at once: by what every database understands, and in PostgreSQL by COPY."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

WORTH_A_COPY = 200  # fewer rows are written faster by a plain statement
STAGING = "snello_staging"

Row = Mapping[str, Any]


class Bulk(Protocol):
    """A way to write many rows; ``most``: values that a statement can name."""

    most: int

    def among(self, column: sa.ColumnElement[Any], values: Sequence[Any]) -> sa.ColumnElement[bool]:
        """Whether a column has one of these values."""

    def insert(self, connection: Connection, table: sa.Table, rows: Sequence[Row]) -> None:
        """Add rows, all with the same columns."""

    def update(self, connection: Connection, table: sa.Table, key: str, rows: Sequence[Row]) -> None:
        """Change the rows of these keys where they differ: what stays as it is sets no trigger off."""


class Plain:
    """By statements that every database understands; its driver makes of many what it can."""

    most = 1_000

    def among(self, column: sa.ColumnElement[Any], values: Sequence[Any]) -> sa.ColumnElement[bool]:
        """A list of values."""
        return column.in_(values)

    def insert(self, connection: Connection, table: sa.Table, rows: Sequence[Row]) -> None:
        """One statement, executed for all rows."""
        if rows:
            columns = {name: sa.bindparam(f"b_{name}", type_=_type(table.c[name])) for name in rows[0]}
            connection.execute(sa.insert(table).values(columns), _bound(rows))

    def update(self, connection: Connection, table: sa.Table, key: str, rows: Sequence[Row]) -> None:
        """One statement, executed for all rows."""
        if rows and (names := [name for name in rows[0] if name != key]):
            bound = {name: sa.bindparam(f"b_{name}", type_=_type(table.c[name])) for name in (key, *names)}
            differs = sa.or_(*(_distinct(table.c[name], bound[name]) for name in names))
            statement = sa.update(table).where(table.c[key] == bound[key], differs)
            connection.execute(statement.values({name: bound[name] for name in names}), _bound(rows))


class Copying(Plain):
    """PostgreSQL: rows go by COPY into a table of this session, from there by one statement."""

    most = 50_000

    def among(self, column: sa.ColumnElement[Any], values: Sequence[Any]) -> sa.ColumnElement[bool]:
        """One array instead of a parameter a value."""
        return column == sa.any_(sa.literal(list(values), postgresql.ARRAY(column.type)))

    def insert(self, connection: Connection, table: sa.Table, rows: Sequence[Row]) -> None:
        """Straight into the table."""
        if len(rows) < WORTH_A_COPY:
            super().insert(connection, table, rows)
            return
        self._copy(connection, _name(connection, table), table, rows)

    def update(self, connection: Connection, table: sa.Table, key: str, rows: Sequence[Row]) -> None:
        """Through a table that is gone when the transaction ends, and one statement over both."""
        if len(rows) < WORTH_A_COPY:
            super().update(connection, table, key, rows)
            return
        quote = connection.dialect.identifier_preparer.quote
        columns, names = ", ".join(map(quote, rows[0])), [name for name in rows[0] if name != key]
        target = _name(connection, table)
        if not names:
            return
        connection.exec_driver_sql(f"drop table if exists pg_temp.{STAGING}")
        connection.exec_driver_sql(
            f"create temp table {STAGING} on commit drop as select {columns} from {target} with no data"
        )
        self._copy(connection, STAGING, table, rows)
        changed = ", ".join(f"{quote(name)} = s.{quote(name)}" for name in names)
        differs = " or ".join(
            f"t.{quote(name)}{cast} is distinct from s.{quote(name)}{cast}"
            for name in names
            for cast in ["::text" if isinstance(table.c[name].type, sa.JSON) else ""]
        )
        connection.exec_driver_sql(
            f"update {target} as t set {changed} from {STAGING} as s "
            f"where t.{quote(key)} = s.{quote(key)} and ({differs})"
        )

    def _copy(self, connection: Connection, into: str, table: sa.Table, rows: Sequence[Row]) -> None:
        quote = connection.dialect.identifier_preparer.quote
        names = list(rows[0])
        as_json = [isinstance(table.c[name].type, sa.JSON) for name in names]
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f"copy {into} ({', '.join(map(quote, names))}) from stdin") as copy:
            for row in rows:
                values = row.values() if not any(as_json) else map(_of_json, row.values(), as_json)
                copy.write_row(tuple(values))


def bulk_for(dialect: str) -> Bulk:
    """The fastest way that a kind of database knows."""
    return Copying() if dialect == "postgresql" else Plain()


def _type(column: sa.Column[Any]) -> sa.types.TypeEngine[Any]:
    """The column's type; no value is null there, not JSON's word for it."""
    return type(column.type)(none_as_null=True) if isinstance(column.type, sa.JSON) else column.type


def _distinct(column: sa.ColumnElement[Any], value: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    if isinstance(column.type, sa.JSON):  # JSON as such is not compared
        return sa.cast(column, sa.Text).is_distinct_from(sa.cast(value, sa.Text))
    return column.is_distinct_from(value)


def _bound(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [{f"b_{name}": value for name, value in row.items()} for row in rows]


def _of_json(value: Any, as_json: bool) -> Any:
    return json.dumps(value) if as_json and value is not None else value


def _name(connection: Connection, table: sa.Table) -> str:
    return connection.dialect.identifier_preparer.format_table(table)
