"""A small dbt project over a lake of one shop, run by the real dbt."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from hypothesis import settings

from snello.lake import Lake

settings.register_profile("no clock", deadline=None)  # a slow machine is not a fault
settings.load_profile("no clock")


@dataclass(frozen=True)
class Hub:
    """A project of its own: dbt files, lake and warehouse in one folder."""

    folder: Path

    @property
    def lake(self) -> Lake:
        return Lake(str(self.folder / "lake"))

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse.duckdb"

    @property
    def target(self) -> Path:
        return self.folder / "project" / "target"

    def load(self, stream: str, rows: pa.Table) -> None:
        write_deltalake(self.lake.raw_uri("shop", stream), rows, mode="overwrite")

    def dbt(self, *arguments: str, lake: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SNELLO_", "DBT_"))}
        mine = {
            "SNELLO_LAKE": self.lake.root if lake is None else lake,
            "SNELLO_WAREHOUSE": str(self.warehouse),
            "DO_NOT_TRACK": "1",
        }
        dbt = Path(sys.executable).with_name("dbt")
        return subprocess.run(
            [str(dbt), "--no-use-colors", *arguments],
            cwd=self.folder / "project",
            env=kept | mine | more,
            capture_output=True,
            text=True,
            check=False,
        )


def new_hub(folder: Path) -> Hub:
    """The project, and a lake in which customers have arrived and orders have not."""
    shutil.copytree(
        Path(__file__).parent / "project", folder / "project", ignore=shutil.ignore_patterns("target", "logs")
    )
    hub = Hub(folder)
    hub.load("customers", pa.table({"id": [1, 2, 3], "email": [" Anna@Example.IT ", "n/a", None]}))
    return hub


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Hub, str]:
    """A hub after its first whole build, and what dbt said; not to be changed."""
    hub = new_hub(tmp_path_factory.mktemp("hub"))
    run = hub.dbt("build", "--exclude", "tag:measure")
    assert run.returncode == 0, run.stdout
    return hub, run.stdout


@pytest.fixture
def built(built_once: tuple[Hub, str], tmp_path: Path) -> Hub:
    """A hub of its own after the first whole build."""
    folder = tmp_path / "hub"
    shutil.copytree(built_once[0].folder, folder)
    return Hub(folder)
