"""How tables and views come to be: replaced in one statement, or left as they were."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Hub

MACROS = Path(__file__).parents[2] / "transform" / "macros"
PROJECT = """
name: small
version: '1.0.0'
profile: small
model-paths: [models]
macro-paths: [macros]
flags: {send_anonymous_usage_stats: false, require_generic_test_arguments_property: true}
"""
PROFILE = "small: {target: here, outputs: {here: {type: duckdb, path: warehouse.duckdb, threads: 2}}}\n"
CONTRACT = "models: [{name: shape, config: {contract: {enforced: true}}, columns: [{name: n, data_type: int}]}]\n"
PYTHON = "def model(dbt, session):\n    dbt.config(materialized='table')\n    return session.sql('select {} as n')\n"


@pytest.fixture
def small(make_hub: Callable[..., Hub], tmp_path: Path) -> Hub:
    """A project of one model that has these materializations and nothing else."""
    project = tmp_path / "small"
    for folder in ("models", "macros"):
        (project / folder).mkdir(parents=True)
    (project / "macros/materialized.sql").write_text((MACROS / "materialized.sql").read_text())
    (project / "dbt_project.yml").write_text(PROJECT)
    (project / "profiles.yml").write_text(PROFILE)
    return make_hub({}, project)


def say(hub: Hub, kind: str, sql: str) -> None:
    (hub.project / "models/shape.sql").write_text(f"{{{{ config(materialized='{kind}') }}}}\n{sql}\n")


def kind_of(hub: Hub) -> list[tuple[str, str]]:
    return hub.query("select table_name, table_type from information_schema.tables")


@pytest.mark.parametrize(
    ("first", "then"), [("table", "table"), ("view", "view"), ("table", "view"), ("view", "table")]
)
def test_what_stands_there_is_replaced_whatever_it_was(small: Hub, first: str, then: str) -> None:
    say(small, first, "select 1 as n")
    small.make("run")
    say(small, then, "select 2 as n, 'x' as more")
    small.make("run")
    assert small.query("select * from shape") == [(2, "x")]
    assert kind_of(small) == [("shape", "BASE TABLE" if then == "table" else "VIEW")]


@pytest.mark.parametrize("kind", ["table", "view"])
def test_a_model_that_fails_leaves_what_was_there(small: Hub, kind: str) -> None:
    say(small, "table", "select 1 as n")
    small.make("run")
    say(small, kind, "select nobody as n" if kind == "view" else "select error('no') as n")
    assert small.dbt("run").returncode == 1
    assert small.query("select * from shape") == [(1,)]
    assert kind_of(small) == [("shape", "BASE TABLE")]


def test_a_contract_is_kept_and_a_table_that_breaks_it_is_not_made(small: Hub) -> None:
    (small.project / "models/shape.yml").write_text(CONTRACT)
    say(small, "table", "select 1 as n")
    small.make("run")
    say(small, "table", "select 'a' as n")
    told = small.dbt("run")
    assert (told.returncode, "contract" in told.stdout) == (1, True)
    assert small.query("select n, typeof(n) from shape") == [(1, "INTEGER")]


def test_a_model_in_python_replaces_a_view_and_is_replaced_as_well(small: Hub) -> None:
    say(small, "view", "select 0 as n")
    small.make("run")
    (small.project / "models/shape.sql").unlink()
    for number in (1, 2):
        (small.project / "models/shape.py").write_text(PYTHON.format(number))
        small.make("run")
        assert small.query("select n from shape") == [(number,)]
    assert kind_of(small) == [("shape", "BASE TABLE")]
