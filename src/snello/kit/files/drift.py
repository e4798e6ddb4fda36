"""Fields of a file that the layout does not declare: kept beside the row as JSON, and told once a run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec
import pyarrow as pa

_NAME = re.compile(r"[^\W\d][^\W\d]*(?:[ _.:@-]?\w){0,39}")
_TOLD = 5

_encode = msgspec.json.Encoder(enc_hook=str).encode


class Drift:
    """The undeclared fields that a run has met; ``ignore``: patterns of those that are left out on purpose."""

    def __init__(self, ignore: Sequence[str] = ()) -> None:
        self._ignore = tuple(ignore)
        self._met: dict[str, None] = {}

    def kept(self, names: Iterable[str]) -> list[str]:
        """Those of the undeclared names that are not left out; they count as met."""
        kept = [name for name in names if not any(fnmatchcase(name, pattern) for pattern in self._ignore)]
        self._met.update(dict.fromkeys(kept))
        return kept

    def object_of(self, fields: dict[str, Any]) -> str | None:
        """The undeclared fields of one row as JSON; none when there are none."""
        kept = {name: fields[name] for name in self.kept(fields)} if fields else None
        return _encode(kept).decode() if kept else None

    def __bool__(self) -> bool:
        return bool(self._met)

    def __str__(self) -> str:
        """A sentence; a name that could be somebody's data, such as an address used as a key, is only counted."""
        plain = [name for name in self._met if _NAME.fullmatch(name) and "@" not in name][:_TOLD]
        more = len(self._met) - len(plain)
        names = ", ".join(map(repr, plain)) + (f" and {more} more" if plain and more else "" if plain else f"{more}")
        return (
            f"fields that the layout does not declare go to column _extra: {names}. Next: add them to columns or ignore"
        )


def without(record: dict[str, Any], paths: Sequence[Sequence[str]]) -> dict[str, Any]:
    """The record without what stands at the paths, and without objects that this leaves empty."""
    taken = {path[0] for path in paths if len(path) == 1}
    deeper: dict[str, list[Sequence[str]]] = {}
    for path in paths:
        if len(path) > 1:
            deeper.setdefault(path[0], []).append(path[1:])
    left = {}
    for name, value in record.items():
        if name in taken or value is None:
            continue
        if name in deeper:
            value = _inside(value, deeper[name])
        if name not in deeper or value not in ({}, [], None):
            left[name] = value
    return left


def _inside(value: Any, paths: Sequence[Sequence[str]]) -> Any:
    if isinstance(value, dict):
        return without(value, paths)
    if isinstance(value, list):
        return [left for left in (_inside(each, paths) for each in value) if left not in ({}, [], None)]
    return value


def objects(columns: Mapping[str, Sequence[Any]], rows: int) -> pa.Array:
    """A JSON object a row of undeclared columns; values that are absent are left out."""
    if not columns:
        return pa.nulls(rows, pa.string())
    names = list(columns)
    found = []
    for values in zip(*columns.values(), strict=True):
        held = {name: value for name, value in zip(names, values, strict=True) if value is not None and value != ""}
        found.append(_encode(held).decode() if held else None)
    return pa.array(found, pa.string())
