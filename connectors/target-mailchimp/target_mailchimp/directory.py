"""What an audience knows of the addresses that we are about to write: nobody is written blindly.

Few addresses are asked for one by one; for many the whole audience is read once a run, a thousand contacts a call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from target_mailchimp.account import A_PAGE, Account

ONE_BY_ONE = 20
ALSO_ARCHIVED = ("", "archived")


class Seen(NamedTuple):
    """A contact as last read: its status, and the customer_id that stands in it."""

    status: str
    key: str


class Directory:
    """Contacts of one audience by address; ``field`` is the merge field with the customer_id."""

    def __init__(self, account: Account, list_id: str, field: str) -> None:
        self.account, self.list_id, self.field = account, list_id, field
        self._known: dict[str, Seen | None] = {}
        self._whole = False
        self._since = (datetime.now(UTC) - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S+00:00")

    def __getitem__(self, email: str) -> Seen | None:
        """The contact of an address that was learnt; None when there is none."""
        return self._known.get(email.lower())

    def learn(self, emails: Iterable[str]) -> None:
        """Read what is not known yet."""
        unknown = {email.lower() for email in emails} - self._known.keys()
        if self._whole or not unknown:
            return
        if len(unknown) > ONE_BY_ONE and len(unknown) > self._pages():
            self._read(ALSO_ARCHIVED)
            self._whole = True
        else:
            self._ask(unknown)

    def refresh(self, emails: Iterable[str]) -> None:
        """Read again what somebody, or an earlier try of ours, has changed in the meantime."""
        wanted = {email.lower() for email in emails}
        if len(wanted) > ONE_BY_ONE:
            self._read(("",), since_last_changed=self._since)
        else:
            self._ask(wanted)

    def note(self, contact: Mapping[str, Any]) -> None:
        """One contact as an answer shows it."""
        email = str(contact.get("email_address") or "").lower()
        if email:
            self._known[email] = Seen(str(contact.get("status")), self.key_of(contact))

    def key_of(self, contact: Mapping[str, Any]) -> str:
        """The customer_id in a contact; empty when there is none."""
        return str((contact.get("merge_fields") or {}).get(self.field) or "")

    def _ask(self, emails: Iterable[str]) -> None:
        for email in sorted(emails):
            contact = self.account.of_contact("GET", self.list_id, email)
            self._known[email] = None
            if contact is not None:
                self.note(contact)

    def _read(self, statuses: Iterable[str], **query: Any) -> None:
        fields = f"members.email_address,members.status,members.merge_fields.{self.field}"
        for status in statuses:
            more = {"status": status} if status else {}
            for contact in self.account.pages(
                f"/lists/{self.list_id}/members", "members", fields=fields, **more, **query
            ):
                self.note(contact)

    def _pages(self) -> int:
        found = self.account.read(f"/lists/{self.list_id}/members", count=1, fields="total_items")
        return int(found["total_items"]) // A_PAGE + 2
