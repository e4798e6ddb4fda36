"""Load any Singer tap into the lake: one Delta table a stream, upserted by key.

Streams: whatever the tap sends. Beside them ``_quarantine`` (records that did not fit) and ``_loads`` (one row a stream
and run).
"""

from __future__ import annotations

from snello.kit.entry import entry
from snello.kit.loader import LakeTarget


class TargetLake(LakeTarget):
    """Singer target for the lake: Delta tables, a column at a time."""

    name = "target-lake"


main = entry(TargetLake)

__all__ = ["TargetLake", "main"]
