"""What tests of connectors share: a tap run in this process, and what it wrote."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from snello.kit.loader.columns import columns_of
from snello.kit.loader.decoding import RowDecoder
from tap_sql import TapSql


@dataclass
class Run:
    """What a tap wrote."""

    messages: list[dict[str, Any]]

    def of(self, kind: str, stream: str | None = None) -> list[dict[str, Any]]:
        return [each for each in self.messages if each["type"] == kind and stream in (None, each.get("stream"))]

    @property
    def state(self) -> dict[str, Any]:
        return dict(self.of("STATE")[-1]["value"])

    def bookmark(self, stream: str) -> dict[str, Any]:
        return dict(self.state["bookmarks"][stream])

    def schema(self, stream: str) -> dict[str, Any]:
        return dict(self.of("SCHEMA", stream)[-1]["schema"])

    def records(self, stream: str) -> list[dict[str, Any]]:
        return [dict(each["record"]) for each in self.of("RECORD", stream)]

    def files(self, stream: str) -> list[Path]:
        return [Path(unquote(urlparse(url).path)) for each in self.of("BATCH", stream) for url in each["manifest"]]

    def as_lake(self, stream: str) -> pa.Table:
        """The rows as the lake holds them, whichever way they came."""
        columns = columns_of(self.schema(stream))
        names = [column.name for column in columns if column.name != "_sdc_extracted_at"]
        if self.files(stream):
            return pa.concat_tables([pq.read_table(file) for file in self.files(stream)]).select(names)
        decoded = RowDecoder(columns).decode(
            [msgspec.Raw(msgspec.json.encode(record)) for record in self.records(stream)]
        )
        assert not decoded.misfits
        return decoded.table.select(names)


class SqlRuns:
    """Runs tap-sql in this process: as RECORDs, or as BATCHes when given a folder."""

    def __call__(self, config: dict[str, Any], *, catalog: Any = None, state: Any = None) -> Run:
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        with redirect_stdout(out):
            TapSql(config=config, catalog=catalog, state=state).sync_all()
            out.flush()
        out.seek(0)
        return Run([json.loads(line) for line in out])

    def batched(self, config: dict[str, Any], folder: Path, **given: Any) -> Run:
        storage = {"root": folder.as_uri()}
        batch_config = {"encoding": {"format": "parquet"}, "storage": storage}
        return self(config | {"batch_config": batch_config}, **given)

    def catalog(self, config: dict[str, Any]) -> dict[str, Any]:
        return dict(TapSql(config=config, setup_mapper=False).catalog_dict)


@pytest.fixture(scope="session")
def tap_sql() -> SqlRuns:
    """Runs tap-sql in this process."""
    return SqlRuns()
