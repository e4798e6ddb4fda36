"""target-lake as a command: settings, exit codes, one sentence a fault."""

from __future__ import annotations

import json
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from snello.kit.testing import Run, run
from snello.lake import Lake
from target_lake import main

FEED = [
    {"type": "SCHEMA", "stream": "s", "key_properties": ["id"], "schema": {"properties": {"id": {"type": "integer"}}}},
    {"type": "RECORD", "stream": "s", "record": {"id": 1}},
    {"type": "STATE", "value": {"at": 1}},
]

Load = Callable[..., Run]


def lines(*messages: dict[str, Any]) -> str:
    return "".join(json.dumps(message) + "\n" for message in messages)


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Run the command on messages, with settings that differ from the usual ones (None: not set)."""

    def loaded(*messages: dict[str, Any], **settings: Any) -> Run:
        (tmp_path / "feed").write_text(lines(*messages))
        config = {"root": str(tmp_path / "lake"), "source": "x"} | settings
        given = {name: value for name, value in config.items() if value is not None}
        done = run(main, given, "--input", str(tmp_path / "feed"))
        assert "Traceback" not in done.err
        return done

    return loaded


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The command as a process that waits for lines and commits within a fifth of a second."""
    config = {"root": str(tmp_path / "lake"), "source": "x", "batch_seconds": 0.2}
    (tmp_path / "config.json").write_text(json.dumps(config))
    words = ["target-lake", "--config", str(tmp_path / "config.json")]
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=null, text=True) as started:
        yield started


def ids(tmp_path: Path) -> list[int]:
    lake = Lake(str(tmp_path / "lake"))
    return [row[0] for row in duckdb.sql(f"select id from ({lake.scan_sql(lake.raw_uri('x', 's'))})").fetchall()]


def test_it_loads_tells_the_state_and_exits_well(load: Load, tmp_path: Path) -> None:
    done = load(*FEED)
    assert (done.code, done.out) == (0, '{"at": 1}\n')
    assert ids(tmp_path) == [1]
    assert "s: 1 rows in, 0 refused" in done.last_line


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"source": None}, "setting source is missing"),
        ({"load_method": "merge"}, "setting load_method"),
        ({"sorce": "x"}, "did you mean 'source'?"),
        ({"streams": {"s": {"method": "upsert"}}}, "streams.s"),
        ({"batch_rows": 0}, "batch_rows"),
    ],
)
def test_a_wrong_setting_is_named_and_exits_with_2(load: Load, settings: dict[str, Any], told: str) -> None:
    done = load(*FEED, **settings)
    assert done.code == 2
    assert told in done.last_line
    assert ". Next: " in done.last_line


def test_without_a_root_the_lake_of_the_hub_is_meant(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "meltano.yml").write_text("environments: []")
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path))
    monkeypatch.setenv("SNELLO_LAKE", "lake")
    assert load(*FEED, root=None).code == 0
    assert ids(tmp_path) == [1]


def test_a_full_disk_exits_with_4_and_the_next_run_goes_on(load: Load, tmp_path: Path) -> None:
    records = [{"type": "RECORD", "stream": "s", "record": {"id": n * 7919 % 1_000_003}} for n in range(30_000)]
    many = [FEED[0], *records, {"type": "STATE", "value": {"at": 2}}]
    load(*FEED)
    given = resource.getrlimit(resource.RLIMIT_FSIZE)
    (tmp_path / "feed").write_text(lines(*many))
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, given[1]))
    try:
        config = {"root": str(tmp_path / "lake"), "source": "x"}
        full = run(main, config, "--input", str(tmp_path / "feed"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, given)
    assert (full.code, full.out) == (4, "")
    assert "no space left on the disk of the lake. Next: free some" in full.last_line
    assert ids(tmp_path) == [1]
    again = load(*many)
    assert (again.code, again.out) == (0, '{"at": 2}\n')
    assert len(ids(tmp_path)) == 30_001


def test_a_disagreement_about_types_exits_with_3(load: Load) -> None:
    load(*FEED)
    done = load({**FEED[0], "schema": {"properties": {"id": {"type": "boolean"}}}})
    assert done.code == 3
    assert "column 'id' is int64 in the lake and bool now. Next: " in done.last_line


def test_refused_rows_exit_with_5_when_asked_to(load: Load) -> None:
    bad = {"type": "RECORD", "stream": "s", "record": {"id": "x"}}
    assert load(*FEED, bad).code == 0
    done = load(*FEED, bad, fail_on_refused=True)
    assert done.code == 5
    assert done.last_line == "target-lake: 1 rows refused. Next: read raw/x/_quarantine in the lake."


def test_a_lake_that_is_no_folder_is_told(load: Load, tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("a file where the lake should be")
    done = load(*FEED)
    assert done.code == 2
    assert "the lake may not be written. Next: " in done.last_line


def test_a_row_is_committed_and_told_while_the_tap_says_nothing(process: subprocess.Popen[str], tmp_path: Path) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(lines(*FEED))
    process.stdin.flush()
    assert process.stdout.readline() == '{"at": 1}\n'
    assert ids(tmp_path) == [1]


def test_a_termination_keeps_what_is_committed_and_leaves_nothing_half(
    process: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(lines(*FEED))
    process.stdin.flush()
    process.stdout.readline()
    process.terminate()
    assert process.wait() == 130
    assert ids(tmp_path) == [1]
    assert list((tmp_path / "lake" / "raw" / "x" / "s" / "_writers").iterdir()) == []
