"""Write, audit, publish: after real builds, all of what passed or nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from snello.dbt.publish import publish
from snello.errors import ContractError, RetryLater


def run(hub: Any) -> Any:
    return publish(hub.warehouse, hub.target, hub.lake)


def rewrite(hub: Any, name: str, change: Any) -> None:
    path = hub.target / name
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def ended_as(hub: Any, node: str, status: str | None) -> None:
    """As if dbt had ended that node so; ``None``: as if it had not run it."""

    def change(content: Any) -> None:
        mine = [result for result in content["results"] if node in result["unique_id"]]
        assert len(mine) == 1
        mine[0]["status"] = status
        content["results"] = [result for result in content["results"] if result["status"] is not None]

    rewrite(hub, "run_results.json", change)


def refused(hub: Any) -> str:
    with pytest.raises(ContractError) as fault:
        run(hub)
    assert hub.lake.manifest() is None
    return str(fault.value)


def test_what_passed_is_published_with_its_syncs(built: Any) -> None:
    manifest = run(built)
    assert sorted(manifest.tables) == ["activation/mailer__everybody", "customers", "orders"]
    assert manifest.syncs == {
        "mailer__everybody": {"target": "mailer", "purpose": "email_marketing", "key": "customer_id"}
    }
    assert built.lake.published("customers")["email"].to_pylist() == ["anna@example.it", None, None]
    assert built.lake.published("orders").schema.field("total").type == pa.decimal128(10, 2)


def test_publishing_twice_changes_no_table(built: Any) -> None:
    assert run(built).tables == run(built).tables


def test_a_failed_test_is_named_and_nothing_is_published(built: Any) -> None:
    assert built.dbt(
        "build", "--exclude", "tag:measure", "resource_type:unit_test", "--vars", "{broken: true}"
    ).returncode
    said = refused(built)
    assert said.startswith("publish: test not_null_customers_customer_key ended as 'fail'")
    assert "nothing is published. Next: mend it and run `dbt build` again." in said


def test_a_part_of_the_project_is_published_alone(built: Any) -> None:
    before = run(built)
    assert built.dbt("build", "--select", "tag:measure").returncode == 0
    after = run(built)
    assert sorted(after.tables.keys() - before.tables.keys()) == ["counts"]
    assert {name: after.tables[name] for name in before.tables} == before.tables
    assert after.syncs == before.syncs
    assert built.lake.published("counts").to_pylist() == [{"customers": 3}]


@pytest.mark.parametrize(
    ("node", "status", "said"),
    [
        ("model.trial.orders", "error", "model orders ended as 'error'"),
        ("model.trial.mailer__everybody", "skipped", "model mailer__everybody ended as 'skipped'"),
        ("unique_customers", "fail", "test unique_customers_customer_key ended as 'fail'"),
        ("unique_customers", "error", "test unique_customers_customer_key ended as 'error'"),
        ("unique_customers", None, "test unique_customers_customer_key was not run"),
        ("addresses_are_normal", "fail", "test addresses_are_normal ended as 'fail'"),
    ],
)
def test_what_did_not_pass_is_named(built: Any, node: str, status: str | None, said: str) -> None:
    ended_as(built, node, status)
    assert said in refused(built)


def test_the_cause_is_named_before_what_was_skipped_for_it(built: Any) -> None:
    ended_as(built, "model.trial.stg_shop__customers", "error")
    ended_as(built, "model.trial.customers", "skipped")
    assert "publish: model stg_shop__customers ended as 'error'; model customers ended as 'skipped'" in refused(built)


def test_a_fault_beside_what_is_published_does_not_stop_it(built: Any) -> None:
    ended_as(built, "model.trial.scratch", "error")
    assert "customers" in run(built).tables


def test_a_command_that_built_nothing_publishes_nothing(built: Any) -> None:
    rewrite(built, "run_results.json", lambda content: content.update(results=[]))
    assert "built no published model" in refused(built)


def test_a_model_may_say_itself_whether_it_is_published(built: Any) -> None:
    def change(content: Any) -> None:
        content["nodes"]["model.trial.orders"]["config"]["meta"] = {"publish": False}
        content["nodes"]["model.trial.scratch"]["config"]["meta"] = {"publish": True}

    rewrite(built, "manifest.json", change)
    assert sorted(run(built).tables) == ["activation/mailer__everybody", "customers", "scratch"]


@pytest.mark.parametrize("name", ["manifest.json", "run_results.json"])
def test_without_dbts_results_the_cure_is_to_build(built: Any, name: str) -> None:
    (built.target / name).unlink()
    assert f"no {name} in" in refused(built)


def test_results_cut_short_are_one_sentence(built: Any) -> None:
    path = built.target / "run_results.json"
    path.write_text(path.read_text()[:100])
    assert "was cut short" in refused(built)


def test_a_missing_warehouse_is_one_sentence(built: Any) -> None:
    built.warehouse.unlink()
    assert "no warehouse at" in refused(built)


def test_a_warehouse_that_holds_other_models_is_one_sentence(built: Any) -> None:
    with duckdb.connect(str(built.warehouse)) as connection:
        connection.execute("drop table orders")
    assert "model orders was built, but is not in the warehouse" in refused(built)


def test_a_warehouse_that_another_command_built_is_not_published(built: Any, tmp_path: Path) -> None:
    shutil.copyfile(built.warehouse, tmp_path / "older.duckdb")
    assert built.dbt("build", "--exclude", "tag:measure", "resource_type:unit_test").returncode == 0
    shutil.copyfile(tmp_path / "older.duckdb", built.warehouse)
    said = refused(built)
    assert f"{built.warehouse} is not what the last dbt command built; nothing is published" in said
    assert "Next: run `meltano invoke dbt:build`" in said


def test_a_warehouse_that_does_not_say_who_built_it_is_not_published(built: Any) -> None:
    with duckdb.connect(str(built.warehouse)) as connection:
        connection.execute("drop table last_run")
    assert "is not what the last dbt command built" in refused(built)


def test_a_warehouse_that_another_process_writes_is_to_be_tried_again(built: Any) -> None:
    hold = (
        f"import duckdb, sys; c = duckdb.connect({str(built.warehouse)!r}); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(RetryLater, match="in use"):
            run(built)
        holder.communicate()
    assert "customers" in run(built).tables
