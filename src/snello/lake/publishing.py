"""Publishing: write what changed, then let the manifest point at it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

import snello.lake.manifest as manifests
import snello.lake.storage as storage
from snello.lake.arrowtypes import plain_schema
from snello.lake.datafiles import conform
from snello.lake.faults import told
from snello.lake.manifest import Manifest, TableRef
from snello.lake.sessions import session
from snello.lake.writer import TableWriter

LOCK = ".manifest.lock"


class ContentHash:
    """A hash of schema and rows that does not depend on the order of the rows."""

    def __init__(self, schema: pa.Schema) -> None:
        self._connection = session()
        self._columns = [f"c{position}" for position in range(len(schema))]
        # DuckDB's hash gives one number to many texts that differ in their eighth and sixteenth letter: tax codes do.
        named = zip(self._columns, schema, strict=True)
        texts = [f"md5_number({name})" for name, field in named if _is_text(field.type)]
        self._row = ", ".join([*self._columns, *texts])
        shape = ",".join(f"{field.name}:{field.type}" for field in schema)
        self._shape = hashlib.sha256(shape.encode()).hexdigest()[:16]
        self.rows, self._sum, self._mix = 0, 0, 0

    def add(self, part: pa.Table) -> None:
        """Take more rows in."""
        if not part.num_rows:
            return
        self._connection.register("part", part.rename_columns(self._columns))
        [(total, mix)] = self._connection.execute(
            f"select sum(hash({self._row})::hugeint), bit_xor(hash('mix', {self._row})) from part"
        ).fetchall()
        self._connection.unregister("part")
        self.rows += part.num_rows
        self._sum = (self._sum + int(total)) % 2**64
        self._mix ^= int(mix)

    def text(self) -> str:
        """The hash of what was taken in so far."""
        return f"{self.rows}-{self._sum:016x}{self._mix:016x}-{self._shape}"


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def publish(
    root: str,
    tables: Mapping[str, pa.Table | pa.RecordBatchReader],
    *,
    run_id: str,
    syncs: Mapping[str, dict[str, Any]] | None = None,
) -> Manifest:
    """See ``Lake.publish``."""
    published = storage.join(root, "published")
    before = manifests.load(published)
    known = before.tables if before else {}
    written = {
        name: _write(storage.join(published, *map(storage.folder_name, name.split("/"))), data, known.get(name), run_id)
        for name, data in tables.items()
    }
    with told("lake manifest"), storage.exclusive(published, LOCK):
        current = manifests.load(published)
        merged = Manifest(
            run_id=run_id,
            published_at=datetime.now(UTC),
            tables={**(current.tables if current else {}), **written},
            syncs=dict(syncs) if syncs is not None else (current.syncs if current else {}),
        )
        manifests.save(published, merged)
    return merged


def _write(uri: str, data: pa.Table | pa.RecordBatchReader, known: TableRef | None, run_id: str) -> TableRef:
    schema = plain_schema(data.schema)
    content = ContentHash(schema)
    writer = TableWriter(uri, run_id, schema)
    try:
        version = writer.replace_all(
            _taken(_parts(data), schema, content),
            schema,
            unless=lambda: known is not None and known.content == content.text(),
        )
    finally:
        writer.close()
    if version is None and known is not None:
        return known
    return TableRef(path=uri, version=int(version or 0), rows=content.rows, content=content.text())


def _parts(data: pa.Table | pa.RecordBatchReader) -> Iterator[pa.Table]:
    if isinstance(data, pa.Table):
        yield data
        return
    for batch in data:
        yield pa.Table.from_batches([batch])


def _taken(parts: Iterable[pa.Table], schema: pa.Schema, content: ContentHash) -> Iterator[pa.Table]:
    for part in parts:
        whole = conform(part, schema)
        content.add(whole)
        yield whole
