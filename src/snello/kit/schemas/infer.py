"""What records look like: types, formats and facts of each field, counted and never kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from snello.kit.schemas.texts import DECIMAL, kind_of_text, size_of_decimal

WHOLE, FRACTION = "integer", "number"
TYPES = {
    "yes": "boolean",
    "no": "boolean",
    WHOLE: WHOLE,
    FRACTION: FRACTION,
    "object": "object",
    "array": "array",
}
NAMES = {
    "boolean": "yes or no",
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "object": "object",
    "array": "list",
    "date": "date",
    "date-time": "moment",
    DECIMAL: "decimal number as text",
}
EPOCH = (1_000_000_000, 4_000_000_000)  # seconds of the years 2001 to 2096
DIGITS = 18  # of a decimal at least: amounts grow


@dataclass
class Facts:
    """What is known of one field."""

    kinds: Counter[str] = field(default_factory=Counter)
    longest: int = 0
    digits: tuple[int, int] = (0, 0)
    like_epoch: bool = True

    def add(self, value: object) -> None:
        """Count a value."""
        kind = _kind(value)
        self.kinds[kind] += 1
        if isinstance(value, str | dict | list):
            self.longest = max(self.longest, len(value))
        if isinstance(value, str) and kind in (DECIMAL, "zero"):
            whole, scale = size_of_decimal(value)
            self.digits = max(self.digits[0], whole), max(self.digits[1], scale)
        if kind == WHOLE and isinstance(value, int):
            self.like_epoch = self.like_epoch and EPOCH[0] < value < EPOCH[1]

    @property
    def filled(self) -> int:
        """Records in which the field had a value."""
        empty = {"null", "no"} if self.false_for_null else {"null"}
        return sum(count for kind, count in self.kinds.items() if kind not in empty)

    @property
    def false_for_null(self) -> bool:
        """Whether ``false`` stands where the field has no value, beside values of another type."""
        return self.kinds["no"] > 0 and not self.kinds["yes"] and len(self.types() - {"boolean"}) > 0

    def types(self) -> set[str]:
        """JSON types seen, null apart."""
        found = {TYPES.get(kind, "string") for kind in self.kinds if kind != "null"}
        return found - {WHOLE} if FRACTION in found else found

    def format(self) -> str | None:
        """The one format of all texts, if they have one."""
        texts = {kind for kind in self.kinds if kind != "null" and kind not in TYPES}
        if DECIMAL in texts and texts <= {DECIMAL, "zero"}:
            return DECIMAL
        if texts == {"date", "date-time"}:
            return "date-time"
        return texts.pop() if len(texts) == 1 and texts <= {"date", "date-time"} else None


class Shape:
    """What the records of one stream look like.

    - ``keys``: fields that are never null
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self.keys, self.records = tuple(keys), 0
        self.fields: dict[str, Facts] = {}

    def add(self, record: Mapping[str, Any]) -> None:
        """Look at one more record."""
        self.records += 1
        for name, value in record.items():
            self.fields.setdefault(name, Facts()).add(value)

    def empty(self, name: str) -> int:
        """Records in which a field was null or not there at all."""
        return self.records - self.fields[name].filled

    def schema(self) -> dict[str, Any]:
        """The JSON schema that they fit.

        - every field but the keys may be null: what a sample does not show may come tomorrow
        - a field with no value so far may hold anything
        """
        properties = {name: self.declared(name) for name in self.fields}
        required = [key for key in self.keys if key in properties]
        return {"type": "object", "properties": properties, **({"required": required} if required else {})}

    def declared(self, name: str) -> dict[str, Any]:
        """One field's part of the schema."""
        facts = self.fields[name]
        types = sorted(facts.types() - ({"boolean"} if facts.false_for_null else set()))
        known: list[str] = types or ["array", "boolean", "number", "object", "string"]
        wanted = known if name in self.keys and types else [*known, "null"]
        declared: dict[str, Any] = {"type": wanted[0] if len(wanted) == 1 else wanted}
        form = facts.format() if types == ["string"] else None
        if form:
            declared["format"] = form
        if form == DECIMAL:
            whole, scale = facts.digits
            declared |= {"precision": min(38, max(DIGITS, whole + scale + 6)), "scale": scale}
        declared["description"] = self._description(facts, types, form)
        return declared

    def _description(self, facts: Facts, types: Sequence[str], form: str | None) -> str:
        what = NAMES[form] if form else " or ".join(NAMES[name] for name in types) or "never filled"
        told = f"{what}, in {_percent(facts.filled / self.records)} of {self.records:,} records"
        if types == ["string"] and not form:
            told += f", up to {facts.longest:,} characters"
        elif types in (["array"], ["object"]):
            told += f", up to {facts.longest:,} {'entries' if types == ['array'] else 'fields'}"
        return f"{told[0].upper()}{told[1:]}."

    def advice(self) -> list[str]:
        """What the manifest should say about values that are not what they look like."""
        told = []
        for name, facts in self.fields.items():
            types = facts.types()
            if facts.false_for_null:
                told.append(f"{name}: false stands for no value: values = Values(empty=(False,))")
            elif types in ({"integer", "string"}, {"number", "string"}):
                told.append(f'{name}: numbers and texts are mixed: values = Values(texts=("{name}",))')
            elif len(types) > 1:
                told.append(f"{name}: {' and '.join(sorted(types))} are mixed; it stays JSON")
            elif types == {WHOLE} and facts.like_epoch and name not in self.keys:
                told.append(f'{name}: looks like seconds since 1970: values = Values(moments={{"{name}": "epoch"}})')
        return told


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return WHOLE if -(2**63) <= value < 2**63 else FRACTION
    if isinstance(value, float):
        return FRACTION
    if isinstance(value, dict):
        return "object"
    return "array" if isinstance(value, list) else kind_of_text(str(value))


def _percent(share: float) -> str:
    if 0 < share < 0.01:
        return "under 1 %"
    return f"{99 if 0.99 < share < 1 else round(share * 100)} %"
