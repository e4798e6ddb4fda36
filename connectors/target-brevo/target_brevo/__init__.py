"""Keep a Brevo list equal to an audience: upsert its members' contacts, take the departed off the list."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from datetime import date
from functools import cached_property
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field, SecretStr

from snello.kit.channel import (
    ActivationSink,
    ActivationTarget,
    BatchRefused,
    Bounce,
    Change,
    ChannelSettings,
    Held,
    Size,
    Verdict,
)
from snello.kit.entry import entry
from target_brevo.account import CONTACTS_A_PAGE, Account
from target_brevo.blocks import bounces
from target_brevo.importing import Census, Import, ext_id_of

NAMES = {"first_name": "FIRSTNAME", "last_name": "LASTNAME"}
LIST_CALL = 150
FIXED_CALLS, POLLS = 5, 3
UNSPECIFIC = frozenset({"invalid_parameter", "document_not_found", "404"})
ONE_BY_ONE = 50  # up to here, calls of their own are quicker than an import


class Settings(ChannelSettings):
    """Settings of target-brevo."""

    api_key: SecretStr = Field(description="API key, version 3.")
    api_url: str = Field("https://api.brevo.com/v3", pattern="^https?://", description="Root of the interface.")
    list_id: int | None = Field(None, description="Number of the list to keep.")
    list_name: str | None = Field(None, description="Its name instead. Default: the sync's list, else the sync's name.")
    create_list: bool = Field(False, description="Make the list when the account has none of that name.")
    folder_id: int = Field(1, description="Folder in which a list is made.")
    email: str = Field("email", description="The audience's column with the address.")
    attributes: dict[str, str] = Field(
        {},
        description="Column to attribute; an empty attribute keeps the column back. Default: first_name to FIRSTNAME, "
        "last_name to LASTNAME, any other column to its name in capitals.",
    )
    create_attributes: bool = Field(False, description="Make the attributes that the account does not have.")
    requests_per_second: float = Field(10, gt=0, description="Most calls a second; Brevo's general tier allows 10.")
    read_back: Literal["changes", "always", "never"] = Field(
        "changes", description="When blocked contacts are read back: after runs with changes, after each run, or never."
    )
    import_timeout: float = Field(600, gt=0, description="Seconds to wait for an import.")


class Contacts(ActivationSink[Settings]):
    """One contact a customer, with the customer_id as ``ext_id``, so that a removal needs no address."""

    name, purpose, max_size = "contacts", "email_marketing", 10_000
    modes = frozenset({"mirror", "upsert", "insert", "update"})
    _checked = False

    def requests(self, upserts: int, removals: int) -> int:
        """Two calls each up to 50; above, imports with what is read back, and the account's first thousand contacts."""
        imports = -(-upserts // self.max_size)
        many = imports * (1 + POLLS) + -(-upserts // CONTACTS_A_PAGE) + 1
        return FIXED_CALLS + (many if upserts > ONE_BY_ONE else 2 * upserts) + -(-removals // LIST_CALL)

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Contacts as the payload says, on the list; many by import, few one by one."""
        self._check_attributes(changes)
        if changes[0].mode == "update":
            yield from (self._one(change, self._body(change), self._updated) for change in changes)
            return
        rows: list[tuple[Change, dict[str, Any]]] = []
        seen: set[str] = set()
        for change in changes:
            body = self._body(change)
            if not body["email"]:
                yield Verdict.refused(change.key, "no_email")
            elif body["email"].lower() in seen:
                yield Verdict.refused(change.key, "duplicate_email")
            else:
                seen.add(body["email"].lower())
                rows.append((change, body))
        if self._worth_importing(len(rows)):
            rows = yield from self._imported(rows)
        for change, body in rows:
            yield self._one(change, body)

    def move(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """The contact of a customer who is another now, under the other's ``ext_id``; no second one."""
        self._check_attributes(changes)
        for change in changes:
            yield self._one(change, self._body(change), self._moved)

    def erase(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """The contact itself, whoever else made use of it."""
        for change in changes:
            self.account.delete(change.key)
            yield Verdict.delivered(change.key)

    def listing(self) -> Iterator[Held]:
        """The contacts on the list that bear a customer_id."""
        for contact in self.account.members(self.list_id):
            if key := ext_id_of(contact):
                yield Held(key, str(contact["id"]))

    def size(self) -> Size:
        """Contacts on the list, ours and others'."""
        return Size(int(self.account.read(f"/contacts/lists/{self.list_id}")["uniqueSubscribers"]))

    def bounced(self) -> Iterable[Bounce]:
        """Contacts of ours on the list that Brevo writes to no more, and those that a write came upon."""
        used, when = "account" in self.__dict__, self.settings.read_back
        if when == "always" or (when == "changes" and used):
            yield from bounces(self.account, self.account.members(self.list_id), self._blocked)

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Off the list; the contact stays, for we cannot know who else made use of it."""
        for start in range(0, len(changes), LIST_CALL):
            keys = [change.key for change in changes[start : start + LIST_CALL]]
            path = f"/contacts/lists/{self.list_id}/contacts/remove"
            try:
                taken = self.account.send("POST", path, {"extIds": keys}).json()["contacts"].get("success") or []
            except BatchRefused as fault:  # Brevo's answer when not one of them was on the list
                if fault.status != 400:
                    self.account.check_list(self.list_id)
                    raise
                taken = []
            for key in keys:
                yield Verdict.delivered(key) if key in taken else self._gone(key)

    def close(self) -> None:
        """Close the connection."""
        if "account" in self.__dict__:
            self.account.http.close()

    @cached_property
    def account(self) -> Account:
        """The account under the settings' key."""
        settings = self.settings
        key = settings.api_key.get_secret_value()
        retry = settings.retry.also("x-sib-ratelimit-reset")
        return Account(settings.api_url, key, retry, settings.requests_per_second)

    @cached_property
    def list_id(self) -> int:
        """The list, found or made once a run."""
        settings = self.settings
        if settings.list_id is not None:
            return self.account.check_list(settings.list_id)
        name = settings.list_name or self.title
        return self.account.list_called(name, settings.folder_id if settings.create_list else None)

    @cached_property
    def _census(self) -> Census:
        return Census.of(self.account.contacts())

    @cached_property
    def _blocked(self) -> dict[str, str]:
        """Customers whose contact a write found blocked, with the address."""
        return {}

    @cached_property
    def _pages(self) -> int:
        return int(self.account.read("/contacts", limit=1)["count"]) // CONTACTS_A_PAGE + 1

    def _worth_importing(self, rows: int) -> bool:
        """Whether an import, with the listing that makes it safe, takes fewer calls."""
        if rows <= ONE_BY_ONE:
            return False
        return "_census" in self.__dict__ or rows > ONE_BY_ONE + self._pages

    def _imported(
        self, rows: list[tuple[Change, dict[str, Any]]]
    ) -> Generator[Verdict, None, list[tuple[Change, dict[str, Any]]]]:
        """Verdicts of what an import took; returns the rows that are left."""
        safe = [row for row in rows if self._census.may_import(row[0].key, row[1]["email"])]
        done: set[str] = set()
        if safe:
            self.account.check_list(self.list_id)
        for verdict in Import(self.account, self.list_id, self.settings.import_timeout).run(safe, self._census):
            done.add(verdict.key)
            yield verdict
        return [row for row in rows if row[0].key not in done]

    def _gone(self, key: str) -> Verdict:
        contact = self.account.contact(key, "ext_id")
        if contact is None or self.list_id not in contact.get("listIds", []):
            return Verdict.delivered(key)
        return Verdict.retry(key, "still_listed")

    def _one(
        self, change: Change, body: dict[str, Any], write: Callable[[Change, dict[str, Any]], Verdict] | None = None
    ) -> Verdict:
        try:
            return (write or self._written)(change, body)
        except BatchRefused as fault:
            if fault.code in UNSPECIFIC:  # a list that is gone is told in the same word as a bad value
                self.account.check_list(self.list_id)
            return Verdict.refused(change.key, fault.code)

    def _written(self, change: Change, body: dict[str, Any]) -> Verdict:
        """Read before writing: neither another customer's contact is taken over, nor two contacts merged."""
        if change.known and self._put("ext_id", change.key, body):
            return Verdict.delivered(change.key)
        holder = self.account.contact(body["email"], "email_id")
        if holder is None:
            return self._created(change, body)
        if ext_id_of(holder) not in ("", change.key):
            return Verdict.refused(change.key, "duplicate_email")
        if holder.get("emailBlacklisted"):
            self._blocked[change.key] = body["email"]
            return Verdict.refused(change.key, "blocked")
        self._put("contact_id", str(holder["id"]), {**body, "ext_id": change.key})
        return Verdict.delivered(change.key, str(holder["id"]))

    def _updated(self, change: Change, body: dict[str, Any]) -> Verdict:
        if self._put("ext_id", change.key, body):
            return Verdict.delivered(change.key)
        return Verdict.refused(change.key, "not_there")

    def _moved(self, change: Change, body: dict[str, Any]) -> Verdict:
        """A contact that is gone, or renamed by a try whose answer was lost, is written as any other."""
        if self._put("ext_id", change.moved_from or "", {**body, "ext_id": change.key}):
            return Verdict.delivered(change.key)
        return self._written(change, body)

    def _created(self, change: Change, body: dict[str, Any]) -> Verdict:
        whole = {**body, "ext_id": change.key, "listIds": [self.list_id]}
        try:
            answer = self.account.send("POST", "/contacts", whole)
        except BatchRefused as fault:
            # an earlier try, whose answer was lost, may have made it
            if fault.code in ("duplicate_email", "duplicate_ext_id") and self._put("ext_id", change.key, body):
                return Verdict.delivered(change.key)
            raise
        return Verdict.delivered(change.key, str(answer.json()["id"]))

    def _put(self, kind: str, identifier: str, body: dict[str, Any]) -> bool:
        """Update a contact and put it on the list; False when there is no such contact."""
        attributes = {**body["attributes"], "EMAIL": body["email"]}
        rest = {name: value for name, value in body.items() if name == "ext_id"}
        path = f"/contacts/{quote(identifier, safe='')}?identifierType={kind}"
        whole = {**rest, "attributes": attributes, "listIds": [self.list_id]}
        try:
            self.account.send("PUT", path, whole, place="/contacts/{identifier}")
        except BatchRefused as fault:
            if fault.status == 404:
                return False
            raise
        return True

    def _body(self, change: Change) -> dict[str, Any]:
        attributes = {
            attribute: "" if value is None else value
            for column, value in change.payload.items()
            if (attribute := self._attribute(column))
        }
        return {"email": str(change.payload.get(self.settings.email) or "").strip(), "attributes": attributes}

    def _attribute(self, column: str) -> str:
        if column in ("customer_id", self.settings.email):
            return ""
        return self.settings.attributes.get(column, NAMES.get(column, column.upper()))

    def _check_attributes(self, changes: Sequence[Change]) -> None:
        """Once a run, before the first call that writes."""
        if self._checked:
            return
        wanted = {
            attribute: _kind(change.payload.get(column) for change in changes)
            for column in changes[0].payload
            if (attribute := self._attribute(column))
        }
        self.account.check_attributes(wanted, self.settings.create_attributes)
        self._checked = True


class TargetBrevo(ActivationTarget):
    """Singer target that keeps a Brevo list equal to an audience."""

    name = "target-brevo"
    sinks = (Contacts,)
    settings = Settings


def _kind(values: Iterable[Any]) -> str:
    """The type of attribute that fits the first value there is."""
    value = next((value for value in values if value is not None), None)
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "float"
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return "text"
    return "date"


main = entry(TargetBrevo)
