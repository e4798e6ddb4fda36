"""The table of types: what each SQL type of each dialect becomes."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql, oracle, postgresql, sqlite

from snello.kit.sql.types import Kind, column, decimal_of, kind_of

KINDS: list[tuple[str, Any, Kind]] = [
    ("postgresql", sa.BOOLEAN(), Kind.BOOLEAN),
    ("postgresql", sa.SMALLINT(), Kind.INTEGER),
    ("postgresql", postgresql.REAL(), Kind.NUMBER),
    ("postgresql", postgresql.DOUBLE_PRECISION(), Kind.NUMBER),
    ("postgresql", sa.NUMERIC(12, 2), Kind.DECIMAL),
    ("postgresql", sa.DATE(), Kind.DATE),
    ("postgresql", postgresql.TIMESTAMP(timezone=True), Kind.INSTANT),
    ("postgresql", postgresql.TIMESTAMP(timezone=False), Kind.LOCAL),
    ("postgresql", postgresql.TIME(), Kind.TIME),
    ("postgresql", sa.CHAR(2), Kind.TEXT),
    ("postgresql", postgresql.CITEXT(), Kind.TEXT),
    ("postgresql", postgresql.ENUM("a", name="e"), Kind.TEXT),
    ("postgresql", postgresql.UUID(), Kind.UUID),
    ("postgresql", postgresql.BYTEA(), Kind.BYTES),
    ("postgresql", postgresql.JSONB(), Kind.JSON),
    ("postgresql", postgresql.ARRAY(sa.INTEGER()), Kind.ARRAY),
    ("postgresql", postgresql.INTERVAL(), Kind.OTHER),
    ("postgresql", postgresql.INET(), Kind.OTHER),
    ("postgresql", postgresql.INT4RANGE(), Kind.OTHER),
    ("postgresql", sa.types.NullType(), Kind.OTHER),
    ("mysql", mysql.TINYINT(display_width=1), Kind.INTEGER),
    ("mysql", mysql.TIMESTAMP(), Kind.INSTANT),
    ("mysql", mysql.DATETIME(), Kind.LOCAL),
    ("mysql", mysql.LONGTEXT(), Kind.TEXT),
    ("mysql", mysql.LONGBLOB(), Kind.BYTES),
    ("mysql", mysql.JSON(), Kind.JSON),
    ("mysql", mysql.YEAR(), Kind.INTEGER),
    ("mysql", mysql.BIT(), Kind.BOOLEAN),
    ("mysql", mysql.BIT(1), Kind.BOOLEAN),
    ("mysql", mysql.BIT(3), Kind.OTHER),
    ("mysql", mysql.ENUM("a"), Kind.TEXT),
    ("mysql", mysql.BIGINT(unsigned=True), Kind.INTEGER),
    ("mssql", mssql.BIT(), Kind.BOOLEAN),
    ("mssql", mssql.DATETIME2(), Kind.LOCAL),
    ("mssql", mssql.DATETIMEOFFSET(), Kind.INSTANT),
    ("mssql", mssql.NVARCHAR(20), Kind.TEXT),
    ("mssql", mssql.UNIQUEIDENTIFIER(), Kind.UUID),
    ("mssql", mssql.VARBINARY(20), Kind.BYTES),
    ("oracle", oracle.NUMBER(10, 0), Kind.INTEGER),
    ("oracle", oracle.NUMBER(30, 0), Kind.DECIMAL),
    ("oracle", oracle.NUMBER(10, 2), Kind.DECIMAL),
    ("oracle", oracle.NUMBER(), Kind.DECIMAL),
    ("oracle", oracle.DATE(), Kind.LOCAL),
    ("oracle", oracle.TIMESTAMP(timezone=True), Kind.INSTANT),
    ("oracle", oracle.VARCHAR2(20), Kind.TEXT),
    ("sqlite", sqlite.DATETIME(), Kind.LOCAL),
    ("sqlite", sqlite.DATE(), Kind.DATE),
    ("sqlite", sa.BLOB(), Kind.BYTES),
]


@pytest.mark.parametrize(("dialect", "type_", "kind"), KINDS, ids=lambda value: repr(value))
def test_a_type_of_a_dialect_is_of_one_kind(dialect: str, type_: Any, kind: Kind) -> None:
    assert kind_of(type_, dialect) is kind


@pytest.mark.parametrize(
    ("type_", "size"),
    [
        (sa.NUMERIC(12, 2), (12, 2)),
        (sa.NUMERIC(10), (10, 0)),
        (sa.NUMERIC(), (38, 18)),
        (sa.NUMERIC(5, -2), (7, 0)),
        (sa.NUMERIC(3, 5), (5, 5)),
        (sa.NUMERIC(50, 10), (38, 10)),
        (sa.NUMERIC(60, 50), (38, 38)),
    ],
    ids=repr,
)
def test_a_decimal_is_as_large_as_the_lake_allows(type_: Any, size: tuple[int, int]) -> None:
    assert decimal_of(type_) == size
    pa.decimal128(*size)


def test_a_domain_is_what_it_rests_on() -> None:
    domain = postgresql.DOMAIN("price", sa.NUMERIC(6, 2))
    made = column("price", domain, dialect="postgresql", nullable=True)
    assert (made.kind, made.arrow) == (Kind.DECIMAL, pa.decimal128(6, 2))


def test_a_column_taken_as_text_is_text() -> None:
    made = column("seen", sa.TIMESTAMP(), dialect="postgresql", nullable=True, as_text=True)
    assert (made.kind, made.arrow, made.schema) == (Kind.OTHER, pa.string(), {"type": ["string", "null"]})
