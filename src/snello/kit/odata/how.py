"""How an entity set of OData is read: its way through the pages, and its schema with what comes along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from snello.kit.http import Auth
from snello.kit.odata.edm import EntitySet, schema_of
from snello.kit.odata.pages import Keyset, Links, Skip
from snello.kit.rest.asking import Paging
from snello.kit.rest.values import GONE


@dataclass(frozen=True)
class How:
    """How an entity set is read.

    - ``modified``: the property that tells when an entity was changed
    - ``track``: whether to ask for delta links (11.3), which then decide instead
    - ``page_size``: entities of a page
    - ``paging``: ``keyset``, ``skip`` or ``links``; ``auto`` takes the first that the service can
    - ``expand``: navigation properties that come along, as JSON
    - ``within``: path below the root that the set is in
    - ``parameters``: query parameters of every request
    """

    auth: Auth | None = None
    modified: str | None = None
    track: bool = False
    page_size: int = 1000
    paging: str = "auto"
    expand: tuple[str, ...] = ()
    within: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


def paging_of(entity: EntitySet, how: How, modified: str | None) -> Paging:
    """The way through its pages: the one that is asked for, else the first that the service says it can."""
    if how.track or how.paging == "links":
        return Links()
    order = tuple(dict.fromkeys([*([modified] if modified else []), *entity.keys]))
    walks = bool(entity.keys) and entity.walks_by(order)
    skips = entity.skips and (entity.sortable or not order)
    if how.paging == "skip" or (how.paging == "auto" and modified is None and skips and entity.countable):
        return Skip(order if entity.sortable else (), how.page_size)
    if not walks:
        return Links()
    nulls = modified is not None and modified not in entity.keys and entity.properties[modified].nullable
    return Keyset({name: entity.properties[name].type for name in order}, how.page_size, nulls)


def schema_with(entity: EntitySet, how: How) -> dict[str, Any]:
    """The schema of its rows."""
    properties = {each.name: schema_of(each) for each in entity.properties.values() if each.type != "Edm.Stream"}
    for name in how.expand:
        kind = "array" if entity.navigations[name] else "object"
        properties[name] = {"type": [kind, "null"], "description": "What the navigation property leads to."}
    if how.track:
        properties[GONE] = {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "When the entity was found to be removed; all but its key is null then.",
        }
    return {"type": "object", "properties": properties}
