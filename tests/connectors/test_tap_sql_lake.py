"""tap-sql into target-lake, killed on the way: in the end the lake holds what the source holds."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from snello.lake import Lake

ROWS = 20_000
BIN = Path(sys.executable).parent
COLUMNS = "id, name, amount, updated_at"


class Pipe:
    """``tap-sql | target-lake``, with the state kept as Meltano keeps it: the last one that the target wrote."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        self.folder, self.state = folder, folder / "state.json"
        storage = {"root": (folder / "batches").as_uri()}
        batches = {"batch_config": {"encoding": {"format": "parquet"}, "storage": storage}}
        (folder / "tap.json").write_text(json.dumps(config | batches | {"batch_rows": 1000}))
        (folder / "target.json").write_text(json.dumps({"root": str(folder / "lake"), "source": "crm"}))
        self.state.write_text("{}")

    def run(self, *, kill: str = "", after_states: int = 0) -> int:
        """One run, in which one or both processes are killed once the target has written so many states."""
        tap = subprocess.Popen(
            [BIN / "tap-sql", "--config", self.folder / "tap.json", "--state", self.state],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        target = subprocess.Popen(
            [BIN / "target-lake", "--config", self.folder / "target.json"],
            stdin=tap.stdout,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        with tap, target:
            assert tap.stdout is not None
            assert target.stdout is not None
            tap.stdout.close()
            for number, line in enumerate(target.stdout):
                self.state.write_text(line)
                if kill and number >= after_states:
                    for name, process in (("tap", tap), ("target", target)):
                        if name in kill:
                            process.kill()
        return max(tap.returncode, target.returncode)

    def held(self) -> list[tuple[Any, ...]]:
        """Every row of the lake's table, in order."""
        lake = Lake(str(self.folder / "lake"))
        rows = lake.scan_sql(lake.raw_uri("crm", "people"))
        with duckdb.connect() as connection:
            return connection.execute(f"select {COLUMNS} from ({rows}) order by all").fetchall()


def source_rows(url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(f"select {COLUMNS} from people order by id".encode()).fetchall()


@pytest.mark.parametrize("replication", [{}, {"people": {"key": "updated_at"}}], ids=["whole", "incremental"])
def test_killed_at_random_points_and_resumed_the_lake_equals_the_source(
    replication: dict[str, Any], postgres: str, tmp_path: Path
) -> None:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(
            "create table people (id int primary key, name text, amount numeric(9, 2), updated_at timestamptz)"
        )
        connection.execute(
            "insert into people select i, 'n' || i, i / 7.0, timestamptz '2026-01-01' + (i / 500) * interval '1 hour' "
            f"from generate_series(1, {ROWS}) i".encode()
        )
        pipe = Pipe(tmp_path, {"url": postgres, "replication": replication})
        dice = random.Random(20_260_301)
        for kill in ("tap", "target", "tap and target"):
            pipe.run(kill=kill, after_states=dice.randrange(1, 9))
            if replication:
                connection.execute(
                    "update people set name = name || '!', updated_at = now() - interval '1 hour' "
                    "where id %% 1000 = %s",
                    [dice.randrange(1000)],
                )
    assert pipe.run() == 0
    assert pipe.run() == 0
    assert pipe.held() == source_rows(postgres)
    assert list((tmp_path / "batches").iterdir()) == []
