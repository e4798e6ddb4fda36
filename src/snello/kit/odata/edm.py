"""One table: what each type of OData's entity data model becomes in the lake.

=======================  ==========================  ==============================================
Edm                      JSON schema                 value
=======================  ==========================  ==============================================
Boolean                  boolean                     as is
Byte, SByte, Int16 … 64  integer                     also out of the text that exact services write
Single, Double           number                      NaN and infinity are refused
Decimal                  string, singer.decimal      as is; digits that the service does not state: (38, 18)
Date                     string, date                years 1 to 9999
DateTimeOffset           string, date-time           the same instant, to the microsecond
TimeOfDay                string, time                text
Guid                     string, uuid                text
Binary                   string, base64              base64
String, Duration, enums  string                      text
complex, Geo…, Untyped   object                      JSON
collections              array                       JSON
=======================  ==========================  ==============================================

Streams (``Edm.Stream``) are no values and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

UNSTATED = (38, 18)
WIDEST = 38
INTEGERS = frozenset({"Edm.Byte", "Edm.SByte", "Edm.Int16", "Edm.Int32", "Edm.Int64"})
MOMENTS = frozenset({"Edm.DateTimeOffset", "Edm.Date"})
ORDERED = INTEGERS | MOMENTS | {"Edm.String", "Edm.Guid", "Edm.Decimal", "Edm.TimeOfDay"}  # can be walked by

_TEXTS = {
    "Edm.Date": {"format": "date"},
    "Edm.DateTimeOffset": {"format": "date-time"},
    "Edm.TimeOfDay": {"format": "time"},
    "Edm.Guid": {"format": "uuid"},
    "Edm.Binary": {"contentEncoding": "base64"},
    "Edm.String": {},
    "Edm.Duration": {},
    "enum": {},
}
_FINER = re.compile(r"(\.\d{6})\d+")  # than a microsecond


@dataclass(frozen=True)
class Property:
    """A property of an entity.

    - ``type``: an ``Edm`` type, or ``complex`` and ``enum`` for types of the service's own
    - ``scale``: digits behind the point; ``variable`` where each value chooses
    """

    name: str
    type: str
    collection: bool = False
    nullable: bool = True
    precision: int | None = None
    scale: int | str | None = None
    description: str = ""


@dataclass(frozen=True)
class EntitySet:
    """An entity set as the service describes it; what it does not say it can do.

    - ``navigations``: navigation properties, and whether each leads to several entities
    - ``unfiltered``, ``unsorted``: properties that cannot be filtered or ordered by
    """

    name: str
    keys: tuple[str, ...]
    properties: Mapping[str, Property]
    navigations: Mapping[str, bool] = field(default_factory=dict)
    description: str = ""
    readable: bool = True
    tracks_changes: bool = False
    countable: bool = True
    skips: bool = True
    filterable: bool = True
    sortable: bool = True
    unfiltered: frozenset[str] = frozenset()
    unsorted: frozenset[str] = frozenset()

    def walks_by(self, names: tuple[str, ...]) -> bool:
        """Whether its rows can be asked for in the order of these properties, behind given values of them."""
        able = self.filterable and self.sortable and bool(names) and not set(names) & (self.unfiltered | self.unsorted)
        return able and all(self.properties[name].type in ORDERED for name in names)


def schema_of(declared: Property) -> dict[str, Any]:
    """The JSON schema of a property."""
    told: dict[str, Any] = {"description": declared.description} if declared.description else {}
    if declared.collection:
        return {"type": ["array", "null"], **told}
    if declared.type in INTEGERS:
        return {"type": ["integer", "null"], **told}
    if declared.type == "Edm.Boolean":
        return {"type": ["boolean", "null"], **told}
    if declared.type in ("Edm.Single", "Edm.Double"):
        return {"type": ["number", "null"], **told}
    if declared.type == "Edm.Decimal":
        precision, scale = _digits(declared)
        return {"type": ["string", "null"], "format": "singer.decimal", "precision": precision, "scale": scale, **told}
    if declared.type in _TEXTS:
        return {"type": ["string", "null"], **_TEXTS[declared.type], **told}
    return {"type": ["object", "null"], **told}


def _digits(declared: Property) -> tuple[int, int]:
    if declared.precision is None or not isinstance(declared.scale, int):
        return UNSTATED
    scale = min(declared.scale, WIDEST)
    return min(max(declared.precision, scale), WIDEST), scale


def literal(type_: str, value: Any) -> str:
    """A value as a URL writes it in ``$filter`` and in keys (URL conventions, 5.1.1.14.1)."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        utc = value.astimezone(UTC)
        return utc.date().isoformat() if type_ == "Edm.Date" else utc.isoformat().replace("+00:00", "Z")
    if type_ in ("Edm.String", "enum"):
        return "'" + str(value).replace("'", "''") + "'"
    if type_ in ("Edm.Duration", "Edm.Binary"):
        return f"{type_.removeprefix('Edm.').lower()}'{value}'"
    return str(value)


def key_predicate(properties: Mapping[str, Property], keys: Mapping[str, Any]) -> str:
    """The part of an address that names one entity by its key, quoted (URL conventions, 4.3.1)."""
    written = {name: quote(literal(properties[name].type, value), safe="") for name, value in keys.items()}
    inner = (
        ",".join(f"{name}={text}" for name, text in written.items()) if len(keys) > 1 else next(iter(written.values()))
    )
    return f"({inner})"


def converter(declared: Property) -> Callable[[Any], Any] | None:
    """What makes a value as the lake wants it of one as JSON has it, where these differ."""
    if declared.collection:
        return None
    if declared.type in INTEGERS:
        return lambda value: int(value) if isinstance(value, str) and re.fullmatch(r"-?\d{1,19}", value) else value
    if declared.type == "Edm.DateTimeOffset":
        return lambda value: _FINER.sub(r"\1", value) if isinstance(value, str) and len(value) > 27 else value
    if declared.type == "Edm.Binary":
        return _padded
    return None


def _padded(value: Any) -> Any:
    """Base64 of the kind that everybody reads, out of the kind that suits addresses (JSON format, 7.1)."""
    if not isinstance(value, str):
        return value
    plain = value.rstrip("=").replace("-", "+").replace("_", "/")
    return plain + "=" * (-len(plain) % 4)
