"""Killed at random points a hundred times and resumed: the table equals the source, nothing is lost or there twice."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import duckdb
import pytest
from deltalake import DeltaTable

from snello.lake import Lake

KILLS = 25  # in each of four ways to load
ROWS = 800

# Imports once; then forks a loader for each line of JSON that it reads, and tells its pid.
FORGE = """
import json, os, sys, duckdb
from target_lake import TargetLake
print("ready", flush=True)
for line in sys.stdin:
    order = json.loads(line)
    pid = os.fork()
    if not pid:
        os.setsid()
        sys.stdout = open(order["output"], "w")
        with open(order["input"]) as source:
            TargetLake(config=order["config"], validate_config=False).listen(source)
        sys.stdout.flush()
        os._exit(0)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class Case:
    """A stream, and how a tap that read it comes back after a kill."""

    method: str
    keys: list[str]
    bookmarked: bool  # goes on after the last state; otherwise it sends everything again
    record: Callable[[int], dict[str, Any]]

    def expected(self) -> Counter[tuple[Any, ...]]:
        records = [self.record(number) for number in range(ROWS)]
        if self.keys and self.method == "upsert":
            records = list({record["id"]: record for record in records}.values())
        return Counter((record["id"], record["v"]) for record in records)


CASES = {
    "upsert": Case("upsert", ["id"], True, lambda n: {"id": n * 7 % 400, "v": f"v{n}"}),
    "append-only with keys": Case("append-only", ["id"], True, lambda n: {"id": n, "v": f"v{n}"}),
    "keyless, bookmarked": Case("append-only", [], True, lambda n: {"id": n, "v": f"v{n}"}),
    "keyless, equal rows, from the start": Case("upsert", [], False, lambda n: {"id": n % 500, "v": "same"}),
}


def messages(case: Case, first: int) -> Iterator[dict[str, Any]]:
    """What the tap sends when it goes on from record ``first``."""
    properties = {"id": {"type": "integer"}, "v": {"type": "string"}}
    yield {"type": "SCHEMA", "stream": "s", "key_properties": case.keys, "schema": {"properties": properties}}
    for number in range(first, ROWS):
        yield {"type": "RECORD", "stream": "s", "record": case.record(number)}
        if number % 50 == 49:
            yield {"type": "STATE", "value": {"next": number + 1}}


class Forge:
    """Starts loaders quickly and kills them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", FORGE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._line()

    def run(self, case: Case, first: int, kill_after: float | None) -> tuple[int, bool]:
        """Let a loader read from record ``first``: the record that the last state names, and whether it was killed."""
        given, told = self.folder / "input", self.folder / "output"
        given.write_text("".join(json.dumps(message) + "\n" for message in messages(case, first)))
        told.write_text("")
        config = {"root": str(self.folder / "lake"), "source": "x", "load_method": case.method, "batch_rows": 60}
        order = {"input": str(given), "output": str(told), "config": config}
        self._ask().write(json.dumps(order) + "\n")
        self._ask().flush()
        pid = int(self._line())
        if kill_after is not None:
            time.sleep(kill_after)
            with suppress(ProcessLookupError):  # it was quicker: that is a run too
                os.kill(pid, signal.SIGKILL)
        killed = self._line().strip() == str(-signal.SIGKILL)
        states = [line for line in told.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return int(json.loads(states[-1])["next"]) if states else first, killed

    def stop(self) -> None:
        self.process.communicate()

    def _ask(self) -> IO[str]:
        assert self.process.stdin is not None
        return self.process.stdin

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    forge = Forge(tmp_path_factory.mktemp("kill"))
    yield forge
    forge.stop()


def loaded(lake: Lake) -> Counter[tuple[Any, ...]]:
    if ("x", "s") not in lake.raw_tables():
        return Counter()
    return Counter(duckdb.sql(f"select id, v from ({lake.scan_sql(lake.raw_uri('x', 's'))})").fetchall())


def orphans(lake: Lake) -> set[str]:
    """Files in the table's folder that no version names."""
    folder = Path(lake.raw_uri("x", "s"))
    named = set()
    for log in (folder / "_delta_log").glob("*.json"):
        for line in log.read_text().splitlines():
            named |= {action["path"] for kind, action in json.loads(line).items() if kind in ("add", "remove")}
    assert {file.rsplit("/", 1)[-1] for file in DeltaTable(folder).file_uris()} <= named
    return {path.name for path in folder.rglob("*.parquet")} - named


@pytest.mark.parametrize("name", CASES)
def test_a_loader_killed_at_random_points_loses_nothing_and_doubles_nothing(
    name: str, forge: Forge, tmp_path: Path
) -> None:
    case, chance = CASES[name], random.Random(name)
    forge.folder = tmp_path
    began = time.monotonic()
    forge.run(case, 0, None)
    whole_run = time.monotonic() - began
    kills = 0
    for turn in itertools.count():
        forge.folder = tmp_path / f"turn{turn}"
        forge.folder.mkdir()
        lake = Lake(str(forge.folder / "lake"))
        reached, killed = 0, True
        while killed and kills < KILLS:
            before = reached
            reached, killed = forge.run(case, before if case.bookmarked else 0, chance.uniform(0, whole_run))
            kills += killed
            held = loaded(lake)
            assert {case.record(number)["id"] for number in range(reached)} <= {key for key, _ in held}
            assert reached >= before or not case.bookmarked
        forge.run(case, reached if case.bookmarked else 0, None)
        assert loaded(lake) == case.expected()
        assert not orphans(lake)
        if kills == KILLS:
            break
