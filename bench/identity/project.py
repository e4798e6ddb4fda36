"""A bench's own copy of the dbt project over a lake of its own: canonical rows in, customers and timings out.

.venv/bin/python bench/identity/project.py     builds ten records, to see that it works

    project = Project.over(folder, {"crm": {"person_observed": table}}, seeds={"identity_rules": path})
    run = project.build(variables={"likelihood_accept": 0.95})
    run.seconds, run.busy, run.peak_bytes, run.steps["clustering"].busy
    project.table("select * from marts.customer_sources")
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb
import polars as pl
import pyarrow as pa
from dbt_run import Run
from deltalake import write_deltalake
from gauge import follow

from snello.dbt.functions import register
from snello.lake import Lake
from snello.sandbox.world import SOURCES

PROJECT = Path(__file__).parents[2] / "transform"
TODAY = "2026-11-01"
# Who is who: edges, clusters, ids, and what was cut, blocked and left to people.
IDENTITY = (
    "+customer_sources",
    "+identity_edges",
    "+identity_cuts",
    "+identity_blocked",
    "+identity_review",
    "+identity_events",
    "+identity_model",
    "+identity_prints",
)
# With the golden record and what explains it, without segments and audiences.
RESOLUTION = (*IDENTITY, "+customers", "+customer_values", "+customer_identifiers", "+golden_prints")

Shapes = Mapping[str, Mapping[str, pa.Table]]


@dataclass(frozen=True)
class Project:
    """A dbt project without the company's sources, and the lake that it reads."""

    home: Path

    @classmethod
    def over(cls, home: Path, shapes: Shapes, seeds: Mapping[str, Path] | None = None) -> Project:
        """A project in ``home`` whose sources are ``shapes``: rows by source and canonical shape.

        - a table has ``stream``, ``record_key`` and any other columns of its shape (``transform/macros/shapes.sql``)
        - ``seeds``: CSV files to use instead of the project's own, by seed name
        """
        made = cls(home)
        kept = shutil.ignore_patterns("target", "logs", "__pycache__", "*.duckdb")
        shutil.copytree(PROJECT, made.folder, ignore=kept, dirs_exist_ok=True)
        for name in SOURCES:
            shutil.rmtree(made.folder / "models" / "staging" / name, ignore_errors=True)
        for name, path in (seeds or {}).items():
            shutil.copy(path, made.folder / "seeds" / f"{name}.csv")
        for source, tables in shapes.items():
            made._stage(source, tables)
            for shape, table in tables.items():
                made.load(source, shape, table)
        return made

    @property
    def folder(self) -> Path:
        """The dbt project."""
        return self.home / "transform"

    @property
    def lake(self) -> Lake:
        """What the project reads, and where ids are published to."""
        return Lake(str(self.home / "lake"))

    @property
    def warehouse(self) -> Path:
        """The DuckDB file that dbt builds in."""
        return self.home / "warehouse.duckdb"

    def load(
        self, source: str, shape: str, table: pa.Table, mode: Literal["overwrite", "append"] = "overwrite"
    ) -> None:
        """Replace the rows of one source and shape, or add to them."""
        write_deltalake(self.lake.raw_uri(source, shape), table, mode=mode)

    def build(self, select: Sequence[str] = RESOLUTION, variables: Mapping[str, Any] | None = None, *more: str) -> Run:
        """Run ``dbt build`` without its tests; raises ``RuntimeError`` with dbt's words when it fails."""
        known = {path.stem for path in self.folder.glob("models/**/*") if path.suffix in (".sql", ".py")}
        chosen = [entry for entry in select if entry.strip("+") in known]
        command = [
            str(Path(sys.executable).with_name("dbt")), "build", "--select", *chosen,
            "--exclude-resource-type", "test", "unit_test",
            "--vars", json.dumps(dict(variables or {})), *more,
        ]  # fmt: skip
        log = self.home / "dbt.log"
        followed = follow(command, os.environ | self._environment(), log)
        if followed.code:
            raise RuntimeError(log.read_text(errors="replace")[-4000:])
        return Run.of(followed, self.home / "target" / "run_results.json")

    def table(self, sql: str) -> pl.DataFrame:
        """The rows that a statement gives over the warehouse; the functions of identifiers are known to it."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            register(connection)
            return pl.DataFrame(connection.sql(sql).to_arrow_table())

    def publish(self, names: Sequence[str] | None = None) -> None:
        """Publish tables of ``marts`` (all that stand), so that the next build knows ids and decisions of this one."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            register(connection)
            found = [
                name
                for (name,) in connection.execute(
                    "select table_name from information_schema.tables where table_schema = 'marts'"
                ).fetchall()
            ]
            tables = {
                name: connection.cursor().sql(f'select * from marts."{name}"').to_arrow_reader()
                for name in names or sorted(found)
            }
            self.lake.publish(tables, run_id=f"bench-{time.time_ns()}", syncs={})

    def _stage(self, source: str, tables: Mapping[str, pa.Table]) -> None:
        folder = self.folder / "models" / "staging" / source
        folder.mkdir(parents=True, exist_ok=True)
        listed = "".join(f"      - name: {shape}\n" for shape in tables)
        (folder / f"_{source}.yml").write_text(
            f"sources:\n  - name: {source}\n    schema: raw_{source}\n    tables:\n{listed}"
        )
        shapes = {shape: [f"stg_{source}__{shape}"] for shape in tables}
        macro = f"{{% macro shapes__{source}() %}}{{{{ return({shapes!r}) }}}}{{% endmacro %}}\n"
        (folder / f"_{source}__shapes.sql").write_text("{{ config(enabled=false) }}\n" + macro)
        for shape in tables:
            select = f"select * from {{{{ source('{source}', '{shape}') }}}}\n"
            (folder / f"stg_{source}__{shape}.sql").write_text(select)

    def _environment(self) -> dict[str, str]:
        return {
            "SNELLO_LAKE": str(self.home / "lake"),
            "SNELLO_WAREHOUSE": str(self.warehouse),
            "SNELLO_TODAY": TODAY,
            "SNELLO_SALT": "salt",
            "DBT_PROJECT_DIR": str(self.folder),
            "DBT_PROFILES_DIR": str(self.folder),
            "DBT_TARGET_PATH": str(self.home / "target"),
            "DBT_LOG_PATH": str(self.home / "logs"),
            "DBT_USE_COLORS": "false",
        }


def main() -> None:
    rows = [
        {"stream": "persons", "record_key": str(n), "full_name": f"Mario {name}", "email": f"m{n // 2}@posta.example"}
        for n, name in enumerate(("Rossi", "Bianchi", "Verdi", "Conti", "Gallo") * 2)
    ]
    with tempfile.TemporaryDirectory() as home:
        project = Project.over(Path(home), {"people": {"person_observed": pa.Table.from_pylist(rows)}})
        run = project.build()
        customers = project.table("select count(*) from marts.customers").item()
    print(f"{len(rows)} records, {customers} customers, {run.seconds:.1f} s, {run.peak_bytes / 2**20:,.0f} MB")
    print(run.slowest())


if __name__ == "__main__":
    main()
