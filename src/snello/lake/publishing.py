"""Publishing: write what changed, then let the manifest point at it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from snello.lake import manifest as manifests
from snello.lake import storage
from snello.lake.manifest import Manifest, TableRef

if TYPE_CHECKING:
    from snello.lake.lake import Lake

_LOCK = ".manifest.lock"


def content_hash(table: pa.Table) -> str:
    """A hash of schema and rows that does not depend on the order of the rows."""
    names = [f"c{position}" for position in range(table.num_columns)]
    plain = table.rename_columns(names)
    row = ", ".join(names)
    connection = duckdb.connect()
    connection.register("content", plain)
    [(count, total, mixed)] = connection.execute(
        f"select count(*), sum(hash({row})::hugeint), bit_xor(hash('salt', {row})) from content"
    ).fetchall()
    shape = ",".join(f"{field.name}:{field.type}" for field in table.schema)
    return f"{count}-{total or 0:x}-{mixed or 0:x}-{hashlib.sha256(shape.encode()).hexdigest()[:16]}"


def publish(
    lake: Lake,
    tables: Mapping[str, pa.Table | pa.RecordBatchReader],
    *,
    run_id: str,
    syncs: Mapping[str, dict[str, Any]] | None = None,
) -> Manifest:
    """See ``Lake.publish``."""
    published = storage.join(lake.root, "published")
    before = manifests.load(published)
    known = before.tables if before else {}
    written = {name: _write(lake.published_uri(name), data, known.get(name)) for name, data in tables.items()}
    with storage.exclusive(published, _LOCK):
        current = manifests.load(published)
        merged = Manifest(
            run_id=run_id,
            published_at=datetime.now(UTC),
            tables={**(current.tables if current else {}), **written},
            syncs=dict(syncs) if syncs is not None else (current.syncs if current else {}),
        )
        manifests.save(published, merged)
    return merged


def _write(uri: str, data: pa.Table | pa.RecordBatchReader, known: TableRef | None) -> TableRef:
    table = data.read_all() if isinstance(data, pa.RecordBatchReader) else data
    content = content_hash(table)
    if known is not None and known.content == content:
        return known
    write_deltalake(uri, table, mode="overwrite", schema_mode="overwrite")
    return TableRef(path=uri, version=DeltaTable(uri).version(), rows=table.num_rows, content=content)
