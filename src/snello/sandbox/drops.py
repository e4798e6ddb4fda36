"""Write the files that the media agency's platform drops: compressed CSV, with checksums.

Memberships and the taxonomy have a checksum beside each file; of the links a manifest tells all.
"""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import polars as pl

from snello.sandbox.traces import Traces

MANIFEST = "id_links_manifest.txt"


def drops(traces: Traces, folder: Path) -> None:
    """A file a delivery and stream; the manifest comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = []
    for stream, frame in traces.tables.items():
        for name, rows in _files(stream, frame).items():
            content = gzip.compress(rows, mtime=0)
            (folder / name).write_bytes(content)
            line = f"{hashlib.sha256(content).hexdigest()}  {name}\n"
            if stream == "id_links":
                listed.append(line)
            else:
                (folder / f"{name}.sha256").write_text(line)
    (folder / MANIFEST).write_text("".join(listed))


def _files(stream: str, frame: pl.DataFrame) -> dict[str, bytes]:
    """The rows of each delivery under the name of its file."""
    shaped = frame.with_columns(pl.selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    parts = shaped.partition_by("delivery", maintain_order=True, as_dict=True, include_key=False)
    return {f"{stream}_{name}.csv.gz": part.write_csv().encode() for (name,), part in parts.items()}
