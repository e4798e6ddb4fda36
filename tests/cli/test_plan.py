"""A plan that dbt could not build, or that would change more than agreed; what one plan leaves for the next."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from snello.cli.plan.comparison import Comparison
from snello.cli.plan.page import page
from snello.cli.plan.plan import Plan
from snello.cli.plan.workshop import Workshop, sentence
from snello.dbt.results import Model
from snello.errors import RetryLater
from snello.lake import Lake

LOG = """\
05:54:12  Concurrency: 4 threads (target='lake')
05:54:13  an older warning. Next: nothing.
05:54:15  Encountered an error:
Database Error
  Runtime Error
    seeds/identity_rules.csv row 2: share: unknown kind 'tax_cod'. Next: mend the row.
"""


def test_a_wrong_word_in_a_seed_is_told_with_its_row_and_its_cure() -> None:
    what = "seeds/identity_rules.csv row 2: share: unknown kind 'tax_cod'"
    assert sentence(LOG) == (what, "mend the row")


def test_what_dbt_says_of_itself_is_left_in_its_log() -> None:
    assert sentence("Encountered an error:\nDatabase Error\n  Catalog Error: no such table\n") is None
    assert sentence("05:54:13  a warning. Next: nothing.\nEncountered an error:\nRuntime Error\n") is None


def test_a_plan_that_is_too_large_does_not_name_the_command_that_would_publish_it() -> None:
    people = {"people": 9, "new": 0, "gone": 0, "merged": 0, "split": 3, "records_moved": 3}
    plan = Plan(datetime(2026, 11, 1, tzinfo=UTC), "b1", "", "", people)
    assert "snello apply" in str(list(page(plan)))
    assert "snello apply" not in str(list(page(replace(plan, limits={"split": 2}))))


def test_what_a_killed_run_left_beside_the_warehouse_is_taken_in_and_a_run_that_writes_is_waited_for(
    tmp_path: Path,
) -> None:
    warehouse, workshop = tmp_path / "warehouse.duckdb", Workshop(tmp_path / "plan", tmp_path / "transform")
    workshop.folder.mkdir()
    writes = (
        f"import duckdb, os, sys; c = duckdb.connect({str(warehouse)!r}); c.execute('create table t as select 1 as n');"
        " print('written', flush=True); sys.stdin.read(); os.kill(os.getpid(), 9)"
    )
    with subprocess.Popen([sys.executable, "-c", writes], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == b"written\n"
        with pytest.raises(RetryLater, match="is being written"):
            workshop._copy(warehouse)
        writer.communicate()
    assert warehouse.with_name("warehouse.duckdb.wal").exists()
    workshop._copy(warehouse)
    with duckdb.connect(str(workshop.warehouse)) as copied:
        assert copied.execute("select n from t").fetchall() == [(1,)]


def published(purposes: dict[str, str]) -> pa.Table:
    rows = [{"customer_id": "c1", "purpose": purpose, "email": email} for purpose, email in purposes.items()]
    return pa.Table.from_pylist(rows)


def test_what_a_purpose_may_no_longer_know_is_a_change_though_no_golden_value_is(tmp_path: Path) -> None:
    lake, after = Lake(str(tmp_path / "lake")), published({"service": "a@posta.example"})
    customers = pa.table({"customer_id": ["c1"], "email": ["a@posta.example"]})
    before = published({"service": "a@posta.example", "profiling": "a@posta.example"})
    lake.publish({"customers": customers, "customers_by_purpose": before}, run_id="r1")
    with duckdb.connect(str(tmp_path / "plan.duckdb")) as built:
        built.execute("create schema marts")
        for name, table in (("customers", customers), ("customers_by_purpose", after)):
            built.register("made", table)
            built.execute(f"create table marts.{name} as select * from made")
    models = [Model(f"model.x.{name}", name, f'"marts"."{name}"', {}) for name in ("customers", "customers_by_purpose")]
    found = Comparison(lake, str(tmp_path / "plan.duckdb"), models)
    assert found.values() == []
    assert found.views() == [{"attribute": "what profiling may know", "changed": 1}]


def test_a_new_plan_begins_with_nothing_of_an_earlier_one(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, tmp_path / "transform")
    (workshop.target / "compiled").mkdir(parents=True)
    for path in (workshop.file, workshop.warehouse, workshop.target / "partial_parse.msgpack"):
        path.touch()
    workshop.clear()
    assert list(tmp_path.rglob("*")) == []
