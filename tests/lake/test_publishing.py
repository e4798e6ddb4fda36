"""Publishing: readers see one whole manifest, whoever publishes, and what did not change is not written."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from snello.errors import ContractError, RetryLater
from snello.lake import Lake
from snello.lake.publishing import ContentHash

CUSTOMERS = pa.table({"customer_id": ["a", "b"], "n": [1, 2]})


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def test_what_is_published_is_read_back_whole_or_by_column(lake: Lake) -> None:
    lake.publish({"customers": CUSTOMERS, "activation/brevo__x": CUSTOMERS}, run_id="r1", syncs={"s": {"a": 1}})
    assert lake.published("customers") == CUSTOMERS
    assert lake.published("activation/brevo__x", ["n"]) == CUSTOMERS.select(["n"])
    assert duckdb.sql(lake.published_sql("customers")).fetchall() == [("a", 1), ("b", 2)]
    manifest = lake.manifest()
    assert manifest is not None
    assert (manifest.run_id, manifest.syncs) == ("r1", {"s": {"a": 1}})
    assert manifest.tables["customers"].rows == 2


def test_before_the_first_publication_there_is_no_manifest_and_reading_tells_what_to_run(lake: Lake) -> None:
    assert lake.manifest() is None
    with pytest.raises(ContractError, match=r"table 'customers' is not published\. Next: run `meltano run unify`"):
        lake.published("customers")


def test_tables_and_syncs_that_are_not_named_stay(lake: Lake) -> None:
    lake.publish({"a": CUSTOMERS, "b": CUSTOMERS}, run_id="r1", syncs={"s": {}})
    lake.publish({"b": CUSTOMERS.slice(1)}, run_id="r2")
    manifest = lake.manifest()
    assert manifest is not None
    assert {name: ref.rows for name, ref in manifest.tables.items()} == {"a": 2, "b": 1}
    assert (manifest.run_id, manifest.syncs) == ("r2", {"s": {}})


def test_unchanged_content_keeps_its_version_whatever_the_order_of_rows(lake: Lake) -> None:
    first = lake.publish({"customers": CUSTOMERS}, run_id="r1")
    again = lake.publish({"customers": CUSTOMERS.take([1, 0])}, run_id="r2")
    assert again.tables["customers"] == first.tables["customers"]
    assert DeltaTable(lake.published_uri("customers")).version() == first.tables["customers"].version
    assert len(list(Path(lake.published_uri("customers")).glob("*.parquet"))) == 1


@pytest.mark.parametrize(
    "changed",
    [
        CUSTOMERS.set_column(1, "n", pa.array([1, 3])),
        CUSTOMERS.slice(1),
        pa.concat_tables([CUSTOMERS, CUSTOMERS]),
        CUSTOMERS.rename_columns(["customer_id", "m"]),
        CUSTOMERS.set_column(1, "n", pa.array([1.0, 2.0])),
        CUSTOMERS.set_column(1, "n", pa.array([2, 1])),
        CUSTOMERS.slice(0, 0),
    ],
    ids=["a value", "fewer rows", "each row twice", "a name", "a type", "values swapped", "no row"],
)
def test_any_change_makes_a_new_version(lake: Lake, changed: pa.Table) -> None:
    before = lake.publish({"customers": CUSTOMERS}, run_id="r1").tables["customers"]
    after = lake.publish({"customers": changed}, run_id="r2").tables["customers"]
    assert after.version > before.version
    assert lake.published("customers") == changed


def test_codes_that_differ_in_two_letters_alone_are_two_contents(lake: Lake) -> None:
    codes = {f"RSSMRA8{digit}A01H501{letter}" for digit in "0123456789" for letter in "ABCDEFGHIJ"}
    versions = set()
    for code in sorted(codes):
        content = ContentHash(pa.schema({"tax_code": pa.string()}))
        content.add(pa.table({"tax_code": [code]}))
        versions.add(content.text())
    assert len(versions) == len(codes)


def test_a_stream_of_batches_is_published_like_a_table(lake: Lake) -> None:
    first = lake.publish({"t": CUSTOMERS}, run_id="r1").tables["t"]
    reader = pa.RecordBatchReader.from_batches(CUSTOMERS.schema, CUSTOMERS.to_batches(max_chunksize=1))
    assert lake.publish({"t": reader}, run_id="r2").tables["t"] == first


def test_types_that_the_lake_does_not_keep_become_those_it_does(lake: Lake) -> None:
    table = pa.table(
        {
            "big": pa.array([2**63], pa.uint64()),
            "small": pa.array([1], pa.uint8()),
            "word": pa.array(["x"]).dictionary_encode(),
            "long": pa.array(["x"], pa.large_string()),
            "nothing": pa.array([None]),
            "seconds": pa.array([0], pa.timestamp("s", "Europe/Rome")),
            "nested": pa.array([[{"a": "x"}]], pa.large_list(pa.struct([("a", pa.large_string())]))),
        }
    )
    lake.publish({"t": table}, run_id="r")
    found = lake.published("t")
    assert found.schema.types == [
        pa.decimal128(20, 0), pa.int64(), pa.string(), pa.string(), pa.string(), pa.timestamp("us", "UTC"),
        pa.list_(pa.struct([("a", pa.string())])),
    ]  # fmt: skip
    assert found.column("nested").to_pylist() == [[{"a": "x"}]]


def test_a_reader_holds_on_to_the_version_that_the_manifest_named(lake: Lake) -> None:
    lake.publish({"t": CUSTOMERS}, run_id="r1")
    statement = lake.published_sql("t")
    lake.publish({"t": CUSTOMERS.slice(1)}, run_id="r2")
    assert duckdb.sql(statement).fetchall() == [("a", 1), ("b", 2)]


def test_readers_during_publications_always_see_one_whole_set(lake: Lake) -> None:
    lake.publish({"x": pa.table({"n": [0]}), "y": pa.table({"n": [0]})}, run_id="0")
    done = threading.Event()
    seen: list[tuple[str, int, int]] = []

    def read() -> None:
        while not done.is_set():
            manifest = lake.manifest()
            assert manifest is not None
            x, y = (DeltaTable(manifest.tables[name].path, manifest.tables[name].version) for name in "xy")
            seen.append((manifest.run_id, *(t.to_pyarrow_table()["n"][0].as_py() for t in (x, y))))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(1, 15):
        lake.publish({name: pa.table({"n": [number]}) for name in "xy"}, run_id=str(number))
    done.set()
    for reader in readers:
        reader.join()
    assert {(int(run), x, y) for run, x, y in seen} <= {(n, n, n) for n in range(15)}
    assert len({run for run, _, _ in seen}) > 1


PUBLISH = """
import sys, pyarrow as pa
from snello.lake import Lake
lake, name = Lake(sys.argv[1]), sys.argv[2]
for number in range(5):
    lake.publish({name: pa.table({"n": [number]}), "shared": pa.table({"by": [name], "n": [number]})}, run_id=name)
