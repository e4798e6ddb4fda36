"""The plugin in a real dbt: views of the lake, functions, and sources that have not arrived."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
import pytest

from snello.dbt.publish import publish


def rows(hub: Any, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(hub.warehouse), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_models_read_raw_tables_and_call_the_identifiers(built_once: Any) -> None:
    hub, _ = built_once
    assert rows(hub, "select customer_key, email from customers order by 1") == [
        (1, "anna@example.it"),
        (2, None),
        (3, None),
    ]


def test_a_source_that_has_not_arrived_is_empty_and_told(built_once: Any) -> None:
    hub, said = built_once
    assert rows(hub, "select count(*) from orders") == [(0,)]
    assert rows(hub, "select typeof(total) from (select null) left join orders on true") == [("DECIMAL(10,2)",)]
    assert "raw_shop.orders: nothing was ever loaded. Next: run its tap" in said


def test_sources_of_which_nothing_came_are_told_in_one_line(built_once: Any) -> None:
    _, said = built_once
    assert "Nothing was ever loaded from gym. Next: run the taps of those that you have" in said
    assert "raw_gym" not in said


def test_a_column_that_the_source_does_not_deliver_is_null_and_told(built_once: Any) -> None:
    hub, said = built_once
    assert rows(hub, "select distinct typeof(loyalty_level), loyalty_level from customers") == [("INTEGER", None)]
    assert "raw_shop.customers: the source does not deliver loyalty_level" in said


def test_the_first_run_has_nothing_published_and_says_nothing_of_it(built_once: Any) -> None:
    hub, said = built_once
    assert rows(hub, "select bool_or(was_published) from customers") == [(False,)]
    assert "published.customers" not in said


def test_the_next_run_sees_what_was_published_and_what_arrived_since(built: Any) -> None:
    publish(built.warehouse, built.target, built.lake)
    built.load("customers", pa.table({"id": [1, 4], "email": ["anna@example.it", "bo@example.it"]}))
    built.load("orders", pa.table({"id": [10], "total": ["12.50"]}))
    run = built.dbt("build", "--exclude", "tag:measure")
    assert run.returncode == 0, run.stdout
    assert rows(built, "select customer_key, was_published from customers order by 1") == [(1, True), (4, False)]
    assert rows(built, "select count(*) from orders") == [(1,)]
    assert "nothing was ever loaded" not in run.stdout


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"SNELLO_MEMORY": "lots"},
            "setting SNELLO_MEMORY: it is no amount of memory. Next: write it like 8GB or 80%.",
        ),
        ({"SNELLO_TODAY": "yesterday"}, "setting SNELLO_TODAY: it is no day. Next: write it like 2026-11-01."),
    ],
)
def test_a_setting_that_says_nothing_is_one_sentence(built: Any, given: dict[str, str], said: str) -> None:
    run = built.dbt("build", "--select", "orders", **given)
    assert run.returncode != 0
    assert said in run.stdout
    assert "Traceback" not in run.stdout + run.stderr
    assert built.dbt("build", "--select", "orders", SNELLO_MEMORY="1GB", SNELLO_TODAY="2026-11-01").returncode == 0


def test_a_project_without_a_lake_says_what_to_do(built: Any) -> None:
    run = built.dbt("build", "--select", "orders", lake="")
    assert run.returncode != 0
    assert "snello: no meltano.yml in" in run.stdout
    assert "Traceback" not in run.stdout + run.stderr
