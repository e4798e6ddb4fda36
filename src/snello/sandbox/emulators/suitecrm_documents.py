"""SuiteCRM's records and pages as documents of JSON:API."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlencode

from snello.sandbox.emulators.suitecrm_fields import LINKS, OBJECTS
from snello.sandbox.emulators.suitecrm_store import Record


def document_of(module: str, record: Record, shown: Sequence[str] | None, path: str) -> dict[str, Any]:
    """A record under the name of its class, ``Contact`` where ``Contacts`` was asked for; all values are texts."""
    names = record if shown is None else [name for name in shown if name in record]
    attributes = {name: _shown(record[name]) for name in names if name != "id"}
    related = {
        other: {"links": {"related": f"V8/module/{module}/{record['id']}/relationships/{link}"}}
        for link, other in LINKS[module].items()
    }
    return {"type": OBJECTS[module], "id": record["id"], "attributes": attributes, "relationships": related}


def _shown(value: str) -> str:
    """A moment as ISO 8601, as SuiteCRM shows what looks like one."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", value):
        return value
    return datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).isoformat()


def links_of(path: str, asked: Mapping[str, Any], total: int, number: int) -> dict[str, str | None]:
    """Links to other pages. Where no number was given the first page counts as number 0, whose next one is 1."""

    def to(page: int) -> str:
        flat = _flat({**asked, "page": {**asked.get("page", {}), "number": page}})
        return f"{path}?{unquote(urlencode(flat))}"

    before, after = number > 1, number + 1 <= total
    return {
        "first": to(1) if before else None,
        "prev": to(number - 1) if before else None,
        "next": to(number + 1) if after else None,
        "last": to(total) if after else None,
    }


def _flat(given: Mapping[str, Any], root: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in given.items():
        path = f"{root}[{name}]" if root else name
        found += _flat(value, path) if isinstance(value, dict) else [(path, str(value))]
    return found
