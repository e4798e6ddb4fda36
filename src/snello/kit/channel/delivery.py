"""The promises around a call: who may be sent, what is written before and after, what a refused batch comes to."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import requests

from snello.activation import Change, Ledger, Verdict
from snello.activation.ledger import UNKNOWN
from snello.errors import ConfigError, ContractError, RetryLater
from snello.kit.channel.http import BatchRefused
from snello.kit.channel.sink import ActivationSink

OPEN = ("in_doubt", "retrying")
HOPELESS = 25  # so many rows refused one after the other and none taken: it is not the rows


@dataclass(frozen=True)
class Due:
    """A change that may be sent, with the ledger's row as it was before."""

    change: Change
    row: Mapping[str, Any]
    attempt: int


class Delivery:
    """Delivers the changes of one sync through one sink and keeps the ledger true; ``tally`` counts outcomes."""

    def __init__(
        self, ledger: Ledger, sync: str, sink: ActivationSink[Any], *, purpose: str | None, max_attempts: int
    ) -> None:
        self.ledger, self.sync, self.sink = ledger, sync, sink
        self.purpose, self.max_attempts = purpose, max_attempts
        self.tally: Counter[tuple[str, str]] = Counter()
        self.codes: Counter[str] = Counter()
        self._alone = 0

    def deliver(self, changes: Sequence[Change]) -> None:
        """Send changes of one op that belong together.

        Raises ``RetryLater`` or ``ConfigError`` when the channel cannot be reached; the rows are marked retrying first.
        """
        rows = self.ledger.lookup(self.sync, (change.key for change in changes))
        due: dict[str, Due] = {}
        proofs: list[dict[str, Any]] = []
        for change in changes:
            row = rows.get(change.key, {})
            change = replace(change, known=bool(row.get("fingerprint")), remote_id=row.get("remote_id"))
            if not _needed(change, row):
                self.tally["skipped", change.op] += 1
            elif self._allowed(change):
                due[change.key] = Due(change, row, _attempt(change, row))
            else:
                self.tally["suppressed", change.op] += 1
                proofs.append(self._proof(change, "suppressed", "no_consent", 0))
        if proofs:
            self.ledger.record([], proofs)
        if due:
            self._send(list(due.values()))

    def _allowed(self, change: Change) -> bool:
        """The gate, once more: no row goes out without a yes on it; a removal needs none."""
        if change.op == "remove":
            return True
        if self.purpose is not None and change.purpose != self.purpose:
            raise ConfigError(
                f"sync {self.sync}",
                f"its purpose is {change.purpose or 'not declared'}, {self.sink.name} take {self.purpose}",
                "set the sync's purpose, or send it to another target",
            )
        return change.consent == "yes"

    def _send(self, due: list[Due]) -> None:
        batch = self._batch_id(due)
        self._intend(due, batch)
        self.sink.batch_id = batch
        changes = [one.change for one in due]
        verdicts: dict[str, Verdict] = {}
        try:
            for verdict in self._verdicts(changes):
                verdicts[verdict.key] = verdict
        except BatchRefused as fault:
            self._settle([one for one in due if one.change.key in verdicts], verdicts)
            if rest := [one for one in due if one.change.key not in verdicts]:
                self._refused(rest, fault)
        except (RetryLater, ConfigError) as fault:
            code = "unreachable" if isinstance(fault, RetryLater) else "configuration"
            later = {change.key: Verdict.retry(change.key, code) for change in changes}
            self._settle(due, {**later, **verdicts}, give_up=False)
            raise
        else:
            self._settle(due, verdicts)

    def _verdicts(self, changes: Sequence[Change]) -> Iterator[Verdict]:
        """What the sink says; an answer of 2xx that it cannot read is one that did not come."""
        try:
            yield from self.sink.upsert(changes) if changes[0].op == "upsert" else self.sink.remove(changes)
        except requests.exceptions.JSONDecodeError:
            cure = "run again later; if it stays so, check the URL: a page for people may stand there"
            raise RetryLater(self.sink.name, "an answer of the channel is not JSON", cure) from None

    def _refused(self, due: list[Due], fault: BatchRefused) -> None:
        if len(due) > 1:
            middle = len(due) // 2
            self._send(due[:middle])
            self._send(due[middle:])
            return
        self._settle(due, {due[0].change.key: Verdict.refused(due[0].change.key, fault.code)})
        self._alone += 1
        if self._alone >= HOPELESS and not self.tally["delivered", "upsert"] + self.tally["delivered", "remove"]:
            raise ContractError(
                self.sink.name,
                f"the channel refused {self._alone} rows one by one and took none, last with code {fault.code}",
                "compare the audience's columns with what the channel takes",
            )

    def _batch_id(self, due: list[Due]) -> str:
        """The idempotency key of an earlier try at exactly these rows, else a new one."""
        before = {one.row.get("batch") for one in due if one.row.get("status") in OPEN}
        if len(before) == 1 and (old := before.pop()):
            nonce = str(old).partition("-")[0]
            if old == _keyed(nonce, self.sync, due):
                return str(old)
        return _keyed(uuid4().hex[:12], self.sync, due)

    def _intend(self, due: list[Due], batch: str) -> None:
        """Before the call: from now on, until an outcome is written, these rows are in doubt."""
        rows, proofs = [], []
        for one in due:
            change, row = one.change, one.row
            if row.get("status") == "in_doubt" and row["run_id"] != change.run_id:
                proofs.append(self._proof(change, "in_doubt", "interrupted", int(row["attempt"]), str(row["run_id"])))
            rows.append(
                {
                    **self._current(one, "in_doubt", ""),
                    "fingerprint": row.get("fingerprint") or (UNKNOWN if _maybe_held(change, row) else None),
                    "batch": batch,
                }
            )
        self.ledger.record(rows, proofs)

    def _settle(self, due: list[Due], verdicts: Mapping[str, Verdict], *, give_up: bool = True) -> None:
        """After the call: what the channel holds now, and a receipt a row."""
        rows, proofs = [], []
        for one in due:
            change = one.change
            verdict = verdicts.get(change.key) or Verdict.retry(change.key, "no_verdict")
            status: str = verdict.status
            if status == "retrying" and give_up and one.attempt >= self.max_attempts:
                status = "dead"
            rows.append(self._settled(one, verdict, status))
            proofs.append(self._proof(change, status, verdict.code, one.attempt))
            self.tally[status, change.op] += 1
            if status in ("refused", "dead"):
                self.codes[verdict.code or status] += 1
        self.ledger.record(rows, proofs)

    def _settled(self, one: Due, verdict: Verdict, status: str) -> dict[str, Any]:
        row = {**self._current(one, status, verdict.code), "remote_id": verdict.remote_id or one.row.get("remote_id")}
        held = one.row.get("fingerprint") or (UNKNOWN if _maybe_held(one.change, one.row) else None)
        if status == "delivered":
            return {**row, "fingerprint": one.change.fingerprint, "batch": None}
        kept = status == "retrying"
        return {**row, "fingerprint": held, "batch": self.sink.batch_id if kept else None}

    def _current(self, one: Due, status: str, code: str) -> dict[str, Any]:
        return {
            "sync": self.sync,
            "key": one.change.key,
            "tried": one.change.fingerprint,
            "status": status,
            "op": one.change.op,
            "code": code,
            "attempt": one.attempt,
            "remote_id": one.row.get("remote_id"),
            "customer": _person(one.change),
            "run_id": one.change.run_id,
        }

    def _proof(self, change: Change, status: str, code: str, attempt: int, run_id: str | None = None) -> dict[str, Any]:
        return {
            "run_id": run_id or change.run_id,
            "sync": self.sync,
            "key": change.key,
            "op": change.op,
            "status": status,
            "code": code,
            "reason": change.reason,
            "attempt": attempt,
            "fingerprint": change.fingerprint,
            "customer": _person(change),
        }


