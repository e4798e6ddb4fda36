"""Upkeep of a table: fewer, larger files, and no files that nobody can reach."""

from __future__ import annotations

from snello.lake.scan import open_table


def compact(uri: str) -> int:
    """Rewrite the small files of the table at ``uri`` into large ones; returns how many files went away."""
    done = open_table(uri).optimize.compact()
    return int(done["numFilesRemoved"]) - int(done["numFilesAdded"])


def vacuum(uri: str, retention: int = 168) -> int:
    """Delete files that no version younger than ``retention`` hours needs; returns how many.

    Versions older than that can no longer be read.
    """
    table = open_table(uri)
    gone = table.vacuum(retention_hours=retention, dry_run=False, enforce_retention_duration=False, full=True)
    return len(gone)
