"""SQL and Python send the same of a value."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest

from snello.dbt.functions import register
from snello.dbt.hashed import _PARTS, COUNTRY, HASHED
from snello.identifiers.platforms import PLATFORMS

GOLDEN = sorted((Path(__file__).parent / "golden" / "platforms").glob("*.csv"))


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    register(connection)
    register(connection)
    return connection


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_sql_sends_what_the_golden_file_says(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    wrong = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = f"hashed_{_PARTS.get(row['field'], row['column'])}"
            arguments = [row["value"], row["country"], path.stem] if name in COUNTRY else [row["value"], path.stem]
            marks = ", ".join("?" * len(arguments))
            [(found,)] = connection.execute(f"select {name}({marks})", arguments).fetchall()
            if found != (None if row["sent"] == "\\N" else row["sent"]):
                wrong[name, row["value"]] = found
    assert wrong == {}


def test_every_field_of_every_platform_is_a_function() -> None:
    assert {rule.field for rules in HASHED.values() for rule in rules.values()} == {
        rule.field for platform in PLATFORMS.values() for rule in platform.rules
    }


def test_a_column_that_a_platform_has_no_field_for_is_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    answer = connection.execute(
        "select hashed_city('Roma', 'google'), hashed_city(null, 'meta'), hashed_city('Roma', 'x')"
    )
    assert answer.fetchall() == [(None, None, None)]


def test_a_column_of_rows_is_read_as_each_row_alone(connection: duckdb.DuckDBPyConnection) -> None:
    rows = "(values ('a@gmail.com', 'google'), ('a.@x', 'google'), (null, 'meta'), ('A@gmail.com', 'meta')) as t(e, p)"
    together = connection.execute(f"select hashed_email(e, p) from {rows}").fetchall()
    assert [answer is not None for (answer,) in together] == [True, False, False, True]
    assert together[0] == together[3]
