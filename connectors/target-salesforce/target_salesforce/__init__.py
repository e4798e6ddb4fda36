"""Write an audience to the records of a Salesforce org, and tell its members there by fields or by a campaign."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from snello.kit.channel import ActivationSink, ActivationTarget, Change, Held, Size, Verdict
from snello.kit.entry import entry
from target_salesforce.campaign import Campaign
from target_salesforce.faults import RowFault
from target_salesforce.fields import Fields, Unfit
from target_salesforce.jobs import MEMBER, PROCESSING, Jobs
from target_salesforce.org import A_CALL, Org, Row, Told, quoted
from target_salesforce.settings import Settings

A_JOB = 6  # calls: made, filled, closed, asked about twice, results
GONE = "entity_is_deleted"
LOCKED = "unable_to_lock_row"


class Records(ActivationSink[Settings]):
    """One record a customer, named by the customer_id in an external id field."""

    name = "records"
    modes = frozenset({"mirror", "upsert", "insert", "update"})

    def __init__(self, settings: Settings, sync: str, title: str) -> None:
        super().__init__(settings, sync, title)
        self.max_size = settings.bulk_rows
        self.patience = settings.job_timeout + settings.timeout  # waiting says nothing about the size of a batch
        self._looked = self._checked = False
        self._strays: list[str] = []

    def find(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Rows that a job of an earlier run has written by now."""
        jobs: dict[str, list[Change]] = {}
        for change in changes:
            if change.remote_id:
                jobs.setdefault(change.remote_id, []).append(change)
        for job, some in jobs.items():
            keys = {change.key: change.key for change in some}
            if str(self.jobs.wait(job).get("operation")) == "upsert":
                told = self.jobs.outcome(job, self.fields.key, keys)
                done = (Verdict.delivered(key, "") for key, fault in told if fault is None)
                yield from self._joined(done, some)

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Records as the payload says, in a job or 200 a call; in mode update none is made."""
        if not self._checked:
            self.fields.check(changes[0].payload)
            if self.campaign:
                _ = self.campaign.id
            self._checked = True
        late = self._late(changes)
        yield from late.values()
        going = [change for change in changes if change.key not in late]
        rows: dict[str, Row] = {}
        records = self._records(going) if going and going[0].mode == "update" else None
        for change in going:
            if records is not None and change.key not in records:
                yield Verdict.refused(change.key, "not_there")
                continue
            try:
                record = (records or {}).get(change.key, "")
                rows[change.key] = Row(change.key, self.fields.values(change.payload), record)
            except Unfit:
                yield _refused(change, "invalid_type")
        operation = "upsert" if records is None else "update"
        yield from self._joined(self._judged(operation, [one for one in going if one.key in rows], rows), going)

    def move(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """The record of a customer who is another now, under the other's id; no second one."""
        late = self._late(changes)
        yield from late.values()
        going = [change for change in changes if change.key not in late]
        former = self.org.ids([change.moved_from or "" for change in going], self.fields.key) if going else {}
        for change in going:
            record = former.get(change.moved_from or "")
            yield from self._joined(self._renamed(change, record), [change]) if record else self.upsert([change])

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """No member any more, as ``on_leave`` says; the record stays, and none is made."""
        late = self._late(changes)
        yield from late.values()
        going = [change for change in changes if change.key not in late]
        off = self._off(going)
        yield from off.values()
        going = [change for change in going if change.key not in off]
        records = self._records(going) if going and self.fields.leave else {}
        rows = {key: Row(key, self.fields.leave, record) for key, record in records.items()}
        yield from (_verdict(change, None) for change in going if change.key not in rows)
        yield from self._left("update", [one for one in going if one.key in rows], rows)

    def erase(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Nothing of ours is left on the record, or the record goes, as ``erase`` says."""
        late = self._late(changes)
        yield from late.values()
        going = [change for change in changes if change.key not in late]
        off = self._off(going)
        yield from off.values()
        going = [change for change in going if change.key not in off]
        records = self._records(going)
        rows = {key: Row(key, self.fields.blanks(), record) for key, record in records.items()}
        yield from (_verdict(change, None) for change in going if change.key not in rows)
        yield from self._left(self.settings.erase, [one for one in going if one.key in rows], rows)

    def listing(self) -> Iterator[Held]:
        """The members that bear a customer_id; without a campaign and ``on_join`` all such records."""
        if self.campaign:
            named = self.org.named(MEMBER, self.campaign.person, self.campaign.condition)
        else:
            named = self.org.named(self.settings.object, self.fields.key, self._members())
        return (Held(key, record) for key, record in named)

    def size(self) -> Size | None:
        """Members of ours, where a campaign or ``on_join`` tells them."""
        if self.campaign:
            return Size(self.org.count(MEMBER, self.campaign.condition))
        return Size(self.org.count(self.settings.object, self._members())) if self.fields.join else None

    def requests(self, upserts: int, removals: int) -> int:
        """Jobs for full batches, collections for the rest; who leaves is looked for first."""
        asked = -(-removals // A_CALL)
        marked = self._calls(removals) + asked if self.settings.on_leave else 0
        if self.settings.campaign is None:
            return self._calls(upserts) + marked
        return 2 * self._calls(upserts) + 2 * asked + marked

    def close(self) -> None:
        """Close the connection."""
        self.org.http.close()

    @cached_property
    def org(self) -> Org:
        """The org under the settings' login."""
        return Org(self.settings)

    @cached_property
    def fields(self) -> Fields:
        """The object's fields, asked for once a run."""
        return Fields(self.settings, self.org.describe(self.settings.object))

    @cached_property
    def jobs(self) -> Jobs:
        """Bulk jobs."""
        return Jobs(self.org, self.fields.key)

    @cached_property
    def campaign(self) -> Campaign | None:
        """The campaign to keep, if any."""
        return Campaign(self.org, self.jobs, self.fields.key) if self.settings.campaign else None

    # ---- writing

    def _joined(self, verdicts: Iterable[Verdict], changes: Sequence[Change]) -> Iterator[Verdict]:
        """Rows that are written become members of the campaign; a verdict a row."""
        if not self.campaign:
            yield from verdicts
            return
        ours, written, config = {change.key: change for change in changes}, list[str](), None
        for verdict in verdicts:
            if verdict.status == "delivered":
                written.append(verdict.key)
            else:
                yield verdict
        for key, fault in self.campaign.join(written) if written else ():
            config = config or (fault.config if fault else None)
            if fault is None or not fault.config:
                yield _verdict(ours[key], fault)
        if config:
            raise config

    def _off(self, changes: Sequence[Change]) -> dict[str, Verdict]:
        """Take people off the campaign; verdicts for those whom Salesforce did not take off."""
        ours = {change.key: change for change in changes}
        faults = self.campaign.leave(list(ours)) if self.campaign and ours else {}
        return {key: _verdict(ours[key], replace(fault, again=True)) for key, fault in faults.items()}

    def _judged(self, operation: str, changes: Sequence[Change], rows: dict[str, Row]) -> Iterator[Verdict]:
        """A verdict a row; where the org is to blame, the run ends once all others have theirs."""
        ours, config = {change.key: change for change in changes}, None
        for key, fault in self._written(operation, [rows[change.key] for change in changes]):
            if fault and fault.config:
                config = fault.config
            elif fault and operation == "update" and fault.word == GONE:
                yield _refused(ours[key], "not_there")
            else:
                yield _verdict(ours[key], fault)
        if config:
            raise config

    def _left(self, operation: str, changes: Sequence[Change], rows: dict[str, Row]) -> Iterator[Verdict]:
        """Verdicts of removals: who is gone has left, and nobody may stay for a fault of the row."""
        ours, config = {change.key: change for change in changes}, None
        for key, fault in self._written(operation, [rows[change.key] for change in changes]):
            if fault and fault.config:
                config = fault.config
            else:
                gone = fault is None or fault.word == GONE
                yield _verdict(ours[key], None if gone else replace(fault or RowFault(""), again=True))
        if config:
            raise config

    def _written(self, operation: str, rows: Sequence[Row]) -> Iterator[Told]:
        """In one job, or 200 a call, where a row that another transaction locked is tried once more."""
        if not rows:
            return
        if operation == "delete":
            yield from self.org.delete(rows)
        elif len(rows) >= self.settings.bulk_threshold:
            yield from self.jobs.run("upsert" if operation == "upsert" else "update", rows)
        else:
            locked: list[Row] = []
            known = {row.key: row for row in rows}
            for key, fault in self._called(operation, rows):
                if fault and fault.word == LOCKED:
                    locked.append(known[key])
                else:
                    yield key, fault
            if locked:
                yield from self._called(operation, locked)

    def _called(self, operation: str, rows: Sequence[Row]) -> Iterator[Told]:
        return self.org.upsert(rows, self.fields.key) if operation == "upsert" else self.org.update(rows)

    def _renamed(self, change: Change, record: str) -> Iterable[Verdict]:
        """Under the other id; where that is another record's already, this one leaves."""
        try:
            row = Row(change.key, {self.fields.key: change.key, **self.fields.values(change.payload)}, record)
        except Unfit:
            return [_refused(change, "invalid_type")]
        ((_, fault),) = self.org.update([row])
        if fault and fault.config:
            raise fault.config
        if fault and fault.word in ("duplicate_value", GONE):
            list(self.remove([Change("remove", change.moved_from or "")]))
            return self.upsert([change])
        return [_verdict(change, fault)]

    # ---- what earlier runs left behind

    def _late(self, changes: Sequence[Change]) -> dict[str, Verdict]:
        """Rows put off until a job of an earlier run has ended, which could overtake what is sent now."""
        if not self._looked and any(change.batch for change in changes):
            self._looked, self._strays = True, self.jobs.strays()
        running = {job for job in {one.remote_id for one in changes if one.remote_id} if self._runs(job)}
        stray = next((job for job in self._strays if job not in running and self._runs(job)), None)
        late: dict[str, Verdict] = {}
        for change in changes:
            job = change.remote_id if change.remote_id in running else stray if change.batch else None
            if job:
                late[change.key] = Verdict.retry(change.key, PROCESSING, job)
        return late

    def _runs(self, job: str) -> bool:
        return str(self.jobs.wait(job).get("state")) in ("UploadComplete", "InProgress")

    # ---- reading

    def _records(self, changes: Sequence[Change]) -> dict[str, str]:
        """Record ids by customer_id, asked anew each time: Salesforce merges records, and the loser's id is gone."""
        return self.org.ids([change.key for change in changes], self.fields.key) if changes else {}

    def _members(self) -> str:
        told = [
            f"{name} = {value if self.fields.is_moment(name) else quoted(value)}"
            for name, value in self.fields.join.items()
        ]
        return " AND ".join([f"{self.fields.key} != null", *told])

    def _calls(self, rows: int) -> int:
        whole, rest = divmod(rows, self.max_size)
        if min(rows, self.max_size) < self.settings.bulk_threshold:
            return whole * -(-self.max_size // A_CALL) + -(-rest // A_CALL)
        return whole * A_JOB + (A_JOB if rest >= self.settings.bulk_threshold else -(-rest // A_CALL))


class TargetSalesforce(ActivationTarget):
    """Singer target that writes an audience to the records of a Salesforce org."""

    name = "target-salesforce"
    sinks = (Records,)
    settings = Settings


def _verdict(change: Change, fault: RowFault | None) -> Verdict:
    """A verdict, in which the number of an earlier job is forgotten."""
    forget = "" if change.remote_id else None
    if fault is None:
        return Verdict.delivered(change.key, forget)
    if fault.again:
        return Verdict.retry(change.key, fault.word, fault.job or forget)
    return _refused(change, fault.word)


def _refused(change: Change, word: str) -> Verdict:
    return Verdict(change.key, "refused", word, "" if change.remote_id else None)


main = entry(TargetSalesforce)
