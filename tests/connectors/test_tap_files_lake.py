"""tap-files into target-lake: killed on the way, in the end the lake holds every file once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from snello.lake import Lake

BIN = Path(sys.executable).parent
FILES, ROWS = 5, 1500


class Pipe:
    """``tap-files | target-lake``, with the state kept as Meltano keeps it: the last one that the target wrote."""

    def __init__(self, folder: Path, config: dict[str, Any]) -> None:
        self.folder, self.state = folder, folder / "state.json"
        (folder / "tap.json").write_text(json.dumps(config))
        (folder / "target.json").write_text(json.dumps({"root": str(folder / "lake"), "source": "tills"}))
        self.state.write_text("{}")

    def run(self, *, kill_at: tuple[str, int] | None = None, target_too: bool = False) -> tuple[int, int]:
        """One run; in the middle of the so many-th message of a kind, the tap, or both, are killed."""
        tap = subprocess.Popen(
            [BIN / "tap-files", "--config", self.folder / "tap.json", "--state", self.state],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        with (self.folder / "states").open("wb") as states:
            target = subprocess.Popen(
                [BIN / "target-lake", "--config", self.folder / "target.json"],
                stdin=subprocess.PIPE,
                stdout=states,
                stderr=subprocess.DEVNULL,
            )
        with tap, target:
            self._relay(tap, target, kill_at)
            if kill_at is not None and target_too:
                target.kill()
        if told := [line for line in (self.folder / "states").read_text().split("\n") if line.startswith("{")]:
            self.state.write_text(told[-1])
        return tap.returncode, target.returncode

    def _relay(
        self, tap: subprocess.Popen[bytes], target: subprocess.Popen[bytes], kill_at: tuple[str, int] | None
    ) -> None:
        assert tap.stdout is not None
        assert target.stdin is not None
        seen = 0
        for line in tap.stdout:
            seen += kill_at is not None and json.loads(line)["type"] == kill_at[0]
            if kill_at is not None and seen == kill_at[1]:
                target.stdin.write(line[: len(line) // 2])
                tap.kill()
                return
            target.stdin.write(line)

    def lives(self, stream: str) -> list[str]:
        """Ids of the rows that are not told gone."""
        return [row[0] for row in self.held(stream, "id, _deleted_at") if row[1] is None]

    def held(self, stream: str, columns: str) -> list[tuple[Any, ...]]:
        """Every row of a table of the lake, in order."""
        lake = Lake(str(self.folder / "lake"))
        rows = lake.scan_sql(lake.raw_uri("tills", stream))
        with duckdb.connect() as connection:
            return connection.execute(f"select {columns} from ({rows}) order by all").fetchall()


def write(folder: Path, till: int, version: int = 1, modified: float = 0) -> None:
    (folder / "drop").mkdir(exist_ok=True)
    file = folder / "drop" / f"{till}.csv"
    file.write_text("id,n\n" + "".join(f"{till}-{number},{version}\n" for number in range(ROWS)))
    os.utime(file, (modified or 1_000_000 + till, modified or 1_000_000 + till))


def batches(way: str, folder: Path) -> dict[str, Any]:
    storage = {"root": (folder / "batches").as_uri()}
    return {"batch_config": {"encoding": {"format": "parquet"}, "storage": storage}} if way == "BATCH" else {}


@pytest.mark.parametrize("way", ["RECORD", "BATCH"])
def test_killed_at_several_points_and_resumed_every_file_is_in_the_lake_once(way: str, tmp_path: Path) -> None:
    for till in range(FILES):
        write(tmp_path, till)
    shared = {"path": f"{tmp_path}/drop/*.csv", "format": "csv"}
    columns = [{"name": "id"}, {"name": "n", "type": "integer"}]
    files = [
        {"stream": "keyed", "keys": ["id"], "columns": columns, **shared},
        {"stream": "by_line", "columns": columns, **shared},
    ]
    pipe = Pipe(tmp_path, {"files": files} | batches(way, tmp_path))
    points = [2, ROWS + 7, 2 * FILES * ROWS - 1] if way == "RECORD" else [1, FILES + 2, 9]
    for number, point in enumerate(points):
        tap, _ = pipe.run(kill_at=(way, point), target_too=number % 2 == 1)
        assert tap == -9 or number > 0  # later on, less may be left to read than that
    write(tmp_path, FILES, modified=5)  # late: older than all that were read
    write(tmp_path, 0, version=2, modified=2_000_000)
    pipe.run(kill_at=("STATE", 1))
    assert pipe.run() == (0, 0)
    expected = sorted(
        (f"{till}-{number}", 2 if till == 0 else 1) for till in range(FILES + 1) for number in range(ROWS)
    )
    assert pipe.held("keyed", "id, n") == expected
    assert sorted(pipe.held("by_line", "id, n")) == expected
    before = pipe.held("keyed", "id, _sdc_extracted_at")
    assert pipe.run() == (0, 0)
    assert pipe.held("keyed", "id, _sdc_extracted_at") == before


@pytest.mark.parametrize("way", ["RECORD", "BATCH"])
def test_new_columns_and_rows_that_are_gone_reach_the_lake(way: str, tmp_path: Path) -> None:
    columns = [{"name": "id"}, {"name": "n", "type": "integer"}]
    file = {"stream": "cards", "path": f"{tmp_path}/cards.csv", "format": "csv", "keys": ["id"], "columns": columns}
    memory = {"memory": str(tmp_path / "memory")}
    pipe = Pipe(tmp_path, {"files": [file | {"whole": True}]} | memory | batches(way, tmp_path))
    (tmp_path / "cards.csv").write_text("id,n\na,1\nb,2\nc,3\n")
    assert pipe.run() == (0, 0)
    (tmp_path / "cards.csv").write_text("id,n,colour\na,1,red\nc,4,\n")
    assert pipe.run() == (0, 0)
    assert pipe.held("cards", "id, n, _extra, _deleted_at is not null") == [
        ("a", 1, '{"colour":"red"}', False),
        ("b", None, None, True),
        ("c", 4, None, False),
    ]


def test_what_a_killed_reading_of_a_full_file_sent_is_told_gone_by_the_next_file(tmp_path: Path) -> None:
    columns = [{"name": "id"}, {"name": "n", "type": "integer"}]
    file = {"stream": "cards", "path": f"{tmp_path}/cards.csv", "format": "csv", "keys": ["id"], "columns": columns}
    whole = {"whole": True, "deletes_at_most": 1}
    pipe = Pipe(tmp_path, {"files": [file | whole], "memory": str(tmp_path / "memory")})
    (tmp_path / "cards.csv").write_text("id,n\na,1\nb,2\n")
    assert pipe.run() == (0, 0)
    (tmp_path / "cards.csv").write_text("id,n\n" + "".join(f"x{number},1\n" for number in range(9)) + "a,1\n")
    pipe.run(kill_at=("RECORD", 5))
    assert pipe.lives("cards") == ["a", "b", "x0", "x1", "x2", "x3"]
    (tmp_path / "cards.csv").write_text("id,n\na,1\nc,2\n")
    assert pipe.run() == (0, 0)
    assert pipe.lives("cards") == ["a", "c"]


@pytest.mark.parametrize("way", ["RECORD", "BATCH"])
def test_of_two_people_under_one_key_the_first_is_in_the_lake_and_the_other_in_quarantine(
    way: str, tmp_path: Path
) -> None:
    columns = [{"name": "id"}, {"name": "name"}]
    file = {"stream": "members", "path": f"{tmp_path}/h.csv", "format": "csv", "keys": ["id"], "columns": columns}
    pipe = Pipe(tmp_path, {"files": [file]} | batches(way, tmp_path))
    (tmp_path / "h.csv").write_text("id,name\nh1,Carla\nh1,Dario\nh2,Ezio\nh1,Carla\n")
    assert pipe.run() == (0, 0)
    assert pipe.held("members", "id, name") == [("h1", "Carla"), ("h2", "Ezio")]
    assert pipe.held("_quarantine", "stream, position, reason, record") == [
        ("members", "h.csv:3", "its key is that of line 2", '{"id":"h1","name":"Dario"}')
    ]


@pytest.mark.parametrize("way", ["RECORD", "BATCH"])
def test_ten_million_characters_in_a_name_arrive(way: str, tmp_path: Path) -> None:
    columns = [{"name": "id"}, {"name": "name"}]
    file = {"stream": "members", "path": f"{tmp_path}/h.csv", "format": "csv", "keys": ["id"], "columns": columns}
    pipe = Pipe(tmp_path, {"files": [file]} | batches(way, tmp_path))
    (tmp_path / "h.csv").write_text(f"id,name\nh1,{'x' * 10_000_000}\nh2,Ezio\n")
    assert pipe.run() == (0, 0)
    assert pipe.held("members", "id, length(name)") == [("h1", 10_000_000), ("h2", 4)]
