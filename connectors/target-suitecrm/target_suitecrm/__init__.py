"""Write an audience back to SuiteCRM: its members' contacts stand on a target list and bear named fields."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from snello.kit.channel import (
    ActivationSink,
    ActivationTarget,
    BatchRefused,
    Change,
    Held,
    Size,
    Verdict,
)
from snello.kit.entry import entry
from target_suitecrm.crm import Crm, Record
from target_suitecrm.faults import DATABASE, GONE
from target_suitecrm.lists import TargetList, check_list, list_called
from target_suitecrm.people import CONTACTS, Found, People, only
from target_suitecrm.settings import Settings
from target_suitecrm.values import Mapped, Unfit, check_fields

FIXED_CALLS = 3  # the login, the fields, the list


class Contacts(ActivationSink[Settings]):
    """One contact a customer, known by a field of our own."""

    name = "contacts"
    modes = frozenset({"mirror", "upsert", "insert", "update"})

    def __init__(self, settings: Settings, sync: str, title: str) -> None:
        super().__init__(settings, sync, title)
        self.max_size, self.parallel = settings.batch_size, settings.parallel
        self.patience = settings.timeout * settings.batch_size  # a call for each row of a batch, one after the other
        login = {"client_id": settings.client_id, "client_secret": settings.client_secret.get_secret_value()}
        self.crm = Crm(settings.url, login, settings.retry, settings.requests_per_second, settings.parallel)
        self.people = People(self.crm, settings.id_field, [(pair.column, pair.field) for pair in settings.match])
        self._checking = threading.Lock()

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Fields and list, contact by contact; SuiteCRM takes no batches."""
        mapped, members = self._ready
        values: dict[str, dict[str, str]] = {}
        for change in changes:
            try:
                mapped.fields[self.settings.id_field].text(change.key)
                values[change.key] = mapped.of(change.payload)
            except Unfit as fault:
                yield Verdict.refused(change.key, str(fault))
        fit = [change for change in changes if change.key in values]
        found = self.people.found(fit)
        for change in fit:
            yield self._written(change, found, values[change.key], members)

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Off the list, and the fields as a customer leaves them; the contact stays."""
        return self._left(changes, {})

    def erase(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """The same, and no trace of ours on the contact; SuiteCRM's own record of the person is erased there."""
        for one in self._left(changes, {self.settings.id_field: ""}):
            yield Verdict.delivered(one.key, "") if one.status == "delivered" else one

    def move(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """The contact of a customer who is another now bears the other's id; no second one is made."""
        known = self.people.known(key for one in changes for key in (one.key, one.moved_from or ""))
        moved: list[Change] = []
        for change in changes:
            late = self._renamed(change, known)
            if late is None:
                moved.append(change)
            else:
                yield Verdict.retry(change.key, late.code)
        yield from self.upsert(moved)

    def listing(self) -> Iterator[Held] | None:
        """Contacts on the list that bear a customer_id; without a list SuiteCRM cannot say."""
        members, name = self._ready[1], self.settings.id_field
        if members is None:
            return None
        return (Held(one.fields[name], one.id) for one in members.members() if one.fields.get(name))

    def size(self) -> Size | None:
        """Contacts on the list, ours and others'."""
        members = self._ready[1]
        counted = members.counted() if members else None
        return None if counted is None else Size(counted)

    def requests(self, upserts: int, removals: int) -> int:
        """Look-ups for a batch, and for each customer a write and a link."""
        settings, size = self.settings, self.max_size
        listed = settings.membership == "list"
        batches = -(-upserts // size) * (1 + len(settings.match)) + -(-removals // size)
        return FIXED_CALLS + batches + upserts * (1 + listed) + removals * (listed + bool(settings.on_leave))

    def close(self) -> None:
        """Close the connections."""
        self.crm.http.close()

    # ---- once a run

    @property
    def _ready(self) -> tuple[Mapped, TargetList | None]:
        """Fields and list, looked at before anything is written. Raises ``ConfigError``."""
        with self._checking:
            return self._looked

    @cached_property
    def _looked(self) -> tuple[Mapped, TargetList | None]:
        given = self.settings
        fields = check_fields(self.crm.fields(CONTACTS), [*given.fields.values(), *given.on_leave], given.id_field)
        mapped = Mapped(given.fields, fields, frozenset(given.clear), frozenset(given.only_set))
        if given.membership == "none":
            return mapped, None
        if given.list_id is not None:
            return mapped, check_list(self.crm, given.list_id)
        return mapped, list_called(self.crm, given.list_name or self.title, given.create_list)

    # ---- one contact

    def _written(self, change: Change, found: Found, values: Mapping[str, str], members: TargetList | None) -> Verdict:
        if change.key in found.refused:
            return Verdict.refused(change.key, found.refused[change.key])
        try:
            record = self._record(change, found, values)
            if record is None:
                return Verdict.refused(change.key, "deleted" if change.key in found.lost else GONE)
            if members:
                members.join(record)
        except BatchRefused as fault:
            return _told(change.key, fault)
        return Verdict.delivered(change.key, record)

    def _record(self, change: Change, found: Found, values: Mapping[str, str]) -> str | None:
        """The id of the contact, once its fields are written; None when there is none and none is to be made."""
        settings, record = self.settings, found.contacts.get(change.key)
        whole = {**values, settings.id_field: change.key}
        if record is None:
            lost = change.key in found.lost and not settings.recreate
            if not settings.create or change.mode == "update" or lost:
                return None
            record = self.crm.make(CONTACTS, change.key, whole, [settings.id_field], anew=settings.recreate)
            if not record.fields:
                return record.id
            if record.fields.get(settings.id_field) not in ("", change.key):
                raise BatchRefused("taken", 400)
        self._change(record, values, {settings.id_field: change.key})
        return record.id

    def _change(self, record: Record, values: Mapping[str, str], mark: Mapping[str, str]) -> None:
        """Write what there is to write; our own field only where it says something else."""
        new = {name: text for name, text in mark.items() if record.fields.get(name) != text}
        if values or new:
            self.crm.change(CONTACTS, record.id, {**values, **new})

    def _renamed(self, change: Change, known: Mapping[str, list[Record]]) -> Verdict | None:
        """The old contact under the new key, or off the list where that one has its own; the verdict where it fails."""
        old, there = change.moved_from or "", only(known)
        if old not in there or change.key in known:
            return next((one for one in self._left([Change("remove", old)], {}) if one.status != "delivered"), None)
        try:
            self.crm.change(CONTACTS, there[old].id, {self.settings.id_field: change.key})
        except BatchRefused as fault:
            return None if fault.code == GONE else _told(change.key, fault)
        return None

    def _left(self, changes: Sequence[Change], mark: Mapping[str, str]) -> Iterator[Verdict]:
        """All contacts that bear these customer_ids, off the list; a customer without one has left already."""
        mapped, members = self._ready
        values = mapped.leaving(self.settings.on_leave)
        known = self.people.known(change.key for change in changes)
        for change in changes:
            try:
                for record in known.get(change.key) or self.people.remembered(change):
                    if members:
                        members.part(record.id)
                    self._change(record, values, mark)
            except BatchRefused as fault:
                yield Verdict.delivered(change.key) if fault.code == GONE else _told(change.key, fault)
            else:
                yield Verdict.delivered(change.key)


class TargetSuitecrm(ActivationTarget):
    """Singer target that writes an audience back to SuiteCRM's contacts."""

    name = "target-suitecrm"
    sinks = (Contacts,)
    settings = Settings


def _told(key: str, fault: BatchRefused) -> Verdict:
    """The verdict for a contact; a fault of the database may be its load as well as the row, so it is tried again."""
    return Verdict.retry(key, fault.code) if fault.code == DATABASE else Verdict.refused(key, fault.code)


main = entry(TargetSuitecrm)
