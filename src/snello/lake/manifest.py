"""The manifest: which version of each published table readers shall open."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import snello.lake.storage as storage
from snello.errors import ContractError

FILE = "manifest.json"
COPY = "manifest.copy.json"


@dataclass(frozen=True)
class TableRef:
    """A published table, pinned: where it is, at which Delta version, and how many rows it has there."""

    path: str
    version: int
    rows: int
    content: str = ""


@dataclass(frozen=True)
class Manifest:
    """One consistent set of published tables and the syncs that feed on them."""

    run_id: str
    published_at: datetime
    tables: dict[str, TableRef] = field(default_factory=dict)
    syncs: dict[str, dict[str, Any]] = field(default_factory=dict)


def load(published: str) -> Manifest | None:
    """The manifest under ``published``, with paths made absolute; None before the first publication.

    One that is lost or damaged is read from its copy: customer ids and refusals of people since erased hang on it.
    Raises ``ContractError`` when neither can be read.
    """
    found = [content for name in (FILE, COPY) if (content := storage.read_bytes(published, name)) is not None]
    for content in found:
        if manifest := _read(published, content):
            return manifest
    if found:
        raise ContractError(
            storage.join(published, FILE),
            "not a manifest of this version, and neither is its copy",
            f"put {FILE} back from a backup: customer ids and refusals that no source tells any more hang on it",
        )
    return None


def _read(published: str, content: bytes) -> Manifest | None:
    try:
        raw = json.loads(content)
        return Manifest(
            run_id=raw["run_id"],
            published_at=datetime.fromisoformat(raw["published_at"]),
            tables={
                name: TableRef(**{**ref, "path": storage.join(published, ref["path"])})
                for name, ref in raw["tables"].items()
            },
            syncs=raw["syncs"],
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def save(published: str, manifest: Manifest) -> None:
    """Replace the manifest under ``published``; a reader sees the old one or the new one, whole."""
    raw: Mapping[str, Any] = {
        "run_id": manifest.run_id,
        "published_at": manifest.published_at.isoformat(),
        "tables": {
            name: {**asdict(ref), "path": ref.path.removeprefix(published.rstrip("/") + "/")}
            for name, ref in manifest.tables.items()
        },
        "syncs": manifest.syncs,
    }
    content = json.dumps(raw, indent=1, sort_keys=True).encode()
    for name in (COPY, FILE):
        storage.replace_bytes(published, name, content)