"""


def test_publications_of_several_processes_at_once_are_merged(lake: Lake) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", PUBLISH, lake.root, name]) for name in "abc"]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert [lake.published(name).to_pylist() for name in "abc"] == [[{"n": 4}]] * 3
    assert lake.published("shared").num_rows == 1


def test_a_manifest_of_another_making_is_told(lake: Lake) -> None:
    folder = Path(lake.root) / "published"
    folder.mkdir(parents=True)
    for text in ("{", "[]", '{"tables": {"t": {"colour": 1}}}'):
        (folder / "manifest.json").write_text(text)
        with pytest.raises(ContractError, match="not a manifest of this version"):
            lake.manifest()


@pytest.mark.parametrize("damage", [None, "", '{"tables": {'])
def test_a_manifest_that_is_lost_or_damaged_is_read_from_its_copy(lake: Lake, damage: str | None) -> None:
    before = lake.publish({"t": CUSTOMERS}, run_id="r1")
    file = Path(lake.root) / "published" / "manifest.json"
    file.unlink() if damage is None else file.write_text(damage)
    assert lake.manifest() == before
    lake.publish({"u": CUSTOMERS}, run_id="r2")
    assert sorted(json.loads(file.read_text())["tables"]) == ["t", "u"]


def test_a_publication_that_fails_leaves_the_manifest_as_it_was(lake: Lake) -> None:
    before = lake.publish({"t": CUSTOMERS}, run_id="r1")

    def broken() -> pa.RecordBatchReader:
        def batches() -> object:
            yield from CUSTOMERS.slice(1).to_batches()
            raise RetryLater("source", "gone", "wait")

        return pa.RecordBatchReader.from_batches(CUSTOMERS.schema, batches())

    with pytest.raises(RetryLater):
        lake.publish({"u": CUSTOMERS, "t": broken()}, run_id="r2")
    assert lake.manifest() == before
    assert lake.published("t") == CUSTOMERS
    assert len(list(Path(lake.published_uri("t")).glob("*.parquet"))) == 1


def test_the_lake_may_be_moved(lake: Lake, tmp_path: Path) -> None:
    lake.publish({"t": CUSTOMERS}, run_id="r1")
    moved = Path(lake.root).rename(tmp_path / "moved")
    assert Lake(str(moved)).published("t") == CUSTOMERS
