from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from snello.errors import RetryLater
from snello.lake import Lake
from snello.lake.erasure import Change, erase_published, erase_rows, forget_history
from snello.lake.scan import open_table
from snello.lake.writer import TableWriter

ROWS = pa.table({"id": list(range(10)), "name": [f"canary {n}" for n in range(10)]})


def without(*ids: int) -> Change:
    def change(part: pa.Table) -> pa.Table:
        hit = pc.is_in(part["id"], pa.array(ids))
        return part.filter(pc.invert(hit)) if pc.any(hit).as_py() else part

    return change


def written(uri: str, *parts: pa.Table) -> None:
    for number, part in enumerate(parts):
        writer = TableWriter(uri, f"r{number}", part.schema)
        writer.upsert(part, ("id",))
        writer.close()


def ids(uri: str) -> list[int]:
    return sorted(open_table(uri).to_pyarrow_table()["id"].to_pylist())


def test_rows_go_in_one_commit_and_files_without_them_stay(tmp_path: Path) -> None:
    uri = str(tmp_path / "t")
    written(uri, ROWS.slice(0, 5), ROWS.slice(5))
    before = set(open_table(uri).file_uris())
    assert erase_rows(uri, "e1", without(1, 3), ("id",)) == 2
    assert ids(uri) == [0, 2, 4, 5, 6, 7, 8, 9]
    assert open_table(uri).version() == 3
    assert len(before & set(open_table(uri).file_uris())) == 1


def test_the_log_of_a_table_names_the_erasure_and_no_value(tmp_path: Path) -> None:
    uri = str(tmp_path / "t")
    written(uri, ROWS)
    erase_rows(uri, "e1", without(1), ())
    log = (tmp_path / "t" / "_delta_log" / f"{2:020}.json").read_text()
    assert json.dumps({"snelloErasure": "e1"})[1:-1].replace(": ", ":") in log.replace(": ", ":")
    assert "canary" not in log


def test_nothing_to_erase_writes_nothing_and_a_second_time_neither(tmp_path: Path) -> None:
    uri = str(tmp_path / "t")
    written(uri, ROWS)
    assert [erase_rows(uri, "e1", without(one)) for one in (99, 1, 1)] == [0, 1, 0]
    assert open_table(uri).version() == 2


def test_every_row_of_a_table_may_go(tmp_path: Path) -> None:
    uri = str(tmp_path / "t")
    written(uri, ROWS)
    assert erase_rows(uri, "e1", without(*range(10))) == 10
    assert ids(uri) == []
    written(uri, ROWS.slice(0, 1))
    assert ids(uri) == [0]


def test_a_loader_that_writes_meanwhile_loses_nothing(tmp_path: Path) -> None:
    uri = str(tmp_path / "t")
    written(uri, ROWS.slice(0, 5))
    met: list[int] = []

    def change(part: pa.Table) -> pa.Table:
        if not met:
            met.append(1)
            written(uri, ROWS.slice(5))
        return without(1)(part)

    assert erase_rows(uri, "e1", change, ("id",)) == 1
    assert ids(uri) == [0, 2, 3, 4, 5, 6, 7, 8, 9]


def test_readers_of_the_manifest_see_a_published_table_without_the_rows(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    lake.publish({"customers": ROWS, "others": ROWS}, run_id="p1", syncs={"s": {"target": "t"}})
    assert erase_published(lake.root, "e1", "customers", without(1)) == 1
    manifest = lake.manifest()
    assert manifest is not None
    assert (manifest.tables["customers"].rows, manifest.tables["others"].rows) == (9, 10)
    assert (manifest.run_id, manifest.syncs) == ("p1", {"s": {"target": "t"}})
    assert 1 not in lake.published("customers")["id"].to_pylist()
    lake.publish({"customers": ROWS.slice(5)}, run_id="p2")
    assert lake.published("customers").num_rows == 5


def test_a_publication_that_broke_off_is_told_and_nothing_is_pointed_at(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    lake.publish({"customers": ROWS}, run_id="p1")
    written(lake.published_uri("customers"), ROWS)
    with pytest.raises(RetryLater, match="broke off"):
        erase_published(lake.root, "e1", "customers", without(1))
    assert lake.published("customers").num_rows == 10


def test_old_versions_go_with_their_files_when_their_day_has_come(tmp_path: Path) -> None:
    uri = str(tmp_path / "t")
    written(uri, ROWS)
    erase_rows(uri, "e1", without(1))
    forget_history(uri, datetime.now(UTC) - timedelta(days=1))
    assert any("canary 1'" in str(pq.read_table(file).to_pylist()) for file in (tmp_path / "t").glob("*.parquet"))
    assert forget_history(uri, datetime.now(UTC)) == 1
    assert not any("canary 1'" in str(pq.read_table(file).to_pylist()) for file in (tmp_path / "t").glob("*.parquet"))
    assert DeltaTable(uri).to_pyarrow_table().num_rows == 9
