"""Many contacts in one call, without Brevo's merging, and with a verdict a row.

An import gives no verdicts, and where a row links two contacts Brevo merges them and deletes one. So an import is given
only rows that can link nothing, is read back, and what it did not take is left to the caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from snello.kit.channel import Change, Verdict
from target_brevo.account import Account

MOST_BYTES = 8_000_000  # of the 10 MB allowed: Brevo's own advice


@dataclass
class Census:
    """Who holds which identifier in the account."""

    email_of: dict[str, str]  # by ext_id
    ext_id_of: dict[str, str]  # by e-mail; empty when the contact has none
    blocked: set[str] = field(default_factory=set)  # e-mails that Brevo writes to no more

    @classmethod
    def of(cls, contacts: Iterable[dict[str, Any]]) -> Census:
        """From a listing of contacts."""
        census = cls({}, {})
        for contact in contacts:
            census.note(contact)
        return census

    def note(self, contact: dict[str, Any]) -> None:
        """One contact more."""
        ext_id, email = ext_id_of(contact), (contact.get("email") or "").lower()
        if ext_id:
            self.email_of[ext_id] = email
        if email:
            self.ext_id_of[email] = ext_id
        if email and contact.get("emailBlacklisted"):
            self.blocked.add(email)

    def may_import(self, key: str, email: str) -> bool:
        """Whether a row with both identifiers touches one contact at most, neither another's nor a blocked one."""
        holder, held = self.ext_id_of.get(email.lower()), self.email_of.get(key)
        return email.lower() not in self.blocked and holder in (None, "", key) and held in (None, email.lower())


def ext_id_of(contact: dict[str, Any]) -> str:
    """A contact's external id, our customer_id; empty when it has none."""
    return str((contact.get("attributes") or {}).get("EXT_ID") or contact.get("ext_id") or "")


@dataclass
class Import:
    """Imports into one list."""

    account: Account
    list_id: int
    seconds: float

    def run(self, rows: Sequence[tuple[Change, dict[str, Any]]], census: Census) -> Iterator[Verdict]:
        """A verdict for each row that the list holds afterwards; the others are the caller's to send one by one."""
        for part in _parts(rows):
            process, since = self.account.start_import([_row(change, body) for change, body in part], self.list_id)
            if not self.account.wait_for(process, self.seconds):
                continue
            sent = {change.key for change, _ in part}
            for contact in self.account.contacts(modifiedSince=since):
                census.note(contact)
                if self.list_id in contact.get("listIds", []) and ext_id_of(contact) in sent:
                    yield Verdict.delivered(ext_id_of(contact), str(contact["id"]))


def _row(change: Change, body: dict[str, Any]) -> dict[str, Any]:
    return {"email": body["email"], "attributes": {**body["attributes"], "EXT_ID": change.key}}


def _parts(rows: Sequence[tuple[Change, dict[str, Any]]]) -> Iterator[list[tuple[Change, dict[str, Any]]]]:
    part: list[tuple[Change, dict[str, Any]]] = []
    size = 0
    for change, body in rows:
        length = len(msgspec.json.encode(_row(change, body))) + 1
        if part and size + length > MOST_BYTES:
            yield part
            part, size = [], 0
        part.append((change, body))
        size += length
    if part:
        yield part
