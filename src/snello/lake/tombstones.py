"""The raw table of tombstones, ``raw/snello/tombstones``: keyed hashes of who was erased, for loader and dbt."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from snello.lake.arrowtypes import TIMESTAMP

STREAM = ("snello", "tombstones")
MARK = "snello"  # hashed beside each tombstone: under another salt it reads otherwise
SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("hash", pa.string()),
        ("source", pa.string()),
        ("stream", pa.string()),
        ("erased_at", TIMESTAMP),
        ("salt_mark", pa.string()),
        ("_sdc_extracted_at", TIMESTAMP),
    ]
)


def key_text(values: Sequence[object]) -> str:
    """A key of one or more columns as one text, as tombstones of records are keyed by it."""
    return "/".join(str(value) for value in values)