def _person(change: Change) -> str | None:
    """The customer, where the key names another thing."""
    return None if change.customer in ("", change.key) else change.customer


def _needed(change: Change, row: Mapping[str, Any]) -> bool:
    """Whether the ledger still asks for this change: a replay of an old run, or of this one, sends nothing."""
    if not row:
        return change.op == "upsert"
    if change.run_id and change.run_id < str(row["run_id"]):
        return False
    held, unsettled = row["fingerprint"], row["status"] in OPEN
    if change.op == "remove":
        return bool(held) or unsettled
    same = row["op"] == "upsert" and row["tried"] == change.fingerprint
    return not (same and row["status"] in ("delivered", "refused", "dead"))


def _maybe_held(change: Change, row: Mapping[str, Any]) -> bool:
    """Whether an earlier upsert without an outcome may have left something else in the channel than we know of."""
    if row.get("status") not in OPEN or row.get("op") != "upsert":
        return False
    return change.op == "remove" or row.get("tried") != change.fingerprint


def _attempt(change: Change, row: Mapping[str, Any]) -> int:
    again = row.get("status") in OPEN and row.get("op") == change.op and row.get("tried") == change.fingerprint
    return int(row["attempt"]) + 1 if again else 1


def _keyed(nonce: str, sync: str, due: Sequence[Due]) -> str:
    content = "\n".join(sorted(f"{one.change.op} {one.change.key} {one.change.fingerprint or ''}" for one in due))
    return f"{nonce}-{hashlib.sha256(f'{nonce} {sync} {content}'.encode()).hexdigest()[:32]}"
