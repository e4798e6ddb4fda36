"""The quarantine: records that did not fit, kept whole with the reason, one schema for every source."""

from __future__ import annotations

import hashlib

import pyarrow as pa

from snello.lake.arrowtypes import TIMESTAMP

STREAM = "_quarantine"
KEYS = ("id",)
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("stream", pa.string()),
        ("position", pa.string()),
        ("reason", pa.string()),
        ("record", pa.string()),
        ("refused_at", TIMESTAMP),
        ("_sdc_extracted_at", TIMESTAMP),
    ]
)


def refusal_id(stream: str, position: str, reason: str, record: str) -> str:
    """The key of a refused record: the same refusal, met again by a later run, is the same row."""
    return hashlib.sha256("\x1f".join((stream, position, reason, record)).encode("utf-8", "replace")).hexdigest()
