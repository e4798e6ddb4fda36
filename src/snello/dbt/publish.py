"""Write, audit, publish: what dbt built and its tests passed goes into the lake, all of it or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from snello.dbt.functions import register
from snello.dbt.results import Build, Model
from snello.errors import ContractError, RetryLater
from snello.lake import Lake, Manifest


def publish(warehouse: Path, target_dir: Path, lake: Lake) -> Manifest:
    """Publish the models that the last dbt command built, and the settings of every sync; the manifest now in force.

    - a model is published when its ``meta.publish`` says so; by default when it is in ``marts``, ``segments``,
      ``activation`` or ``measure``; those of ``activation`` as ``activation/<name>``
    - models that the command did not build keep what was published of them
    - raises ``ContractError`` and publishes nothing when such a model, or a test on it, failed, was skipped or not run,
      and when another command than the last one built in the warehouse
    """
    build = Build.of(target_dir)
    models = build.passed()
    with _opened(warehouse) as connection:
        _check_run(connection, warehouse, build.run_id)
        tables = {model.table: _content(connection, model) for model in models}
        return lake.publish(tables, run_id=build.run_id, syncs=_syncs(build, {*tables, *_known(lake)}))


def _opened(warehouse: Path) -> duckdb.DuckDBPyConnection:
    if not warehouse.exists():
        raise ContractError("publish", f"no warehouse at {warehouse}", "run `dbt build` first")
    try:
        connection = duckdb.connect(str(warehouse), read_only=True)
    except (duckdb.IOException, duckdb.ConnectionException):
        raise RetryLater(
            "publish", f"{warehouse} is in use by another process", "wait until dbt has ended, then publish again"
        ) from None
    register(connection)
    return connection


def _check_run(connection: duckdb.DuckDBPyConnection, warehouse: Path, run: str) -> None:
    """Stop where dbt's artifacts tell of one warehouse and this is another, or a later run that broke off."""
    try:
        found = connection.execute("select run from last_run").fetchone()
    except duckdb.CatalogException:
        found = None
    if found != (run,):
        raise ContractError(
            "publish",
            f"{warehouse} is not what the last dbt command built; nothing is published",
            "run `meltano invoke dbt:build`, which builds there, then publish again",
        )


def _content(connection: duckdb.DuckDBPyConnection, model: Model) -> pa.RecordBatchReader:
    try:
        # A cursor each: the lake reads one table after the other, and a connection holds one result at a time.
        return connection.cursor().sql(f"select * from {model.relation}").to_arrow_reader()
    except duckdb.CatalogException:
        what = f"model {model.name} was built, but is not in the warehouse"
        raise ContractError("publish", what, "let SNELLO_WAREHOUSE name the file that dbt builds in") from None


def _known(lake: Lake) -> set[str]:
    manifest = lake.manifest()
    return set(manifest.tables) if manifest else set()


def _syncs(build: Build, tables: set[str]) -> dict[str, dict[str, Any]]:
    """The settings of every sync whose audience is, or now becomes, published."""
    return {
        model.name: dict(model.meta["sync"])
        for model in build.models()
        if "sync" in model.meta and model.table in tables
    }
