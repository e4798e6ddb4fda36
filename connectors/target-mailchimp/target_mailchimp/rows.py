"""One row of an audience in the shape of a Mailchimp contact."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from snello.kit.channel import Change
from target_mailchimp.account import LONGEST_TAG

NAMES = {"first_name": "FNAME", "last_name": "LNAME"}
DAY = re.compile(r"\d{4}-(\d{2})-(\d{2})")


@dataclass
class Row:
    """A change, its address as given, and its merge fields; ``former_held``: the earlier address that is renamed."""

    change: Change
    email: str
    fields: Mapping[str, Any]
    former_held: str = field(default="", compare=False)

    @property
    def key(self) -> str:
        """The customer_id."""
        return self.change.key

    @property
    def keys(self) -> tuple[str, ...]:
        """The customer_ids under which the contact may stand."""
        return (self.change.key, *filter(None, [self.change.moved_from]))

    @property
    def former(self) -> tuple[str, ...]:
        """Addresses that Mailchimp may know the customer by, other than the one of now."""
        return tuple(email for email in self.change.handles if email != self.email.lower())

    def member(self, status: str | None) -> dict[str, Any]:
        """As a body; without a status the contact keeps its own."""
        told = {"status": status} if status else {}
        return {"email_address": self.email, **told, "merge_fields": dict(self.fields)}


def attribute_of(column: str, mapping: Mapping[str, str]) -> str:
    """The merge field of a column; empty when it is kept back."""
    return mapping.get(column, NAMES.get(column, column.upper()[:LONGEST_TAG]))


def merged(value: Any, kind: str) -> Any:
    """A value as a merge field of this type takes it; nothing empties the field."""
    if value is None:
        return ""
    if kind == "birthday" and (day := DAY.match(str(value))):
        return f"{day[1]}/{day[2]}"
    if kind == "date" and DAY.match(str(value)):
        return str(value)[:10]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


def kind_of(values: Iterable[Any]) -> str:
    """The type of merge field that fits the first value there is."""
    value = next((value for value in values if value is not None), None)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return "date" if DAY.fullmatch(str(value)) else "text"
