"""Taking rows out of a table for good: out of the live files at once, out of its history when that is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable

import snello.lake.manifest as manifests
import snello.lake.storage as storage
from snello.errors import RetryLater
from snello.lake.bounds import LiveFile, live_files
from snello.lake.datafiles import DataFile, read_batches
from snello.lake.faults import told
from snello.lake.manifest import Manifest, TableRef
from snello.lake.publishing import LOCK
from snello.lake.scan import open_table
from snello.lake.writer import TableWriter

_DAY = 24

Change = Callable[[pa.Table], pa.Table]  # the rows that stay, as they shall be; the same object: nothing to do


class Eraser(TableWriter):
    """A table from which one erasure takes rows; its commits bear the erasure's id and none of the values."""

    def __init__(self, uri: str, run_id: str, erasure: str) -> None:
        super().__init__(uri, run_id, pa.schema(open_table(uri).schema().to_arrow()))
        self.erasure = erasure

    def change(self, change: Change, keys: Sequence[str] = ()) -> int:
        """Write the files anew in which ``change`` finds something, in one commit; how many rows went or changed.

        ``keys`` are the table's, whose bounds the new files tell.
        """

        def attempt() -> int:
            gone: list[LiveFile] = []
            rewritten: list[DataFile] = []
            self._touched = 0
            try:
                for file in live_files(self.table, keys):
                    before = self._touched
                    parts = list(self._changed(file, change))
                    if self._touched > before:
                        gone.append(file)
                        rewritten += self._write(iter(parts), keys, self.schema)
                self._commit(rewritten, gone)
            except BaseException:
                self._drop(rewritten)
                raise
            return self._touched

        return self._retrying(attempt)

    def _changed(self, file: LiveFile, change: Change) -> Iterator[pa.Table]:
        for part in read_batches(self.filesystem, file.name, self.schema):
            after = change(part)
            if after is not part:
                self._touched += part.num_rows - after.num_rows or 1
            yield after

    def _properties(self) -> CommitProperties:
        custom = {"snelloRun": self.run_id, "snelloErasure": self.erasure}
        return CommitProperties(max_commit_retries=0, custom_metadata=custom)


def erase_rows(uri: str, erasure: str, change: Change, keys: Sequence[str] = ()) -> int:
    """Take rows out of the table at ``uri``; returns how many."""
    eraser = Eraser(uri, erasure, erasure)
    try:
        return eraser.change(change, keys)
    finally:
        eraser.close()


def erase_published(root: str, erasure: str, name: str, change: Change) -> int:
    """Take rows out of the published table ``name`` and let the manifest point at what is left; returns how many.

    The next publication writes the table whole again, whatever it holds.
    """
    published = storage.join(root, "published")
    with told("lake manifest"), storage.exclusive(published, LOCK):
        current = manifests.load(published)
        if current is None or name not in current.tables:
            return 0
        ref = current.tables[name]
        if open_table(ref.path).version() != ref.version:
            what = f"table {name} is being published, or a publication of it broke off"
            raise RetryLater(f"lake {root}", what, "run `meltano run unify`, then `snello subject erase --resume`")
        touched = erase_rows(ref.path, erasure, change)
        if touched:
            table = open_table(ref.path)
            rows = sum(file.rows for file in live_files(table, ()))
            entry = TableRef(path=ref.path, version=table.version(), rows=rows)
            tables = {**current.tables, name: entry}
            manifests.save(published, Manifest(current.run_id, datetime.now(UTC), tables, current.syncs))
    return touched


def forget_history(uri: str, until: datetime) -> int:
    """Delete the files that only versions before ``until`` need, and the log of those versions; returns how many files.

    What came later can still be read as it was.
    """
    hours = max(0, int((datetime.now(UTC) - until).total_seconds() // 3600))
    with told(f"lake table {uri}"):
        table: DeltaTable = open_table(uri)
        # within a day a file that no version names may be one that is being written
        whole = hours >= _DAY
        gone = table.vacuum(retention_hours=hours, dry_run=False, enforce_retention_duration=False, full=whole)
        table.create_checkpoint()
        table.cleanup_metadata()
    return len(gone)
