"""Upkeep of a table: fewer, larger files, and no files that nobody can reach."""

from __future__ import annotations

from deltalake import DeltaTable, WriterProperties
from deltalake.exceptions import CommitFailedError

from snello.lake.bounds import live_files
from snello.lake.faults import told
from snello.lake.scan import open_table

SMALL = 16 << 20
MANY = 48


def compact(uri: str) -> int:
    """Rewrite the small files of the table at ``uri`` into large ones; returns how many files went away.

    Raises ``RetryLater`` when another writer changes the same files meanwhile.
    """
    with told(f"lake table {uri}"):
        done = open_table(uri).optimize.compact(writer_properties=WriterProperties(compression="ZSTD"))
    return int(done["numFilesRemoved"]) - int(done["numFilesAdded"])


def vacuum(uri: str, retention: int = 168) -> int:
    """Delete files that no version younger than ``retention`` hours needs; returns how many.

    Versions older than that can no longer be read.
    """
    with told(f"lake table {uri}"):
        gone = open_table(uri).vacuum(
            retention_hours=retention, dry_run=False, enforce_retention_duration=False, full=True
        )
    return len(gone)


def tidy(table: DeltaTable) -> int:
    """Compact the table when small files have become many; returns how many files went away.

    When another writer changes the same files meanwhile, they stay as they are: the next run tries again.
    """
    table.update_incremental()
    if sum(file.size < SMALL for file in live_files(table, ())) < MANY:
        return 0
    try:
        done = table.optimize.compact(writer_properties=WriterProperties(compression="ZSTD"))
    except CommitFailedError:
        return 0
    return int(done["numFilesRemoved"]) - int(done["numFilesAdded"])
