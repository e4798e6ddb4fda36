"""People as Google knows them: identifiers, normalised and hashed, and the text by which they are taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


def handles_of(payloads: Sequence[Mapping[str, Any]], country: str | None) -> list[str]:
    """The identifiers of each person as compact JSON, in order; empty where nothing tells who it is.

    ``country``: of people whose row names none.
    """
    rows = [{**payload, "country": payload.get("country") or country} for payload in payloads] if country else payloads
    prepared = GOOGLE.prepare(rows)
    found = (_identifiers(row, prepared.further.get(place, {})) for place, row in enumerate(prepared.rows))
    return [_told(identifiers).decode() if identifiers else "" for identifiers in found]


def _identifiers(row: Mapping[str, str], further: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    emails = [row["email"], *further.get("email", ())] if "email" in row else []
    phones = [row["phone"], *further.get("phone", ())] if "phone" in row else []
    address = {name: row[part] for part, name in ADDRESS.items() if part in row}
    found: list[dict[str, Any]] = [{"address": address}] if len(address) == len(ADDRESS) else []
    found += [{"emailAddress": email} for email in emails] + [{"phoneNumber": phone} for phone in phones]
    return found[:MOST_IDENTIFIERS]


def member_of(handle: str, without: Iterable[str] = ()) -> dict[str, Any] | None:
    """The audience member of a handle, without the identifiers of other handles; None when none is left."""
    kept = [_told(one) for other in without for one in _read(other)]
    identifiers = [one for one in _read(handle) if _told(one) not in kept]
    return {"userData": {"userIdentifiers": identifiers}} if identifiers else None
