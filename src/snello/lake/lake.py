"""One lake: where its tables are, how to read them, how to publish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

import snello.lake.manifest as manifests
import snello.lake.publishing as publishing
import snello.lake.storage as storage
from snello.errors import ContractError
from snello.lake.manifest import Manifest, TableRef
from snello.lake.scan import open_table, scan_sql


class Lake:
    """The Delta tables under one root: a folder, or an object store URL such as ``s3://bucket/lake``."""

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/") if storage.is_remote(root) else str(storage.local_path(root).absolute())

    def raw_uri(self, source: str, stream: str) -> str:
        """Where the table of ``stream`` from ``source`` is, whether it exists or not."""
        return storage.join(self.root, "raw", storage.folder_name(source), storage.folder_name(stream))

    def published_uri(self, name: str) -> str:
        """Where the published table ``name`` is, whether it exists or not."""
        return storage.join(self.root, "published", *(storage.folder_name(part) for part in name.split("/")))

    def raw_tables(self) -> dict[tuple[str, str], str]:
        """Every raw table as ``(source, stream) -> uri``, with ``_quarantine`` and ``_loads``."""
        found: dict[tuple[str, str], str] = {}
        for source in storage.folders(self.root, "raw"):
            for stream in storage.folders(self.root, f"raw/{source}"):
                if "_delta_log" in storage.folders(self.root, f"raw/{source}/{stream}"):
                    uri = storage.join(self.root, "raw", source, stream)
                    found[storage.stream_name(source), storage.stream_name(stream)] = uri
        return found

    def scan_sql(self, uri: str, version: int | None = None) -> str:
        """A DuckDB SELECT over the live files of the table at ``uri``, typed as its Delta schema says."""
        return scan_sql(uri, version)

    def publish(
        self,
        tables: Mapping[str, pa.Table | pa.RecordBatchReader],
        *,
        run_id: str,
        syncs: Mapping[str, dict[str, Any]] | None = None,
    ) -> Manifest:
        """Write each table, then replace the manifest in one step; the manifest that readers now see.

        - tables not named keep their entry, and so does ``syncs`` when it is not given
        - a table whose content did not change keeps its version: nothing is written
        - publications at the same time are merged, each entry from whoever published it last
        """
        return publishing.publish(self.root, tables, run_id=run_id, syncs=syncs)

    def manifest(self) -> Manifest | None:
        """The manifest in force; None before the first publication."""
        return manifests.load(storage.join(self.root, "published"))

    def published(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """The published table ``name`` at the manifest's version, all columns or those named."""
        ref = self._ref(name)
        return open_table(ref.path, ref.version).to_pyarrow_table(columns=list(columns) if columns else None)

    def published_sql(self, name: str) -> str:
        """A DuckDB SELECT of the published table ``name`` at the manifest's version."""
        ref = self._ref(name)
        return scan_sql(ref.path, ref.version)

    def _ref(self, name: str) -> TableRef:
        current = self.manifest()
        if current is None or name not in current.tables:
            raise ContractError(f"lake {self.root}", f"table {name!r} is not published", "run `meltano run unify`")
        return current.tables[name]
