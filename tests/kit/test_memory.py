"""What a stream held when it was last read whole."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snello.errors import ConfigError
from snello.kit.memory import ABANDONED_SECONDS, SCHEMA, Memory, compared, fingerprints, memory_root

READING = st.dictionaries(st.text(max_size=3), st.integers(0, 3), max_size=12)


def reading(rows: dict[str, int]) -> pa.Table:
    return pa.table([list(rows), list(rows.values())], schema=SCHEMA)


def kept(memory: Memory, *keys: str) -> str:
    with memory.keep() as keeper:
        keeper.add(pa.array(keys, pa.string()), fingerprints([key.encode() for key in keys]))
        return keeper.close()


def generations(folder: Path) -> set[str]:
    return {path.stem for path in folder.rglob("*.parquet")}


@given(READING, READING)
def test_what_is_new_changed_and_gone_is_what_sets_say(before: dict[str, int], now: dict[str, int]) -> None:
    found = compared(reading(before), reading(now))
    assert set(found.new.to_pylist()) == now.keys() - before.keys()
    assert set(found.changed.to_pylist()) == {key for key in now.keys() & before.keys() if now[key] != before[key]}
    assert set(found.gone.to_pylist()) == before.keys() - now.keys()


def test_without_a_reading_before_everything_is_new_and_nothing_gone() -> None:
    found = compared(None, reading({"[1]": 5}))
    assert (found.new.to_pylist(), found.changed.to_pylist(), found.gone.to_pylist()) == (["[1]"], [], [])


def test_a_key_that_comes_twice_is_told_once_and_never_gone_while_one_row_is_left() -> None:
    before = pa.table([["[1]", "[1]", "[2]"], [1, 1, 1]], schema=SCHEMA)
    now = pa.table([["[1]", "[3]", "[3]"], [1, 1, 2]], schema=SCHEMA)
    found = compared(before, now)
    assert (found.new.to_pylist(), found.changed.to_pylist(), found.gone.to_pylist()) == (["[3]"], [], ["[2]"])


def test_rows_of_the_same_bytes_have_the_same_fingerprint_and_others_have_not() -> None:
    one, two, again = fingerprints([b"a", b"b", b"a"]).to_pylist()
    assert one == again != two
    assert fingerprints([]).type == pa.int64()


def test_a_reading_is_recalled_as_it_was_kept(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path), "account 1", "orders")
    with memory.keep() as keeper:
        for key in ("[1]", '["à",null]'):
            keeper.add(pa.array([key]), fingerprints([key.encode()]))
        name = keeper.close()
    found = Memory(str(tmp_path), "account 1", "orders").recall(name)
    assert found is not None
    assert found.column("key").to_pylist() == ["[1]", '["à",null]']
    assert found.schema == SCHEMA


def test_memories_are_in_the_state_folder_unless_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path))
    assert memory_root(None) == str(tmp_path / "memory")
    assert memory_root("s3://bucket/memory") == "s3://bucket/memory"


def test_an_empty_reading_is_a_reading(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path), "p", "orders")
    found = memory.recall(kept(memory))
    assert found is not None
    assert found.num_rows == 0


def test_a_reading_that_is_not_closed_has_never_been(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path), "p", "orders")
    with memory.keep() as keeper:
        keeper.add(pa.array(["[1]"]), fingerprints([b"1"]))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_accounts_and_streams_do_not_see_each_other(tmp_path: Path) -> None:
    name = kept(Memory(str(tmp_path), "account 1", "a/b"), "[1]")
    for pipeline, stream in (("account 2", "a/b"), ("account 1", "a-b"), ("account 1", "orders")):
        assert Memory(str(tmp_path), pipeline, stream).recall(name) is None


def test_neither_the_account_nor_other_users_come_near_the_files(tmp_path: Path) -> None:
    kept(Memory(str(tmp_path), "anna@example.org", "orders"), "[1]")
    [file] = tmp_path.rglob("*.parquet")
    assert "anna" not in str(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_reading_that_is_unknown_gone_or_damaged_is_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    memory = Memory(str(tmp_path), "p", "orders")
    name = kept(memory, "[1]")
    assert memory.recall(None) is None
    assert memory.recall("../../secret") is None
    [file] = tmp_path.rglob("*.parquet")
    file.write_bytes(b"PAR1 cut off")
    assert memory.recall(name) is None
    assert "memory: orders: the last reading is damaged; everything counts as new" in caplog.text
    file.unlink()
    assert memory.recall(name) is None
    assert "memory: orders: the last reading is gone; everything counts as new" in caplog.text


def test_pruning_leaves_the_current_reading_and_the_two_before_it(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path), "p", "orders")
    memory.prune(None)
    names = [kept(memory, "[1]") for _ in range(6)]
    memory.prune(names[4])
    assert generations(tmp_path) == set(names[2:5])
    memory.prune(None)
    assert generations(tmp_path) == set(names[3:5])


def test_pruning_removes_drafts_of_killed_runs_and_no_others(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path), "p", "orders")
    with memory.keep() as old, memory.keep() as fresh:
        [draft] = tmp_path.rglob(f"{old._name}.*.part")
        os.utime(draft, (0, draft.stat().st_mtime - 2 * ABANDONED_SECONDS))
        memory.prune(None)
        assert [path.name.split(".")[0] for path in tmp_path.rglob("*.part")] == [fresh._name]


def test_a_memory_may_be_in_an_object_store() -> None:
    memory = Memory("memory://store/state", "p", "orders")
    names = [kept(memory, "[1]") for _ in range(4)]
    memory.prune(names[-1])
    files = fsspec.filesystem("memory")
    assert len(files.glob("/store/state/**/*.parquet")) == 3
    found = memory.recall(names[-1])
    assert found is not None
    assert found.column("key").to_pylist() == ["[1]"]


def test_a_place_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError) as fault:
        Memory(str(tmp_path / "file"), "p", "orders").keep()
    assert str(fault.value) == (
        "memory: orders: the memory cannot be used (ENOTDIR). Next: name a folder to write in as setting memory."
    )
    with pytest.raises(ConfigError, match="setting memory names no place"):
        Memory("nowhere://x", "p", "orders")
