"""Keep a tag of a Mailchimp audience equal to an audience: write its contacts, untag the departed."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Literal

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
from target_mailchimp.account import MOST, Account, root_of, word_for
from target_mailchimp.directory import Directory
from target_mailchimp.rows import Row, attribute_of, kind_of, merged

LEFT = {"unsubscribed": "unsubscribed", "cleaned": "hard"}
EVERYBODY = {"include_unsubscribed": "true", "include_cleaned": "true", "include_transactional": "true"}
FIXED_CALLS = 5  # audience, merge fields, tag, the size at the end, unsubscriptions


class Settings(ChannelSettings):
    """Settings of target-mailchimp."""

    api_key: SecretStr = Field(description="API key; it ends with the account's datacentre, as in -us21.")
    api_url: str | None = Field(
        None, pattern="^https?://", description="Root of the interface. Default: that of the key's datacentre."
    )
    list_id: str | None = Field(None, description="Id of the Mailchimp audience.")
    list_name: str | None = Field(None, description="Its name instead. Default: the only audience of the account.")
    tag: str | None = Field(None, description="The tag to keep. Default: the sync's list, else the sync's name.")
    create_tag: bool = Field(False, description="Make the tag when the audience has none of that name.")
    email: str = Field("email", description="The audience's column with the address.")
    customer_field: str = Field("EXTID", max_length=10, description="Merge field that holds the customer_id.")
    merge_fields: dict[str, str] = Field(
        {},
        description="Column to merge field; an empty field keeps the column back. Default: first_name to FNAME, "
        "last_name to LNAME, any other column to its name in capitals, cut to ten.",
    )
    create_merge_fields: bool = Field(False, description="Make the merge fields that the audience does not have.")
    double_opt_in: bool = Field(False, description="New contacts are pending until they confirm by mail.")
    on_leave: Literal["untag", "archive"] = Field(
        "untag", description="What becomes of who leaves; archive spares contacts that carry other tags."
    )
    read_back: Literal["changes", "always", "never"] = Field(
        "changes", description="When unsubscriptions are read back: after runs with changes, after each run, or never."
    )
    requests_per_second: float = Field(10, gt=0, description="Most calls a second.")
    timeout: float = Field(120, gt=0, description="Seconds to wait for an answer of the channel.")


class Members(ActivationSink[Settings]):
    """One contact a customer, known to Mailchimp by address, with the customer_id in a merge field."""

    name, purpose, max_size = "members", "email_marketing", MOST
    modes = frozenset({"mirror", "upsert", "insert", "update"})

    def handle(self, change: Change) -> str | None:
        """The address: Mailchimp knows contacts by it alone."""
        return self._email(change).lower() or None

    def requests(self, upserts: int, removals: int) -> int:
        """Two calls for 500 upserts, one for 500 removals, and two a removal where who leaves is archived."""
        each = 2 if self.settings.on_leave == "archive" else 0
        return FIXED_CALLS + 2 * -(-upserts // MOST) + -(-removals // MOST) + each * removals

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Contacts as the payload says, with the tag; nobody's status is changed but that of new ones."""
        rows = yield from self._rows(changes)
        self.directory.learn(email for row in rows for email in (row.email, *row.former))
        new: list[Row] = []
        there: list[Row] = []
        renamed: list[Row] = []
        again: list[Row] = []
        for row in rows:
            step = self._step(row)
            part = {"new": new, "there": there, "renamed": renamed}.get(step)
            if part is None:
                yield Verdict.refused(row.key, step)
            else:
                part.append(row)
        done: list[Row] = []
        for row in renamed:
            yield from self._single(row, row.former_held, done, new)
        yield from self._batch(new, done, again)
        self.directory.refresh(row.email for row in again)
        for row in again:
            step = self._step(row)
            if step == "there":
                there.append(row)
            else:
                yield (
                    Verdict.retry(row.key, "changed_meanwhile")
                    if step in ("new", "renamed")
                    else Verdict.refused(row.key, step)
                )
        yield from self._batch(there, done, None)
        yield from self._tagged(done)

    def move(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """The contact of a customer who is another now, under the other's customer_id; no second one."""
        return self.upsert(changes)

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Without the tag; the contact stays, or is archived when it was ours alone."""
        emails = [email for change in changes for email in change.handles]
        removed = self._untag(emails)
        lost = [change for change in changes if not removed.intersection(change.handles)]
        moved = {change.key: email for change in lost if (email := self._by_key.get(change.key))}
        self._untag(list(moved.values()))
        for change in changes:
            if self.settings.on_leave == "archive":
                self._archive(change, moved.get(change.key))
            yield Verdict.delivered(change.key, "")

    def erase(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """The contact for good, and Mailchimp takes the address from no import again."""
        for change in changes:
            for email in {*change.handles, *filter(None, [self._by_key.get(change.key)])}:
                if self._ours(email, change) is not None:
                    action = "/actions/delete-permanent"
                    self.account.of_contact("POST", self.list_id, email, action=action)
            yield Verdict.delivered(change.key)

    def listing(self) -> Iterator[Held]:
        """The contacts with the tag that bear a customer_id, also those who unsubscribed."""
        for contact in self._members():
            if key := self.directory.key_of(contact):
                yield Held(key)

    def size(self) -> Size:
        """Contacts with the tag that mail reaches, ours and others'."""
        return Size(int(self.account.read(self._segment, fields="member_count")["member_count"]))

    def bounced(self) -> Iterable[Bounce]:
        """Contacts of ours that unsubscribed, or to whom mail could not be delivered."""
        used, when = "account" in self.__dict__, self.settings.read_back
        if when == "never" or (when == "changes" and not used):
            return
        fields = f"members.email_address,members.status,members.merge_fields.{self.settings.customer_field}"
        for status, reason in LEFT.items():
            path = f"/lists/{self.list_id}/members"
            for contact in self.account.pages(path, "members", status=status, fields=fields):
                if key := self.directory.key_of(contact):
                    yield Bounce(key, reason, contact["email_address"])  # type: ignore[arg-type]

    def close(self) -> None:
        """Close the connection."""
        if "account" in self.__dict__:
            self.account.http.close()

    @cached_property
    def account(self) -> Account:
        """The account under the settings' key."""
        settings = self.settings
        key = settings.api_key.get_secret_value()
        return Account(root_of(key, settings.api_url), key, settings.retry, settings.requests_per_second)

    @cached_property
    def list_id(self) -> str:
        """The Mailchimp audience, found once a run."""
        return self.account.list_called(self.settings.list_id, self.settings.list_name)

    @cached_property
    def tag_id(self) -> int:
        """The tag, found or made once a run."""
        return self.account.tag_called(self.list_id, self.settings.tag or self.title, self.settings.create_tag)

    @cached_property
    def directory(self) -> Directory:
        """What the Mailchimp audience knows of our addresses."""
        return Directory(self.account, self.list_id, self.settings.customer_field)

    @property
    def _segment(self) -> str:
        return f"/lists/{self.list_id}/segments/{self.tag_id}"

    def _email(self, change: Change) -> str:
        return str(change.payload.get(self.settings.email) or "").strip()

    def _members(self) -> Iterator[dict[str, Any]]:
        fields = f"members.email_address,members.merge_fields.{self.settings.customer_field}"
        return self.account.pages(f"{self._segment}/members", "members", fields=fields, **EVERYBODY)

    @cached_property
    def _by_key(self) -> dict[str, str]:
        """Addresses with the tag by customer_id: a contact may have changed its own since."""
        return {key: one["email_address"] for one in self._members() if (key := self.directory.key_of(one))}

    def _rows(self, changes: Sequence[Change]) -> Generator[Verdict, None, list[Row]]:
        """The changes that can be sent, once the tag and the merge fields are there."""
        columns = {
            column: tag
            for column in changes[0].payload
            if column not in ("customer_id", self.settings.email)
            and (tag := attribute_of(column, self.settings.merge_fields))
        }
        kinds = self._kinds(changes, columns)
        rows: list[Row] = []
        seen: set[str] = set()
        for change in changes:
            email = self._email(change)
            if not email:
                yield Verdict.refused(change.key, "no_email")
            elif email.lower() in seen:
                yield Verdict.refused(change.key, "duplicate_email")
            else:
                seen.add(email.lower())
                fields = {tag: merged(change.payload[column], kinds[tag]) for column, tag in columns.items()}
                rows.append(Row(change, email, {**fields, self.settings.customer_field: change.key}))
        return rows

    def _kinds(self, changes: Sequence[Change], columns: dict[str, str]) -> dict[str, str]:
        """The types of the merge fields, looked at once a run, before the first call that writes."""
        if "_found" not in self.__dict__:
            wanted = {self.settings.customer_field: "text"}
            for column, tag in columns.items():
                wanted[tag] = kind_of(change.payload.get(column) for change in changes)
            create = self.settings.create_merge_fields
            _ = self.tag_id
            self._found = self.account.check_fields(self.list_id, wanted, create)
        return self._found

    def _step(self, row: Row) -> str:
        """What to do with a row: *new*, *there* or *renamed*; else the word for which it is refused."""
        held = self.directory[row.email]
        if held is None or held.status == "archived":
            for email in row.former:
                former = self.directory[email]
                if former is not None and former.status != "archived" and former.key in row.keys:
                    row.former_held = email
                    return former.status if former.status in LEFT else "renamed"
            return "new" if row.change.mode != "update" else "not_there"
        if held.key not in ("", *row.keys):
            return "duplicate_email"
        return held.status if held.status in LEFT else "there"

    def _batch(self, rows: list[Row], done: list[Row], again: list[Row] | None) -> Iterator[Verdict]:
        """Rows in one call; ``again``: of new ones, who turned out to be there, None where all are there."""
        if not rows:
            return
        status = ("pending" if self.settings.double_opt_in else "subscribed") if again is not None else None
        said = self.account.batch(self.list_id, [row.member(status) for row in rows], again is None)
        faults = {str(fault.get("email_address")).lower(): fault for fault in said["errors"]}
        taken = [*said["new_members"], *said["updated_members"]]
        for contact in taken:
            self.directory.note(contact)
        written = {str(contact["email_address"]).lower() for contact in taken}
        for row in rows:
            fault = faults.get(row.email.lower())
            if row.email.lower() in written:
                done.append(row)
            elif fault is None:
                yield Verdict.retry(row.key, "not_answered")
            elif again is not None and fault.get("error_code") == "ERROR_CONTACT_EXISTS":
                again.append(row)
            elif again is None and fault.get("field") == "status":
                yield from self._single(row, row.email, done, None)
            else:
                yield _judged(row.key, word_for(fault))

    def _single(self, row: Row, email: str, done: list[Row], new: list[Row] | None) -> Iterator[Verdict]:
        """The contact of an address, changed by a call of its own, which needs no status."""
        try:
            contact = self.account.of_contact("PATCH", self.list_id, email, row.member(None))
        except BatchRefused as fault:
            yield _judged(row.key, fault.code)
            return
        if contact is not None:
            self.directory.note(contact)
            done.append(row)
        elif new is not None:
            new.append(row)
        else:
            yield Verdict.retry(row.key, "changed_meanwhile")

    def _tagged(self, rows: list[Row]) -> Iterator[Verdict]:
        """The tag for all of them, and away from addresses that they had before."""
        if not rows:
            return
        former = [email for row in rows for email in row.former if self._stale(row, email)]
        said = self.account.tag(self.list_id, self.tag_id, [row.email for row in rows], former[:MOST])
        self._untag(former[MOST:])
        left = {str(email).lower() for fault in said["errors"] for email in fault.get("email_addresses", [])}
        for row in rows:
            late = row.email.lower() in left
            yield Verdict.retry(row.key, "not_tagged") if late else Verdict.delivered(row.key)

    def _stale(self, row: Row, email: str) -> bool:
        held = self.directory[email]
        return held is not None and email != row.former_held and held.key in row.keys

    def _untag(self, emails: list[str]) -> set[str]:
        """The addresses that had the tag and have it no more."""
        removed: set[str] = set()
        for start in range(0, len(emails), MOST):
            said = self.account.tag(self.list_id, self.tag_id, [], emails[start : start + MOST])
            removed |= {str(one["email_address"]).lower() for one in said["members_removed"]}
        return removed

    def _ours(self, email: str, change: Change) -> dict[str, Any] | None:
        contact = self.account.of_contact("GET", self.list_id, email)
        return contact if contact and self.directory.key_of(contact) == change.key else None

    def _archive(self, change: Change, moved: str | None) -> None:
        for email in {*change.handles, *filter(None, [moved])}:
            contact = self._ours(email, change)
            if contact and contact.get("status") != "archived" and not contact.get("tags_count"):
                self.account.of_contact("DELETE", self.list_id, email)


def _judged(key: str, word: str) -> Verdict:
    return Verdict.retry(key, word) if word == "too_many_signups" else Verdict.refused(key, word)


class TargetMailchimp(ActivationTarget):
    """Singer target that keeps a tag of a Mailchimp audience equal to an audience of ours."""

    name = "target-mailchimp"
    sinks = (Members,)
    settings = Settings


main = entry(TargetMailchimp)
