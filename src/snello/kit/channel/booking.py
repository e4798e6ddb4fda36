"""What the ledger is told: the intent before a call, its outcome after it, as many as possible in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from snello.activation import Change, Ledger, Verdict
from snello.activation.writing import Intent, Page, Pen
from snello.kit.channel.calls import Batch
from snello.kit.channel.due import Due, batch_id, contact, proof
from snello.kit.channel.marking import Marking

NO_VERDICT = "no_verdict"


class Book:
    """The ledger's rows of one sync, written a page at a time; ``tally`` and ``codes`` count what was written.

    - ``codes``: of rows that were refused or given up; ``waiting``: of rows that were put off
    - nothing is written before ``flush``; a page that fails is lost, and its rows are in doubt
    """

    def __init__(self, ledger: Ledger, sync: str, max_attempts: int) -> None:
        self.sync, self.max_attempts = sync, max_attempts
        self.pen, self.page = Pen(ledger.engine, sync), Page()
        self.marking: Marking | None = None
        self.tally: Counter[tuple[str, str]] = Counter()
        self.codes: Counter[str] = Counter()
        self.waiting: Counter[str] = Counter()

    def look(self, changes: Sequence[Change]) -> dict[str, dict[str, object]]:
        """The ledger's rows of these changes, and of the keys that they move from, by key."""
        keys = [change.key for change in changes]
        return self.pen.look(keys + [change.moved_from for change in changes if change.moved_from])

    def suppress(self, change: Change) -> None:
        """A change that is not sent for want of a consent."""
        self.tally["suppressed", change.op] += 1
        self.page.proofs.append(proof(self.sync, change, "suppressed", "no_consent", 0))

    def intend(self, batch: Batch) -> None:
        """Before a call: from now on, until an outcome is written, its rows are in doubt."""
        batch.key = batch_id(self.sync, batch.dues)
        plain: dict[str, str] = {}
        if self.marking:
            self.marking.intend(self.page, batch.dues)
        for one in batch.dues:
            if batch.kind == "move":
                self.page.entries.append(one.leaving(self.sync))
            if one.plain:
                plain[one.change.key] = one.change.fingerprint or ""
                continue
            self.page.entries.append(one.intended(self.sync, batch.key))
            if one.row and (doubt := one.interrupted(self.sync)):
                self.page.proofs.append(doubt)
        if plain:
            self.page.intents.append(Intent(batch.dues[0].change.run_id, batch.key, plain))

    def share(self, batch: Batch) -> None:
        """Before a call, once its intent is written: tell its changes what other rows are held by."""
        if self.marking:
            self.marking.share(batch.dues)

    def settle(self, batch: Batch, dues: Sequence[Due], verdicts: Mapping[str, Verdict], *, give_up: bool) -> None:
        """After a call: what the channel holds now, and a receipt a row.

        - ``give_up``: whether a row that was put off too often is dead now
        """
        if self.marking:
            fine = {key for key, verdict in verdicts.items() if verdict.status == "delivered"}
            failed = [one for one in dues if one.change.key not in fine]
            relied_on = self.marking.relied_on(failed)
            for one in failed:
                one.relied_on = one.change.key in relied_on
        for one in dues:
            verdict = verdicts.get(one.change.key) or Verdict.retry(one.change.key, NO_VERDICT)
            if batch.kind == "upsert" and _as_meant(one, verdict):
                self.page.taken.append(one.change.key)
                self._count(one, "delivered", "")
                continue
            status: str = verdict.status
            if status == "retrying" and give_up and one.attempt >= self.max_attempts:
                status = "dead"
            self._note(batch, one, verdict, status)

    def flush(self) -> None:
        """Write what was noted. Raises ``RetryLater`` when the ledger does not take it."""
        page, self.page = self.page, Page()
        self.pen.write(page)

    def _note(self, batch: Batch, one: Due, verdict: Verdict, status: str) -> None:
        self.page.entries.append(one.settled(self.sync, verdict, status, batch.key))
        self.page.proofs.append(proof(self.sync, one.change, status, verdict.code, one.attempt))
        if batch.kind == "move" and status == "delivered":
            self._moved(one.change)
        if self.marking and (status == "delivered" or verdict.gone):
            self.marking.forget(self.page, one, wholly=verdict.gone)
        self._count(one, status, verdict.code)

    def _moved(self, change: Change) -> None:
        """The channel holds the row under its new key: the old one's row is gone, with a receipt of its own."""
        old = change.moved_from or ""
        left = Change("remove", old, reason="moved", run_id=change.run_id, customer=old)
        self.page.gone.append(old)
        self.page.proofs.append(proof(self.sync, left, "delivered", "", 1))

    def _count(self, one: Due, status: str, code: str) -> None:
        change = one.change
        self.tally[status, change.op] += 1
        if status in ("refused", "dead"):
            self.codes[code or status] += 1
        if status == "retrying":
            self.waiting[code or status] += 1
        if change.contact and status == "delivered" and change.op == "upsert":
            self.page.contacts.append(contact(self.sync, change))


def _as_meant(one: Due, verdict: Verdict) -> bool:
    """Whether the intent already holds all that there is to say of the row."""
    plain = not verdict.code and verdict.remote_id is None and not one.change.reason and not one.anew
    return plain and verdict.status == "delivered"
