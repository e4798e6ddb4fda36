"""How single databases must be asked so that a driver hands over what the database holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from snello.kit.sql.types import Column, Expression, Kind

MYSQL = frozenset({"mysql", "mariadb"})

_LONGEST_TEXT = {"oracle": 4_000, "db2": 4_000, "ibm_db_sa": 4_000}  # these have no text without a length
_SHAPES = ("point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection")


class Shape(sa.types.UserDefinedType[Any]):
    """A geometry of MySQL, which no cast makes text of."""

    def __init__(self, **_given: Any) -> None:
        super().__init__()

    def get_col_spec(self, **_given: Any) -> str:
        """Its name in SQL."""
        return "geometry"


def teach(engine: sa.Engine) -> None:
    """Let the engine's dialect know types that SQLAlchemy does not."""
    if engine.dialect.name in MYSQL:
        known: dict[str, Any] = getattr(engine.dialect, "ischema_names", {})
        engine.dialect.ischema_names = known | dict.fromkeys((*_SHAPES, "geometry"), Shape)  # type: ignore[attr-defined]


@contextmanager
def read_to_its_end(connection: sa.Connection, result: sa.CursorResult[Any]) -> Iterator[sa.CursorResult[Any]]:
    """A result whose connection is thrown away when it was not read to its end.

    PyMySQL would first fetch all that is left, which of a lost connection it cannot and says with a traceback.
    """
    try:
        yield result
    except BaseException:
        left: Any = getattr(result.cursor, "_result", None)
        if getattr(left, "unbuffered_active", False):
            left.unbuffered_active = False
        connection.invalidate()
        raise


def read(dialect: str, column: Column, expression: Expression) -> Expression:
    """The expression of a column's value."""
    if dialect in MYSQL and (special := _mysql(column, expression)) is not None:
        return special
    if column.kind is Kind.OTHER:
        return sa.cast(expression, sa.String(_LONGEST_TEXT.get(dialect)))
    if dialect == "sqlite":
        return expression  # typed by value, not by column
    return sa.type_coerce(expression, sa.Text() if column.kind is Kind.JSON else column.type)


def key(dialect: str, column: Column, expression: Expression) -> Expression:
    """The expression that rows are ordered by and compared with.

    MySQL orders an ENUM by its place in the list and compares it with a text as text: pages would lose rows.
    """
    if dialect not in MYSQL:
        return expression
    if isinstance(column.type, (mysql.ENUM, mysql.SET)):
        return sa.cast(expression, mysql.CHAR())
    return read(dialect, column, expression) if column.kind in {Kind.OTHER, Kind.TIME} else expression


def _mysql(column: Column, expression: Expression) -> Expression | None:
    plain = sa.types.NullType()  # as the driver hands it over
    if column.kind is Kind.OTHER and isinstance(column.type, Shape):
        return sa.func.st_astext(expression, type_=plain)
    if isinstance(column.type, mysql.BIT):
        number = expression.op("+")(sa.literal_column("0"))
        if column.kind is Kind.BOOLEAN:
            return sa.type_coerce(number, plain)
        return sa.func.lpad(sa.func.bin(number), column.type.length or 1, "0", type_=plain)
    if column.kind is Kind.NUMBER:
        # a FLOAT is shown with six digits and holds more; not every server can cast it
        return sa.type_coerce(expression.op("+")(sa.literal_column("0e0")), plain)
    if column.kind is Kind.TIME or isinstance(column.type, mysql.SET):
        return sa.cast(expression, mysql.CHAR())  # up to 838 hours, which is no time of day
    if column.kind is Kind.INTEGER:
        return sa.type_coerce(expression, plain)
    return None
