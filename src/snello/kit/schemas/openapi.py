"""A stream's schema out of an OpenAPI document: 3.0, 3.1 or Swagger 2.

A column takes what the document says of its type, never what it says of lengths, patterns or required fields: documents
promise more than servers keep, and a row is not refused for the sake of a promise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from snello.errors import ContractError
from snello.kit.schemas.references import Document, Place

Node = Mapping[str, Any]
FORMATS = {"date": "date", "date-time": "date-time", "decimal": "singer.decimal"}
ANYTHING = ("object", "array", "string", "number", "boolean")
ORDER = ("integer", "number", "boolean", "string", "object", "array")
MOST_VALUES = 12  # of an enumeration that a description lists


def schema_from(document: Mapping[str, Any] | Path, name: str) -> dict[str, Any]:
    """The JSON schema of a component, one property a column.

    - ``document``: the document, or its file (JSON or YAML), beside which references to other files are looked up
    - ``name``: of a schema in ``components`` or ``definitions``, or a pointer such as
      ``#/paths/~1things/get/responses/200/content/application~1json/schema``
    - every field may be null; objects and lists stay whole, so a schema that holds itself ends there
    - several alternatives are read as all their fields together, or as a field of several types

    Raises ``ContractError`` when there is no such schema, or it has no fields.
    """
    read = Document.of(document)
    place = _component(read, name)
    properties: dict[str, list[Place]] = {}
    for part in _parts(read, place):
        for field, inner in (part.node.get("properties") or {}).items():
            properties.setdefault(field, []).append(part.at(inner))
    if not properties:
        what = f"schema {name!r} declares no fields"
        raise ContractError(read.name, what, "name the schema of one record, not of the answer around it")
    return {"type": "object", "properties": {field: _column(read, field, ps) for field, ps in properties.items()}}


def _component(read: Document, name: str) -> Place:
    if name.startswith("#"):
        return read.find(name)
    known = {**(read.root.get("definitions") or {}), **((read.root.get("components") or {}).get("schemas") or {})}
    if name not in known:
        near = get_close_matches(name, known, n=3)
        cure = f"did you mean {' or '.join(map(repr, near))}?" if near else f"name one of its {len(known)} schemas"
        raise ContractError(read.name, f"no schema {name!r}", f"{cure.rstrip('?')}, or a pointer such as #/paths/…")
    return read.top(known[name])


def _parts(read: Document, place: Place, seen: tuple[int, ...] = ()) -> Iterator[Place]:
    """The schemas that a schema is made of: itself, what it refers to, all that it adds up or chooses from."""
    if id(place.node) in seen:
        return
    seen = (*seen, id(place.node))
    reference = place.node.get("$ref")
    if set(place.node) != {"$ref"}:
        yield place
    if isinstance(reference, str):
        yield from _parts(read, read.follow(place, reference), seen)
    for word in ("allOf", "oneOf", "anyOf"):
        for inner in place.node.get(word) or ():
            yield from _parts(read, place.at(inner), seen)


def _column(read: Document, field: str, places: list[Place]) -> dict[str, Any]:
    parts = [part.node for place in places for part in _parts(read, place)]
    types = {name for part in parts for name in _types(part)}
    if "number" in types:
        types.discard("integer")
    names = [name for name in ORDER if name in types] or list(ANYTHING)
    column: dict[str, Any] = {"type": [*names, "null"]}
    formats = {FORMATS.get(str(part.get("format"))) for part in parts if "string" in _types(part)}
    if names == ["string"] and len(formats) == 1 and (found := formats.pop()):
        column["format"] = found
    column["description"] = _description(field, parts)
    return column


def _types(part: Node) -> set[str]:
    """The types that a schema states or shows; none when any would do."""
    stated = part.get("type")
    found = {name for name in (stated if isinstance(stated, list) else [stated]) if isinstance(name, str)}
    if not found:
        found |= {"object"} & {"object" for word in ("properties", "additionalProperties") if word in part}
        found |= {"array"} & {"array" for word in ("items", "prefixItems") if word in part}
        found |= {_type_of(value) for value in _values(part)}
    return found & set(ORDER)


def _type_of(value: object) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object", list: "array"}
    return names.get(type(value), "null")


def _values(part: Node) -> list[Any]:
    return list(part.get("enum") or ([part["const"]] if "const" in part else ()))


def _description(field: str, parts: list[Node]) -> str:
    told = next((str(part[word]) for word in ("description", "title") for part in parts if part.get(word)), "")
    text = " ".join(told.split()) or f"{field.replace('_', ' ').capitalize()}; the document says no more."
    values = [str(value) for part in parts for value in _values(part) if value is not None]
    if not values:
        return text
    more = ", …" if len(values) > MOST_VALUES else ""
    return f"{text.rstrip('.')}. One of: {', '.join(values[:MOST_VALUES])}{more}."
