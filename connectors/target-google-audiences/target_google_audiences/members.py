"""People as Google knows them: identifiers, normalised and hashed, and the text by which they are taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from snello.kit.platforms import GOOGLE

MOST_IDENTIFIERS = 10
ADDRESS = {
    "given_name": "givenName",
    "family_name": "familyName",
    "region_code": "regionCode",
    "postal_code": "postalCode",
}
Identifier = Mapping[str, Any]
_told = msgspec.json.Encoder(order="sorted").encode
_read = msgspec.json.Decoder(list[dict[str, Any]]).decode


def handles_of(
    payloads: Sequence[Mapping[str, Any]], country: str | None, emptied: Counter[str] | None = None
) -> list[str]:
    """The identifiers of each person as compact JSON, in order; empty where nothing tells who it is.

    - ``country``: of people whose row names none
    - ``emptied`` counts the values, by field, of which nothing was left
    """
    prepared = GOOGLE.prepare(_placed(payloads, country))
    if emptied is not None:
        emptied.update(prepared.dropped)
    found = (_identifiers(row, prepared.further.get(place, {})) for place, row in enumerate(prepared.rows))
    return [_told(identifiers).decode() if identifiers else "" for identifiers in found]


def legible(rows: Sequence[Mapping[str, Any]], country: str | None) -> list[list[str]]:
    """Of each row, the columns of which something is left once it is normalised; ``country``: where it names none."""
    fields = {name: GOOGLE.fields[name] for row in rows[:1] for name in row if name in GOOGLE.fields}
    prepared = GOOGLE.prepare(_placed(rows, country))
    return [[name for name, field in fields.items() if field in one] for one in prepared.rows]


def _placed(rows: Sequence[Mapping[str, Any]], country: str | None) -> Sequence[Mapping[str, Any]]:
    return [{**row, "country": row.get("country") or country} for row in rows] if country else rows


def _identifiers(row: Mapping[str, str], further: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    emails = [row["email"], *further.get("email", ())] if "email" in row else []
    phones = [row["phone"], *further.get("phone", ())] if "phone" in row else []
    address = {name: row[part] for part, name in ADDRESS.items() if part in row}
    found: list[dict[str, Any]] = [{"address": address}] if len(address) == len(ADDRESS) else []
    found += [{"emailAddress": email} for email in emails] + [{"phoneNumber": phone} for phone in phones]
    return found[:MOST_IDENTIFIERS]


def marks_of(handle: str) -> list[str]:
    """The identifiers of a handle, each as one text: an address, a number, or the names with their place."""
    return [_told(one).decode() for one in _read(handle)]


def member_of(handle: str, without: Collection[str] = ()) -> dict[str, Any] | None:
    """The audience member of a handle, without some of its identifiers; None when none is left."""
    identifiers = [one for one in _read(handle) if not without or _told(one).decode() not in without]
    return {"userData": {"userIdentifiers": identifiers}} if identifiers else None


def texts_of(member: Mapping[str, Any]) -> list[str]:
    """The identifiers of a member, as ``marks_of`` writes them."""
    return [_told(one).decode() for one in member["userData"]["userIdentifiers"]]
