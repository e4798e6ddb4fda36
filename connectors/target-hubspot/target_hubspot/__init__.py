"""Keep a HubSpot account's contacts, and a list of them, equal to an audience."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, SecretStr, model_validator

from snello.kit.channel import (
    ActivationSink,
    ActivationTarget,
    BatchRefused,
    Change,
    ChannelSettings,
    Held,
    Size,
    Verdict,
)
from snello.kit.entry import entry
from target_hubspot.account import A_BATCH, Account, Outcome
from target_hubspot.fields import Fields, check

BATCHES = 10  # of contacts, before the list is told of them in one call


class Settings(ChannelSettings):
    """Settings of target-hubspot."""

    access_token: SecretStr = Field(description="Token of a private app.")
    api_url: str = Field("https://api.hubapi.com", pattern="^https?://", description="Root of the interface.")
    id_property: str = Field(
        "snello_customer_id", pattern="^[a-z][a-z0-9_]*$", description="Unique property that holds the customer_id."
    )
    email: str = Field("email", description="The audience's column with the address.")
    properties: dict[str, str] = Field(
        {},
        description="Column to property; an empty property keeps the column back. Default: first_name to firstname, "
        "last_name to lastname, postcode to zip, any other column to its name in lower case.",
    )
    clear: list[str] = Field([], description="Columns whose blank clears the property; other blanks write nothing.")
    create_properties: bool = Field(False, description="Make the properties that the account does not have.")
    membership: Literal["list", "property", "none"] = Field(
        "list", description="How HubSpot tells members: by a static list, by a yes/no property, or not at all."
    )
    list_id: str | None = Field(None, pattern="^[0-9]+$", description="Number of the list to keep.")
    list_name: str | None = Field(None, description="Its name instead. Default: the sync's list, else the sync's name.")
    create_list: bool = Field(False, description="Make the list when the account has none of that name.")
    member_property: str | None = Field(None, description="The yes/no property, where membership is property.")
    on_leave: Literal["keep", "archive"] = Field(
        "keep", description="What becomes of a contact that leaves the audience, beside its membership."
    )
    adopt: bool = Field(
        False, description="Take over a contact that has the row's address and no customer_id yet; else it is refused."
    )
    company: str | None = Field(None, description="The audience's column with the company's external id.")
    company_id_property: str | None = Field(None, description="Unique property of companies that holds it.")
    batch_size: int = Field(A_BATCH, ge=1, le=A_BATCH, description="Contacts a call; HubSpot takes 100.")
    requests_per_second: float = Field(10, gt=0, description="Most calls a second; a private app has 100 in 10 s.")

    @model_validator(mode="after")
    def _whole(self) -> Settings:
        if (self.membership == "property") != bool(self.member_property):
            raise ValueError("member_property goes with membership: property")
        if bool(self.company) != bool(self.company_id_property):
            raise ValueError("company and company_id_property go together")
        return self


class Contacts(ActivationSink[Settings]):
    """One contact a customer, named by the customer_id in a unique property."""

    name = "contacts"
    modes = frozenset({"mirror", "upsert", "insert", "update"})
    parallel = 4  # what ten calls a second need, where an answer takes a few tenths of one
    _checked = False

    def __init__(self, settings: Settings, sync: str, title: str) -> None:
        super().__init__(settings, sync, title)
        self.max_size = settings.batch_size * BATCHES
        kept_back = ("customer_id", *filter(None, [settings.company]))
        self.fields = Fields(settings.email, settings.properties, settings.clear, kept_back)
        self._companies: dict[str, str] = {}
        self._checking = threading.Lock()
        token = settings.access_token.get_secret_value()
        self.account = Account(settings.api_url, token, settings.retry, settings.requests_per_second, self.parallel)

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Contacts as the payload says, 100 a call, and then on the list.

        A call that is refused as a whole ends the batch, once those before it are on the list.
        """
        self._check(changes)
        action = "update" if changes[0].mode == "update" else "upsert"
        rows, size = list(_first_of_each_address(changes, self._address)), self.settings.batch_size
        known = {change.key for change in rows}
        yield from (Verdict.refused(one.key, "duplicate_email") for one in changes if one.key not in known)
        done: dict[str, str] = {}
        fault: BatchRefused | None = None
        for part in (rows[start : start + size] for start in range(0, len(rows), size)):
            try:
                outcome = self._written(action, part)
            except BatchRefused as refused:
                fault = refused
                break
            done |= outcome.done
            yield from (Verdict.refused(key, word) for key, word in outcome.faults.items() if key in known)
        yield from self._joined([one for one in rows if one.key in done], done)
        if fault:
            raise fault

    def move(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """The contact of a customer who is another now, under the other's id; no second one."""
        self._check(changes)
        names = self.account.ids([one.moved_from or "" for one in changes], self.settings.id_property)
        for change in changes:
            record = names.get(change.moved_from or "")
            verdict = self._renamed(change, record) if record else None
            yield from [verdict] if verdict else self.upsert([change])

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Off the list, or no member any more; the contact stays unless ``on_leave`` says otherwise."""
        settings, keys = self.settings, [change.key for change in changes]
        late: Mapping[str, str] = {}
        if settings.on_leave == "archive":
            self.account.archive(list(self._records(keys).values()))
        elif settings.membership == "list" and (records := list(self._records(keys).values())):
            self.account.change_members(self.list_id, "remove", records)
        elif settings.member_property:
            late = self._unmarked(keys, settings.member_property)
        for key in keys:
            yield Verdict.retry(key, "still_member") if key in late else Verdict.delivered(key)

    def erase(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """The contact itself for good, whoever else made use of it."""
        records = self._records([change.key for change in changes])
        for change in changes:
            if change.key in records:
                self.account.forget(records[change.key])
            yield Verdict.delivered(change.key)

    def listing(self) -> Iterator[Held] | None:
        """The members that bear a customer_id; without a membership all such contacts."""
        settings, name = self.settings, self.settings.id_property
        if settings.membership == "list":
            members: Iterable[dict[str, Any]] = self._members()
        else:
            members = self.account.everybody(",".join(filter(None, [name, settings.member_property])))
        mark = settings.member_property
        found = ((one["properties"], str(one["id"])) for one in members)
        return (Held(has[name], number) for has, number in found if has.get(name) and _marked(has, mark))

    def size(self) -> Size | None:
        """Members, ours and others'."""
        if self.settings.membership == "list":
            return Size(self.account.size_of(self.list_id))
        mark = self.settings.member_property
        return Size(self.account.count(mark, "true")) if mark else None

    def requests(self, upserts: int, removals: int) -> int:
        """Batches of contacts, and the list once for ten of them."""
        size, listed = self.settings.batch_size, self.settings.membership == "list"
        calls = -(-upserts // size) + (-(-upserts // self.max_size) if listed else 0)
        return calls + -(-removals // A_BATCH) + (-(-removals // self.max_size) if listed else 0)

    def close(self) -> None:
        """Close the connection."""
        self.account.http.close()

    @cached_property
    def list_id(self) -> str:
        """The list, found or made once a run."""
        settings = self.settings
        if settings.list_id is not None:
            return self.account.check_list(settings.list_id)
        return self.account.list_called(settings.list_name or self.title, settings.create_list)

    # ---- writing

    def _written(self, action: str, part: Sequence[Change]) -> Outcome:
        """One call, and those taken over whose address another contact has."""
        name = self.settings.id_property
        inputs = [self._input(change, change.key, name) for change in part]
        try:
            outcome = self.account.write(action, inputs, name)
        except BatchRefused as fault:
            if len(part) > 1 or fault.code != "duplicate_email":
                raise
            outcome = Outcome(faults={part[0].key: fault.code})
        taken = [one for one in part if outcome.faults.get(one.key) == "duplicate_email"]
        if taken and self.settings.adopt and action == "upsert":
            adopted = self._adopted(taken)
            outcome.done |= adopted
            outcome.faults = {key: word for key, word in outcome.faults.items() if key not in adopted}
        return outcome

    def _adopted(self, changes: Sequence[Change]) -> dict[str, str]:
        """Contacts with these addresses and no customer_id, which are ours from now on."""
        name = self.settings.id_property
        done: dict[str, str] = {}
        found = self.account.find([self._address(one) for one in changes], "email", more=[name])
        free = {str(one["properties"]["email"]).lower(): one["id"] for one in found if not one["properties"].get(name)}
        for change in changes:
            if record := free.get(self._address(change)):
                done |= self._under(change, record)
        return done

    def _renamed(self, change: Change, record: str) -> Verdict | None:
        """None where the new id is another contact's already; the old one then leaves."""
        done = self._under(change, record)
        if not done:
            list(self.remove([Change("remove", change.moved_from or "")]))
            return None
        return next(iter(self._joined([change], done)))

    def _under(self, change: Change, record: str) -> dict[str, str]:
        """Write a row to a record and name it by the row's key; nothing when HubSpot will not have it."""
        one = self._input(change, record)
        one["properties"][self.settings.id_property] = change.key
        try:
            return self.account.write("update", [one], self.settings.id_property).done
        except BatchRefused:
            return {}

    def _input(self, change: Change, number: str, id_property: str | None = None) -> dict[str, Any]:
        properties = self.fields.body(change.payload)
        if mark := self.settings.member_property:
            properties[mark] = "true"
        named = {"idProperty": id_property} if id_property else {}
        return {"id": number, **named, "properties": properties, "objectWriteTraceId": change.key}

    def _joined(self, changes: Sequence[Change], records: Mapping[str, str]) -> Iterator[Verdict]:
        """On the list and with their companies; a verdict a row."""
        gone: set[str] = set()
        if changes and self.settings.membership == "list":
            gone = self.account.change_members(self.list_id, "add", [records[one.key] for one in changes])
        lonely = self._employed(changes, records)
        for change in changes:
            if records[change.key] in gone:
                yield Verdict.retry(change.key, "not_listed")
            else:
                yield Verdict.retry(change.key, "no_company") if change.key in lonely else Verdict.delivered(change.key)

    def _employed(self, changes: Sequence[Change], records: Mapping[str, str]) -> set[str]:
        """Associate contacts with their companies; the keys whose company the account does not have."""
        column, name = self.settings.company, self.settings.company_id_property
        if not column or not name:
            return set()
        wanted = {one.key: str(one.payload[column]) for one in changes if one.payload.get(column)}
        unknown = set(wanted.values()) - self._companies.keys()
        self._companies |= self.account.ids(unknown, name, "companies") if unknown else {}
        pairs = [(records[key], self._companies[it]) for key, it in wanted.items() if it in self._companies]
        if pairs:
            self.account.associate(pairs)
        return {key for key, company in wanted.items() if company not in self._companies}

    def _unmarked(self, keys: Sequence[str], mark: str) -> Mapping[str, str]:
        """Members no more; those that HubSpot would not change. Who is gone is no member."""
        late: dict[str, str] = {}
        name, size = self.settings.id_property, self.settings.batch_size
        for start in range(0, len(keys), size):
            named = [{"id": key, "idProperty": name, "objectWriteTraceId": key} for key in keys[start : start + size]]
            outcome = self.account.write("update", [{**one, "properties": {mark: "false"}} for one in named], name)
            late |= {key: word for key, word in outcome.faults.items() if word != "not_there"}
        return late

    # ---- reading

    def _records(self, keys: Sequence[str]) -> dict[str, str]:
        """Record ids by customer_id, asked anew each time: HubSpot gives contacts other ids when it merges them."""
        return self.account.ids(keys, self.settings.id_property)

    def _members(self) -> Iterator[dict[str, Any]]:
        """The contacts on the list with their customer_id."""
        page: list[str] = []
        for record in self.account.members(self.list_id):
            page.append(record)
            if len(page) == A_BATCH:
                yield from self.account.find(page, None, more=[self.settings.id_property])
                page = []
        if page:
            yield from self.account.find(page, None, more=[self.settings.id_property])

    def _address(self, change: Change) -> str:
        return str(change.payload.get(self.settings.email) or "").strip().lower()

    def _check(self, changes: Sequence[Change]) -> None:
        """Once a run, before the first call that writes."""
        with self._checking:
            if self._checked:
                return
            settings, wanted = self.settings, self.fields.wanted([one.payload for one in changes])
            wanted |= {settings.member_property: "bool"} if settings.member_property else {}
            check(self.account, wanted, settings.id_property, settings.create_properties, settings.member_property)
            if settings.membership == "list":
                _ = self.list_id
            self._checked = True


class TargetHubspot(ActivationTarget):
    """Singer target that keeps a HubSpot account's contacts equal to an audience."""

    name = "target-hubspot"
    sinks = (Contacts,)
    settings = Settings


def _first_of_each_address(changes: Sequence[Change], address: Any) -> Iterator[Change]:
    """Two rows with one address cannot both be written: the first has it."""
    seen: set[str] = set()
    for change in changes:
        email = address(change)
        if not email or email not in seen:
            seen.add(email)
            yield change


def _marked(properties: Mapping[str, Any], mark: str | None) -> bool:
    return mark is None or properties.get(mark) == "true"


main = entry(TargetHubspot)
