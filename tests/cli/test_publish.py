"""Publishing from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

Snello = Callable[..., Any]


def build(root: Path, *, status: str = "success", rows: int = 3) -> None:
    """What a dbt build of one mart leaves behind."""
    target = root / "transform" / "target"
    target.mkdir(parents=True, exist_ok=True)
    node = {
        "name": "customers", "resource_type": "model", "schema": "marts", "fqn": ["test", "marts", "customers"],
        "config": {"meta": {}}, "depends_on": {"nodes": []},
    }  # fmt: skip
    (target / "manifest.json").write_text(json.dumps({"nodes": {"model.test.customers": node}}))
    results = {
        "metadata": {"invocation_id": "run-1"},
        "results": [{"unique_id": "model.test.customers", "status": status}],
    }
    (target / "run_results.json").write_text(json.dumps(results))
    with duckdb.connect(str(root / "warehouse.duckdb")) as warehouse:
        warehouse.execute("create or replace table last_run as select 'run-1' as run")
        warehouse.execute("create schema if not exists marts")
        warehouse.execute(f"create or replace table marts.customers as select range as customer_id from range({rows})")


@pytest.fixture
def built(empty: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SNELLO_WAREHOUSE", str(empty.root / "warehouse.duckdb"))
    build(empty.root)
    return Path(empty.root)


def tables(snello: Snello, *arguments: str) -> dict[str, tuple[int, str]]:
    told = snello("publish", "--json", *arguments)
    return {row["table"]: (row["rows"], row["change"]) for row in json.loads(told.out)["tables"]}


def test_each_table_is_new_then_unchanged_then_changed(built: Path, snello: Snello) -> None:
    assert tables(snello) == {"customers": (3, "new")}
    assert tables(snello) == {"customers": (3, "unchanged")}
    build(built, rows=4)
    assert tables(snello) == {"customers": (4, "changed")}


def test_the_last_line_counts_what_changed(built: Path, snello: Snello) -> None:
    assert snello("publish").out.splitlines()[-1] == "ok    published 1 tables, 1 changed: run run-1"


def test_dbts_folder_may_be_elsewhere(built: Path, snello: Snello) -> None:
    (built / "transform" / "target").rename(built / "elsewhere")
    assert tables(snello, "--target-dir", str(built / "elsewhere")) == {"customers": (3, "new")}


def test_what_did_not_pass_is_not_published(built: Path, snello: Snello) -> None:
    build(built, status="error")
    told = snello("publish")
    assert (told.code, told.out) == (3, "")
    assert "nothing is published" in told.err


def test_without_a_build_the_next_step_is_told(empty: Any, snello: Snello) -> None:
    told = snello("publish")
    assert told.code == 3
    assert "Next: run `dbt build` first" in told.err
