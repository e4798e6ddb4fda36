"""Records of people who were erased, as they arrive: by lines, by files, without keys, and such that fit no column."""

from __future__ import annotations

import io
import json
import logging
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snello.activation import Ledger
from snello.activation.tombstones import Tombstone, bury, to_lake
from snello.errors import ConfigError
from snello.kit.loader.run import Plan, Run
from snello.kit.loader.stream import Method
from snello.lake import Lake
from snello.lake.scan import open_table

SALT, NOW = "salt", datetime(2026, 1, 1, tzinfo=UTC)
SCHEMA = {"id": {"type": ["integer", "null"]}, "name": {"type": ["string", "null"]}, "age": {"type": "integer"}}


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake in which number 1 of the CRM's people was erased."""
    (tmp_path / "meltano.yml").write_text("project_id: test\n")
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path))
    monkeypatch.setenv("SNELLO_SALT", SALT)
    made = Lake(str(tmp_path / "lake"))
    stones(made, tmp_path, Tombstone.of_record("crm", "people", "1", SALT))
    return made


def stones(lake: Lake, folder: Path, *given: Tombstone) -> None:
    ledger = Ledger(f"sqlite:///{folder / 'ledger.db'}")
    with ledger.engine.begin() as connection:
        bury(connection, given, "e1", NOW, SALT)
    to_lake(ledger, lake, "e1")
    ledger.close()


def load(lake: Lake, *messages: dict[str, Any], source: str = "crm", method: Method = "upsert") -> Run:
    run = Run(Plan(lake, source, method), f"r{len(list(Path(lake.root).rglob('*')))}", logging.getLogger())
    with redirect_stdout(io.StringIO()):
        run.read(io.BytesIO(b"".join(json.dumps(message).encode() + b"\n" for message in messages)))
        run.finish()
    return run


def people(*rows: dict[str, Any], keys: tuple[str, ...] = ("id",), stream: str = "people") -> list[dict[str, Any]]:
    schema = {"type": "SCHEMA", "stream": stream, "key_properties": list(keys), "schema": {"properties": SCHEMA}}
    return [schema, *({"type": "RECORD", "stream": stream, "record": row} for row in rows)]


def ids(lake: Lake, source: str = "crm", stream: str = "people") -> list[int]:
    return sorted(open_table(lake.raw_uri(source, stream)).to_pyarrow_table()["id"].to_pylist())


@pytest.mark.parametrize("method", ["upsert", "append-only", "overwrite"])
def test_a_record_with_a_tombstone_stays_out_by_every_method(lake: Lake, method: Method) -> None:
    run = load(lake, *people({"id": 1, "name": "a"}, {"id": 2, "name": "b"}), method=method)
    assert ids(lake) == [2]
    assert (run.streams["people"].tally.rows, run.streams["people"].tally.buried) == (1, 1)


def test_the_same_key_of_another_source_or_stream_comes_in(lake: Lake) -> None:
    load(lake, *people({"id": 1}), source="shop")
    load(lake, *people({"id": 1}, stream="pets"))
    assert (ids(lake, "shop"), ids(lake, "crm", "pets")) == ([1], [1])


def test_one_that_fits_no_column_is_not_quarantined_with_its_values(lake: Lake) -> None:
    run = load(lake, *people({"id": 1, "age": "canary"}, {"id": "2x", "name": "b"}, {"id": 3}))
    kept = open_table(lake.raw_uri("crm", "_quarantine")).to_pyarrow_table().to_pylist()
    assert [json.loads(row["record"])["id"] for row in kept] == ["2x"]
    tally = run.streams["people"].tally
    assert (tally.rows, tally.refused, tally.buried) == (1, 1, 1)


@pytest.mark.parametrize("fits", [True, False])
def test_a_file_is_read_row_by_row_where_it_holds_a_tombstone(lake: Lake, tmp_path: Path, fits: bool) -> None:
    load(lake, *people({"id": 7, "name": "old"}))
    kind = pa.int64() if fits else pa.int32()
    rows = {"id": pa.array([1, 2], kind), "name": ["a", "b"], "_sdc_extracted_at": pa.array([NOW] * 2)}
    file = tmp_path / "batch.parquet"
    pq.write_table(
        pa.table({**rows, "_sdc_extracted_at": rows["_sdc_extracted_at"].cast(pa.timestamp("us", "UTC"))}), file
    )
    batch = {"type": "BATCH", "stream": "people", "encoding": {"format": "parquet"}, "manifest": [file.as_uri()]}
    load(lake, *people(), batch)
    assert ids(lake) == [2, 7]
    assert not file.exists()


def test_a_row_without_a_key_is_known_by_what_it_says(lake: Lake, tmp_path: Path) -> None:
    load(lake, *people({"id": 1, "name": "a"}, {"id": 2, "name": "b"}, keys=(), stream="notes"))
    table = open_table(lake.raw_uri("crm", "notes")).to_pyarrow_table().to_pylist()
    [said] = [row["_sdc_row"] for row in table if row["id"] == 1]
    stones(lake, tmp_path, Tombstone.of_record("crm", "notes", said, SALT))
    run = load(lake, *people({"id": 1, "name": "a"}, {"id": 3, "name": "c"}, keys=(), stream="notes"))
    assert run.streams["notes"].tally.buried == 1
    assert ids(lake, "crm", "notes") == [1, 2, 3]


def test_under_another_salt_nothing_is_loaded_that_could_be_theirs(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_SALT", "another")
    with pytest.raises(ConfigError, match="people were erased under another salt"):
        load(lake, *people({"id": 1}))
    load(lake, *people({"id": 1}), source="shop")
    assert ids(lake, "shop") == [1]


def test_the_books_tell_the_keys_of_each_stream(lake: Lake) -> None:
    load(lake, *people({"id": 2}), *people({"id": 2}, keys=(), stream="notes"))
    books = open_table(lake.raw_uri("crm", "_loads")).to_pyarrow_table().to_pylist()
    assert {row["stream"]: row["keys"] for row in books} == {"people": "id", "notes": "_sdc_row"}
