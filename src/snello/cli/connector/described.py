"""What a connector reads, and what it does not do, for the reference: out of its manifest and its README."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from snello.cli.connector.found import Package
from snello.kit.rest import RestStream, RestTap


def streams(package: Path, name: str) -> Iterator[tuple[str, str, str]]:
    """Stream, key and way of reading of each stream that a manifest declares; none where the source decides."""
    plugin = Package(package, name.replace("-", "_"), "main").plugin(name)
    for stream in plugin.stream_classes if issubclass(plugin, RestTap) else ():
        given: Any = stream.primary_keys
        keys = ", ".join(f"`{key}`" for key in given) if isinstance(given, tuple | list) else ""
        yield f"`{stream.name}`", keys, way(stream)


def way(stream: type[RestStream]) -> str:
    """How changes of a stream are noticed."""
    if stream.parent is not None:
        return f"for each row of `{stream.parent.name}` that was read"
    if stream.compare is not None:
        gone = ", rows that are gone among it" if stream.compare.proof != "never" else ""
        return f"whole, every run; what changed goes on{gone}"
    if stream.newest_first:
        return f"from the newest to what was seen, by `{stream.replication_key}`"
    if stream.since or isinstance(stream.replication_key, str):
        return f"what changed since the last run, by `{stream.replication_key}`"
    return "whole, every run"


def limits(package: Path) -> list[str]:
    """The points under *Limits* of its README."""
    text = (package / "README.md").read_text()
    section = re.search(r"^## Limits\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    points = re.split(r"^- ", section[1] if section else "", flags=re.MULTILINE)[1:]
    return [" ".join(point.partition("\n\n")[0].split()) for point in points]
