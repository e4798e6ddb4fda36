"""What is declared against what was found: fields that are new, gone, or of another type."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

from snello.kit.schemas.infer import Facts, Shape
from snello.kit.schemas.secrets import sounds_secret
from snello.kit.schemas.texts import DECIMAL

Schema = Mapping[str, Any]
FACTS = " records"  # every description that inference writes names how many it saw
TYPING = ("type", "format", "precision", "scale", "anyOf", "oneOf", "allOf")


@dataclass(frozen=True)
class Difference:
    """One field that is not as declared.

    - ``kind``: ``new``; ``gone``: declared, and in none of the records; ``changed``, which breaks what reads it;
      ``empty``: in records, never with a value; ``secret``: by its name nothing that anybody should have
    """

    field: str
    kind: Literal["new", "gone", "changed", "empty", "secret"]
    was: str = ""
    now: str = ""

    def __str__(self) -> str:
        if self.kind == "changed":
            return f"{self.field}: declared as {self.was}, found {self.now}"
        told = {"new": self.now, "gone": "declared, in no record", "empty": "never filled", "secret": "sounds secret"}
        return f"{self.field}: {told[self.kind]}"


def extended(
    declared: Schema, shape: Shape, *, replace: bool = False, named: Collection[str] = ()
) -> tuple[dict[str, Any], list[Difference]]:
    """The declared schema with the fields that were found beside it, and every difference.

    - a field that never had a value, or that sounds secret, is not added unless it is among ``named``
    - what is declared stays word for word; a field of another type changes only with ``replace``, and keeps its
      description unless inference wrote it
    """
    result: dict[str, Any] = {"type": "object", **deepcopy(dict(declared))}
    properties: dict[str, Any] = result.setdefault("properties", {})
    told = [Difference(name, "gone") for name in properties if name not in shape.fields]
    for name in shape.fields:
        old = properties.get(name)
        new = shape.declared(name) if old is None else _needed(shape, name, old)
        unwanted = None if old is not None or name in named else _unwanted(name, shape.fields[name])
        if unwanted:
            told.append(Difference(name, unwanted))
        elif old is None:
            told.append(Difference(name, "new", now=written(new)))
            properties[name] = new
        elif new != old:
            told.append(Difference(name, "changed", written(old), written(new)))
            if replace:
                properties[name] = new
    return result, told


def written(field: Schema) -> str:
    """A field's type in a few words."""
    types = _types(field)
    null = " or null" if "null" in types else ""
    form = f" ({field['format']})" if field.get("format") else ""
    return (" or ".join(sorted(types - {"null"})) or "anything") + form + null


def _unwanted(name: str, facts: Facts) -> Literal["empty", "secret"] | None:
    """Why a field that was found is not to be declared; yes or no, and a moment, are nobody's secret."""
    harmless = facts.types() == {"boolean"} or facts.format() in ("date", "date-time")
    if sounds_secret(name) and not harmless:
        return "secret"
    return None if facts.types() else "empty"


def _types(field: Schema) -> set[str]:
    stated = field.get("type", ())
    found = {stated} if isinstance(stated, str) else set(stated)
    for word in ("anyOf", "oneOf", "allOf"):
        for variant in field.get(word, ()):
            found |= _types(variant)
    return found


def _needed(shape: Shape, name: str, old: Schema) -> Schema:
    """The declaration when all values fit, else that declaration with null, or another."""
    allowed, facts = _types(old), shape.fields[name]
    wide = allowed | {"integer"} if "number" in allowed else allowed
    if not facts.types() <= wide or not _narrow(facts, str(old.get("format") or "")):
        return _replaced(old, shape.declared(name)) if allowed else old
    if allowed and shape.empty(name) and "null" not in allowed:
        return {**old, "type": [*sorted(allowed), "null"]}
    return old


def _narrow(facts: Facts, declared: str) -> bool:
    """Whether the texts found have the format that is declared."""
    if "string" not in facts.types():
        return True
    found = facts.format() or ""
    if declared.endswith(DECIMAL):
        return found == DECIMAL
    return declared not in ("date", "date-time") or found == declared or (found, declared) == ("date", "date-time")


def _replaced(old: Schema, new: Schema) -> dict[str, Any]:
    typing = {word: new[word] for word in TYPING if word in new}
    kept = {word: value for word, value in old.items() if word not in TYPING}
    if FACTS in kept.get("description", FACTS):
        kept["description"] = new["description"]
    return {**typing, **kept}
