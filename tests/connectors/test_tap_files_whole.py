"""Full files: the newest is the whole truth, and what it no longer has is told gone."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snello.kit.testing import Run, run
from tap_files import main

COLUMNS = [{"name": "shop"}, {"name": "day", "type": "date"}, {"name": "n", "type": "integer"}]


class Dump:
    """A folder of daily full files, and the state of the pipeline that reads them."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder, self.day = folder, 0
        self.state: Any = None
        self.entry = {
            "stream": "rows",
            "path": f"{folder}/*.csv",
            "format": "csv",
            "keys": ["shop", "day"],
            "columns": COLUMNS,
            "whole": True,
        } | changes
        self.settings: dict[str, Any] = {"memory": str(folder / "memory")}

    def write(self, *rows: str, name: str = "", modified: float = 0) -> Path:
        """Today's file; a row is the name of a shop, or a whole line."""
        self.day += 1
        file = self.folder / f"{name or self.day}.csv"
        lines = [row if "," in row else f"{row},2026-01-01,1" for row in rows]
        file.write_text("\n".join(["shop,day,n", *lines]) + "\n")
        moment = modified or 1_700_000_000 + self.day
        os.utime(file, (moment, moment))
        return file

    def run(self, keep: bool = True) -> Run:
        done = run(main, {"files": [self.entry]} | self.settings, state=self.state)
        self.state = done.state if keep else self.state
        return done


def living(done: Run) -> list[str]:
    return [row["shop"] for row in done.records("rows") if row["_deleted_at"] is None]


def gone(done: Run) -> list[str]:
    return [row["shop"] for row in done.records("rows") if row["_deleted_at"] is not None]


@pytest.fixture
def dump(tmp_path: Path) -> Dump:
    return Dump(tmp_path)


def test_rows_that_the_newest_file_no_longer_has_are_told_gone_with_their_keys_alone(dump: Dump) -> None:
    dump.write("a", "b", "c")
    assert (living(dump.run()), dump.state["bookmarks"]["rows"]["whole"]["modified"]) == (
        ["a", "b", "c"],
        1_700_000_001,
    )
    dump.write("a", "c", "d")
    second = dump.run()
    assert (living(second), gone(second)) == (["a", "c", "d"], ["b"])
    [tombstone] = [row for row in second.records("rows") if row["_deleted_at"]]
    moment = datetime.fromisoformat(tombstone.pop("_deleted_at"))
    assert moment.utcoffset() is not None
    assert tombstone == {
        "shop": "b",
        "day": "2026-01-01",
        "n": None,
        "_sdc_file": None,
        "_sdc_line": None,
        "_extra": None,
    }
    third = dump.run()
    assert third.records("rows") == []


def test_the_schema_always_names_the_column(dump: Dump) -> None:
    schema = dump.run().schema("rows")["schema"]
    assert schema["properties"]["_deleted_at"]["type"] == ["string", "null"]
    assert schema["properties"]["_deleted_at"]["format"] == "date-time"
    assert schema["required"] == ["shop", "day"]


def test_batches_hold_the_tombstones_too(dump: Dump) -> None:
    storage = {"root": str(dump.folder / "batches")}
    dump.settings["batch_config"] = {"encoding": {"format": "parquet"}, "storage": storage}
    dump.write("a", "b", "c")
    dump.run()
    dump.write("a", "b")
    done = dump.run()
    files = [url for each in done.messages if each["type"] == "BATCH" for url in each["manifest"]]
    table = pa.concat_tables([pq.read_table(unquote(urlsplit(file).path)) for file in files])
    assert [(row["shop"], row["_deleted_at"] is not None) for row in table.to_pylist()] == [
        ("a", False),
        ("b", False),
        ("c", True),
    ]


def test_a_row_that_comes_back_lives_again(dump: Dump) -> None:
    for rows in (("a", "b", "c"), ("a", "b"), ("a", "b", "c")):
        dump.write(*rows)
        done = dump.run()
    assert (living(done), gone(done)) == (["a", "b", "c"], [])


def test_of_several_files_that_wait_only_the_newest_is_read(dump: Dump) -> None:
    dump.write("a", "b", "c")
    dump.run()
    dump.write("a", "b", "c", "d")
    dump.write("b", "c", "e")
    done = dump.run()
    assert (living(done), gone(done)) == (["b", "c", "e"], ["a"])


