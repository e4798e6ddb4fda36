"""Which contact a customer is: by our own field that says so, else by what both sides know, never by a guess."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from snello.kit.channel import Change
from target_suitecrm.crm import Crm, Record, same

CONTACTS = "Contacts"


@dataclass
class Found:
    """Contacts by customer_id, and why others have none; ``lost``: customers whose contact was deleted or merged."""

    contacts: dict[str, Record] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    def open(self, changes: Sequence[Change]) -> list[Change]:
        """Changes that nothing is known of yet."""
        return [one for one in changes if one.key not in self.contacts.keys() | self.refused.keys()]


class People:
    """Contacts whose field ``id_field`` holds a customer_id, and the search for those that have none yet."""

    def __init__(self, crm: Crm, id_field: str, match: Sequence[tuple[str, str]]) -> None:
        self.crm, self.id_field, self.match = crm, id_field, match
        self._claims: dict[str, str] = {}
        self._claiming = threading.Lock()

    def known(self, keys: Iterable[str]) -> dict[str, list[Record]]:
        """All contacts that bear these customer_ids."""
        return self.crm.having(CONTACTS, self.id_field, keys, [self.id_field])

    def found(self, changes: Sequence[Change]) -> Found:
        """The contact of each, refusing what is not certain.

        - ``ambiguous``: several contacts bear the customer_id, or the value that they were looked for by
        - ``taken``: the contact is another customer's
        """
        found = Found()
        for key, held in self.known([one.key for one in changes]).items():
            if len(held) > 1:
                found.refused[key] = "ambiguous"
            else:
                found.contacts[key] = held[0]
        for column, name in self.match:
            self._matched(found, changes, column, name)
        self._remembered(found, changes)
        return found

    def _matched(self, found: Found, changes: Sequence[Change], column: str, name: str) -> None:
        values = {one.key: text for one in found.open(changes) if (text := _text(one.payload.get(column)))}
        if not values:
            return
        if name == "id":
            read = {text: self.crm.read(CONTACTS, text, [self.id_field]) for text in set(values.values())}
            holders = {text: [record] for text, record in read.items() if record is not None}
        else:
            holders = self.crm.having(CONTACTS, name, values.values(), [self.id_field])
        for key, text in values.items():
            held = holders.get(same(name, text)) or []
            if len(held) > 1:
                found.refused[key] = "ambiguous"
            elif held:
                self._take(found, key, held[0])

    def _remembered(self, found: Found, changes: Sequence[Change]) -> None:
        """By the id that the ledger remembers: somebody may have emptied our field."""
        for change in found.open(changes):
            if not change.remote_id:
                continue
            record = self.crm.read(CONTACTS, change.remote_id, [self.id_field])
            if record is None:
                found.lost.add(change.key)
            else:
                self._take(found, change.key, record)

    def remembered(self, change: Change) -> list[Record]:
        """The contact that the ledger remembers, where it bears no customer_id any more."""
        record = self.crm.read(CONTACTS, change.remote_id, [self.id_field]) if change.remote_id else None
        return [record] if record and not record.fields.get(self.id_field) else []

    def _take(self, found: Found, key: str, record: Record) -> None:
        """A contact that bears no customer_id yet, for one customer alone, also of those under way in other threads."""
        owner = record.fields.get(self.id_field) or ""
        with self._claiming:
            free = owner in ("", key) and self._claims.setdefault(record.id, key) == key
        if free:
            found.contacts[key] = record
        else:
            found.refused[key] = "taken"


def only(pairs: Mapping[str, list[Record]]) -> dict[str, Record]:
    """The contacts of those who have one alone."""
    return {key: held[0] for key, held in pairs.items() if len(held) == 1}


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
