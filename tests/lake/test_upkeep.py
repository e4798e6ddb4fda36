"""Upkeep changes files, never rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from snello.errors import ContractError
from snello.lake import compact, vacuum
from snello.lake.writer import TableWriter

Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def uri(tmp_path: Path) -> str:
    writer = TableWriter(str(tmp_path), "run", pa.schema([("id", pa.int64())]))
    for number in range(5):
        writer.upsert(pa.table({"id": [number, number + 1]}), ["id"])
    writer.close()
    return str(tmp_path)


def test_compaction_leaves_one_file_and_the_same_rows(uri: str, rows: Rows) -> None:
    before = rows(uri)
    assert compact(uri) > 0
    assert sorted(map(str, rows(uri))) == sorted(map(str, before))
    assert compact(uri) == 0


def test_upserts_go_on_after_a_compaction(uri: str, rows: Rows) -> None:
    compact(uri)
    writer = TableWriter(uri, "later", pa.schema([("id", pa.int64())]))
    writer.upsert(pa.table({"id": [3, 9]}), ["id"])
    writer.close()
    assert sorted(row["id"] for row in rows(uri)) == [0, 1, 2, 3, 4, 5, 9]


def test_vacuum_deletes_what_no_kept_version_needs(uri: str, rows: Rows) -> None:
    compact(uri)
    orphan = Path(uri) / "orphan.parquet"
    orphan.write_text("left by somebody")
    assert vacuum(uri) == 0
    assert vacuum(uri, retention=0) > 1
    assert not orphan.exists()
    assert len(list(Path(uri).glob("*.parquet"))) == 1
    assert len(rows(uri)) == 6


def test_upkeep_of_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    for keep in (compact, vacuum):
        with pytest.raises(ContractError, match="no such table"):
            keep(str(tmp_path / "absent"))