def test_an_older_file_that_arrives_late_changes_nothing(dump: Dump) -> None:
    file = dump.write("a", "b")
    dump.run()
    dump.write("x", "y", name="0", modified=1_600_000_000)
    assert dump.run().records("rows") == []
    file.unlink()
    assert dump.run().records("rows") == []


def test_one_file_that_is_replaced_every_day_is_compared_with_itself(dump: Dump) -> None:
    dump.write("a", "b", "c", name="all")
    dump.run()
    dump.write("a", "c", name="all")
    assert gone(dump.run()) == ["b"]


def test_more_rows_gone_than_agreed_means_none_until_a_file_is_whole_again(dump: Dump) -> None:
    dump.write("a", "b", "c", "d", "e")
    dump.run()
    dump.write("a", "b")
    half = dump.run()
    assert (half.code, living(half), gone(half)) == (0, ["a", "b"], [])
    assert (
        "tap-files: rows: 2.csv: 3 of 5 rows are gone, more than deletes_at_most allows; none is told gone. "
        "Next: check that the file is complete, or raise deletes_at_most" in half.err
    )
    dump.write("a", "b", "c", "d")
    assert gone(dump.run()) == ["e"]


def test_an_empty_file_is_no_news_that_all_are_gone_unless_that_is_agreed(dump: Dump) -> None:
    dump.write("a", "b")
    dump.run()
    dump.write()
    assert gone(dump.run()) == []
    dump.entry["deletes_at_most"] = 1
    dump.write("c")
    assert sorted(gone(dump.run())) == ["a", "b"]


def test_a_row_that_is_refused_is_still_there(dump: Dump) -> None:
    dump.write("a", "b", "c", "d")
    dump.run()
    dump.write("a", "b,2026-01-01,many", "c")
    done = dump.run()
    assert (living(done), gone(done)) == (["a", "c"], ["d"])


def test_while_a_row_has_no_key_that_can_be_read_none_is_told_gone(dump: Dump) -> None:
    dump.write("a", "b", "c", "d")
    dump.run()
    dump.write("a", "b,yesterday,1", "c", "d,2026-01-01,1,2")
    done = dump.run()
    assert (living(done), gone(done)) == (["a", "c"], [])
    assert "2.csv: 2 rows hold no key that can be read, so no row is told gone. Next: mend the file" in done.err
    dump.write("a", "b", "c")
    assert gone(dump.run()) == ["d"]


def test_a_file_that_cannot_be_read_to_its_end_sends_no_row_and_tells_none_gone(dump: Dump) -> None:
    dump.entry |= {"format": "xml", "record": "r/row", "path": f"{dump.folder}/*.xml"}

    def write(day: int, text: str) -> None:
        (dump.folder / f"{day}.xml").write_text(text)
        os.utime(dump.folder / f"{day}.xml", (day, day))

    rows = [f"<row><shop>{name}</shop><day>2026-01-01</day></row>" for name in "abc"]
    write(1, f"<r>{''.join(rows)}</r>")
    dump.run()
    write(2, f"<r>{''.join(rows[:2])}")
    cut = dump.run()
    assert (cut.code, cut.records("rows")) == (3, [])
    write(3, f"<r>{''.join(rows[:2])}</r>")
    assert gone(dump.run()) == ["c"]


def test_a_run_whose_state_was_lost_compares_with_what_its_state_speaks_of(dump: Dump) -> None:
    dump.write("a", "b", "c")
    dump.run()
    dump.write("a", "b")
    assert gone(dump.run(keep=False)) == ["c"]
    assert gone(dump.run()) == ["c"]
    dump.write("a", "b", "d")
    assert gone(dump.run()) == []


def test_a_memory_that_is_lost_tells_no_row_gone_and_says_so(dump: Dump) -> None:
    dump.write("a", "b", "c")
    dump.run()
    for file in (dump.folder / "memory").rglob("*.parquet"):
        file.unlink()
    dump.write("a", "b")
    done = dump.run()
    assert (living(done), gone(done)) == (["a", "b"], [])
    assert "the last reading is gone" in done.err
    dump.write("a")
    assert gone(dump.run()) == ["b"]


def test_whole_needs_keys(dump: Dump) -> None:
    for keys in ([], ["_sdc_file", "_sdc_line"]):
        dump.entry["keys"] = keys
        done = dump.run()
        assert (done.code, "whole needs keys. Next: name the columns that identify a row" in done.last_line) == (
            2,
            True,
        )
