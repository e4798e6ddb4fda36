"""A lake made by hand, story by story, and what dbt makes of it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import yaml
from deltalake import write_deltalake
from tests.transform.forked import Forked

PROJECT = Path(__file__).parents[2] / "transform"
STORIES = Path(__file__).parent / "stories"
TODAY = "2026-11-01"
RECENTLY = datetime(2026, 1, 1, tzinfo=UTC)

_TYPES: dict[str, pa.DataType] = {
    "varchar": pa.string(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
}

Rows = dict[str, list[dict[str, Any]]]

# What dbt makes of the project, and the note of what the project was, so that a hub need not start from nothing.
_KEPT = ("partial_parse.msgpack", "project_read")


def stories(folder: Path = STORIES) -> Rows:
    """The rows of every story, by ``source.stream``."""
    found: Rows = {}
    for path in sorted(folder.glob("*.yml")):
        for table, rows in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            found.setdefault(table, []).extend(rows)
    return found


def declared(project: Path = PROJECT) -> dict[str, dict[str, pa.DataType]]:
    """The columns of every raw table as the project's YAML declares them, by ``source.stream``."""
    found: dict[str, dict[str, pa.DataType]] = {}
    for path in sorted(project.glob("models/staging/*/_*.yml")):
        for source in yaml.safe_load(path.read_text(encoding="utf-8")).get("sources", []):
            for table in source["tables"] if source["schema"].startswith("raw_") else []:
                columns = {column["name"]: _arrow(column["data_type"]) for column in table["columns"]}
                found[f"{source['name']}.{table['name']}"] = columns
    return found


def _arrow(kind: str) -> pa.DataType:
    decimal = re.fullmatch(r"decimal\((\d+), (\d+)\)", kind)
    return pa.decimal128(int(decimal[1]), int(decimal[2])) if decimal else _TYPES[kind]


def write_lake(root: Path, rows: Rows, project: Path = PROJECT, order: int = 1) -> Path:
    """A lake with exactly the raw tables that the taps would load; ``order`` -1 turns every table round."""
    for table, columns in declared(project).items():
        if table.startswith("ledger."):
            continue
        source, stream = table.split(".")
        cells = [
            {name: _cell(row.get(name), kind, name) for name, kind in columns.items()} for row in rows.get(table, [])
        ]
        schema = pa.schema(list(columns.items()))
        write_deltalake(str(root / "raw" / source / stream), pa.Table.from_pylist(cells[::order], schema))
    return root


def _cell(value: Any, kind: pa.DataType, name: str) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value)
    if value is None and name in ("updated_at", "_sdc_extracted_at"):
        return RECENTLY
    if pa.types.is_decimal(kind) and value is not None:
        return Decimal(value)
    return value


@cache
def dbt() -> Forked:
    """The process that forks dbt for the tests of this worker."""
    return Forked()


@pytest.fixture(scope="session", autouse=True)
def _forked() -> Iterator[None]:
    yield
    if dbt.cache_info().currsize:
        dbt().close()


@dataclass(frozen=True)
class Hub:
    """One run of dbt over one lake."""

    lake: Path
    home: Path
    project: Path = PROJECT
    salt: str = "salt"
    parsed: Path | None = None  # a folder with what dbt made of the project

    def dbt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run dbt in a process of its own."""
        variables = {
            "SNELLO_LAKE": str(self.lake),
            # dbt parses everything anew where the warehouse has another name: the folder differs, the name does not
            "SNELLO_WAREHOUSE": "warehouse.duckdb",
            "SNELLO_TODAY": TODAY,
            "SNELLO_SALT": self.salt,
            "DBT_PROJECT_DIR": str(self.project),
            "DBT_PROFILES_DIR": str(self.project),
            "DBT_TARGET_PATH": str(self.home / "target"),
            "DBT_LOG_PATH": str(self.home / "logs"),
            "DBT_USE_COLORS": "false",
            # what is read of a build is in the warehouse; who publishes it asks with --write-json
            "DBT_WRITE_JSON": str(arguments[0] != "build"),
        }
        target = self.home / "target"
        if self.parsed and self.project == PROJECT and not (target / _KEPT[0]).exists():
            target.mkdir(exist_ok=True)
            for name in _KEPT:
                shutil.copyfile(self.parsed / name, target / name)
        return dbt().run(arguments, self.home, os.environ | variables)

    def make(self, *arguments: str) -> Hub:
        """Run dbt and insist that it passed."""
        done = self.dbt(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return self

    def query(self, sql: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows that a statement gives over the warehouse."""
        with duckdb.connect(str(self.home / "warehouse.duckdb"), read_only=True) as connection:
            return connection.execute(sql, list(parameters)).fetchall()

    def customer(self, record: str) -> str | None:
        """The customer of a record given as ``source/stream/key``."""
        found = self.query(
            "select customer_id from marts.customer_sources where source || '/' || stream || '/' || record_key = ?",
            [record],
        )
        return found[0][0] if found else None

    def customers(self, *records: str) -> list[str | None]:
        """The customers of several records."""
        return [self.customer(record) for record in records]

    def partition(self) -> set[frozenset[str]]:
        """Which records are together, whatever their customers are called."""
        grouped = self.query(
            "select list(source || '/' || stream || '/' || record_key) from marts.customer_sources group by customer_id"
        )
        return {frozenset(records) for (records,) in grouped}

    def ids(self) -> Mapping[str, str]:
        """The customer of every record."""
        return dict(
            self.query("select source || '/' || stream || '/' || record_key, customer_id from marts.customer_sources")
        )


@contextmanager
def first_of_all(factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, bool]]:
    """A folder of all workers of this run of pytest, and whether this one is the first here; the others wait for it."""
    base = factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = shared / f"{name}.done"
        is_first = not done.exists()
        (shared / name).mkdir(exist_ok=True)
        yield shared / name, is_first
        done.touch()


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what dbt makes of the project, parsed once for all workers."""
    with first_of_all(tmp_path_factory, "parsed") as (folder, is_first):
        if is_first:
            Hub(folder / "lake", folder).make("parse")
    return folder / "target"


@pytest.fixture(scope="session")
def make_hub(tmp_path_factory: pytest.TempPathFactory, parsed: Path) -> Callable[..., Hub]:
    """A hub over a lake of given rows, not built yet."""

    def make(rows: Rows | None = None, project: Path = PROJECT, order: int = 1) -> Hub:
        home = tmp_path_factory.mktemp("hub")
        lake = write_lake(home / "lake", stories() if rows is None else rows, project, order)
        return Hub(lake, home, project, parsed=parsed)

    return make


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory, parsed: Path) -> Hub:
    """The stories, built and tested whole, once for all workers: nobody writes to it."""
    with first_of_all(tmp_path_factory, "stories") as (folder, is_first):
        found = Hub(folder / "lake", folder, parsed=parsed)
        if is_first:
            write_lake(found.lake, stories())
            found.make("build")
    return found
