"""Compression that gives the same bytes for the same content."""

from __future__ import annotations

import gzip
from typing import Literal

import pyarrow as pa

Compression = Literal["none", "gzip", "zstd"]
SUFFIX: dict[Compression, str] = {"none": "", "gzip": ".gz", "zstd": ".zst"}


def compressed(content: bytes, how: Compression) -> bytes:
    """The content; gzip tells neither time nor name."""
    if how == "gzip":
        return gzip.compress(content, mtime=0)
    if how == "zstd":
        kept = pa.BufferOutputStream()
        with pa.CompressedOutputStream(kept, "zstd") as stream:
            stream.write(content)
        made: bytes = kept.getvalue().to_pybytes()
        return made
    return content
