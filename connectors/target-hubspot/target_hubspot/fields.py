"""Which column goes to which property, and in what form; the account is asked whether it has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from snello.kit.channel import BatchRefused, ConfigError, choices
from target_hubspot.account import Account
from target_hubspot.faults import WHERE

NAMES = {"first_name": "firstname", "last_name": "lastname", "postcode": "zip"}
OPT_OUT = re.compile(r"hs_email_(optout|bounce|hard_bounce|quarantined|blacklisted)|hs_legal_basis|hs_marketable_")
YES_NO = [{"label": label, "value": value} for label, value in (("Yes", "true"), ("No", "false"))]
ID = "id"
KINDS: dict[str, dict[str, Any]] = {
    "bool": {"type": "bool", "fieldType": "booleancheckbox", "options": YES_NO},
    "number": {"type": "number", "fieldType": "number"},
    "date": {"type": "date", "fieldType": "date"},
    "datetime": {"type": "datetime", "fieldType": "date"},
    "string": {"type": "string", "fieldType": "text"},
    ID: {"type": "string", "fieldType": "text", "hasUniqueValue": True},
}


class Fields:
    """The audience's columns as a contact's properties.

    - ``given``: column to property, an empty property keeps the column back; ``kept_back``: columns that go nowhere
    - ``clear``: columns whose blank clears the property; any other blank leaves there what is there
    """

    def __init__(self, email: str, given: Mapping[str, str], clear: Sequence[str], kept_back: Iterable[str]) -> None:
        self.given = {email: "email", **NAMES, **given, **dict.fromkeys(kept_back, "")}
        self.clear = frozenset(clear)

    def of(self, column: str) -> str:
        """The property of a column; empty when it is kept back."""
        return self.given.get(column, column.lower())

    def body(self, payload: Mapping[str, Any]) -> dict[str, str]:
        """The properties to write."""
        texts = {column: text_of(value) for column, value in payload.items()}
        written = {column: text for column, text in texts.items() if text or column in self.clear}
        return {name: text for column, text in written.items() if (name := self.of(column))}

    def wanted(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """The properties that these rows' columns go to, with the type that fits. Raises ``ConfigError``."""
        found = {name: kind_of(row.get(column) for row in rows) for column in rows[0] if (name := self.of(column))}
        for name in found:
            if OPT_OUT.match(name):
                cure = "keep its column back: who left in HubSpot stays away"
                raise ConfigError(WHERE, f"the property {name} is not for us to write", cure)
        if any(self.of(column) == "lifecyclestage" for column in self.clear):
            cure = "take its column out of clear: a lifecycle stage goes forward only"
            raise ConfigError(WHERE, "lifecyclestage would be cleared", cure)
        return found


def check(account: Account, wanted: Mapping[str, str], id_property: str, create: bool, mark: str | None = None) -> None:
    """See that the account has these properties, names contacts by ``id_property`` and can say yes or no in ``mark``.

    Raises ``ConfigError``.
    """
    known = {one["name"]: one for one in account.read("/crm/v3/properties/contacts")["results"]}
    if id_property in known and not known[id_property].get("hasUniqueValue"):
        cure = "set id_property to another name: HubSpot makes no existing property unique"
        raise ConfigError(WHERE, f"the property {id_property} may hold one value twice", cure)
    if mark in known and not _yes_or_no(known[mark]):
        cure = "name a single checkbox in member_property, or a property that is not there yet"
        raise ConfigError(WHERE, f"the property {mark} knows no yes and no", cure)
    for name, kind in {**wanted, id_property: ID}.items():
        if name not in known:
            if not create:
                cure = f"map its column in properties, or set create_properties; {choices(name, known)}"
                raise ConfigError(WHERE, f"the account has no property {name}", cure)
            if not _made(account, name, kind):
                check(account, wanted, id_property, create, mark)
                return
        elif (known[name].get("modificationMetadata") or {}).get("readOnlyValue"):
            cure = "map its column to another property"
            raise ConfigError(WHERE, f"HubSpot lets nobody write the property {name}", cure)


def _yes_or_no(found: Mapping[str, Any]) -> bool:
    """Whether a property may be ``true`` and ``false``: a checkbox, or a choice with these two among its values."""
    values = {str(one.get("value")) for one in found.get("options") or ()}
    return found["type"] == "bool" or (found["type"] == "enumeration" and {"true", "false"} <= values)


def _made(account: Account, name: str, kind: str) -> bool:
    """Make a property; False when it is there by now: an earlier try's answer may have been lost."""
    body = {"name": name, "label": name.replace("_", " "), "groupName": "contactinformation", **KINDS[kind]}
    try:
        account.send("POST", "/crm/v3/properties/contacts", body)
    except BatchRefused as fault:
        if fault.status == 409:
            return False
        what = f"HubSpot does not make the property {name} ({fault.code})"
        raise ConfigError(WHERE, what, "make it in HubSpot; ten properties at most may be unique") from None
    return True


def text_of(value: Any) -> str:
    """A value as HubSpot reads it; empty for a blank."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ";".join(text for one in value if (text := text_of(one)))
    return str(value).strip()


def kind_of(values: Iterable[Any]) -> str:
    """The type of property that fits the first value there is."""
    value = next((value for value in values if value is not None), None)
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        return "string"
    return "date" if len(str(value)) == len("2026-01-31") else "datetime"
