"""A change that is due, beside what the ledger says of its row: whether it is needed, and what is written of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple
from uuid import uuid4

import msgspec

from snello.activation import Change, Verdict
from snello.activation.ledger import UNKNOWN, UNSURE
from snello.activation.leftovers import NOT_THERE
from snello.activation.writing import Contact, Entry, Proof
from snello.kit.channel.sealing import Seal

Row = Mapping[str, Any]
Kind = Literal["remove", "erase", "move", "upsert"]
OPEN = ("in_doubt", "retrying")
ONCE = ("insert", "append")  # modes in which a row that was delivered is never sent again
SLOW = "timeout"
NOTHING: Row = {}


class Marked(NamedTuple):
    """The marks of a change, each with its identifier.

    - ``adds``: of what the row is to be known by; ``had``: of what it may be known by
    - ``changes``: whether the sink may take back something of ``had``
    """

    adds: Mapping[str, str] = MappingProxyType({})
    had: Mapping[str, str] = MappingProxyType({})
    changes: bool = False

    @property
    def takes(self) -> Mapping[str, str]:
        """What may be taken back, if only for a moment: a sink may replace the old row as a whole."""
        return self.had if self.changes else UNMARKED.had


UNMARKED = Marked()


class Due(msgspec.Struct, gc=False):
    """A change that may be sent, with the ledger's row as it was before, and that of the key it moves from.

    - ``relied_on``: another row left something in the channel for this one's sake
    """

    change: Change
    row: Row
    attempt: int
    former: Row
    handle: str | None = None
    seal: Seal | None = None
    marked: Marked = UNMARKED
    relied_on: bool = False

    @property
    def held(self) -> str | None:
        """Fingerprint of what the channel holds while the outcome is open; ``?`` when we do not know with what."""
        held: str | None = self.row.get("fingerprint")
        if held and self.change.op == "upsert":
            removed = self.row["op"] == "remove" and self.row["status"] in OPEN
            if removed or (self.anew and self.change.handles):
                return UNKNOWN  # an earlier removal, or this change, may have taken it away before anything new came
        return held or (UNKNOWN if _maybe_held(self.change, self.row) else None)

    @property
    def plain(self) -> bool:
        """Whether it is a first try at an upsert, of which the ledger need know nothing but key and fingerprint."""
        change, row = self.change, self.row
        own = change.customer in ("", change.key) and not (change.remote_id or self.handle or change.handles)
        return own and change.op == "upsert" and self.attempt == 1 and row.get("status") not in OPEN

    def intended(self, sync: str, batch: str) -> Entry:
        """The row before the call: in doubt until an outcome is written."""
        change, remote = self.change, self.row.get("remote_id")
        tried = (change.fingerprint, "in_doubt", change.op, "", self.attempt)
        return Entry(sync, change.key, self.held, *tried, batch, remote, change.run_id, person(change), self.known_by)

    def leaving(self, sync: str) -> Entry:
        """The row under the key that a move leaves, before the call: the channel may hold it there no longer."""
        change, former = self.change, self.former
        tried = (change.fingerprint, "in_doubt", "remove", "", 1, None, former.get("remote_id"), change.run_id, None)
        return Entry(sync, change.moved_from or "", former.get("fingerprint"), *tried, former.get("handles"))

    def settled(self, sync: str, verdict: Verdict, status: str, batch: str) -> Entry:
        """The row after the call."""
        change, kept = self.change, batch if status == "retrying" else None
        held = change.fingerprint if status == "delivered" else self._perhaps(verdict, status) or self.held
        if status in ("refused", "dead") and self.relied_on:
            held = UNKNOWN  # it is to be taken back with this row, as it was not with the other
        if verdict.gone:
            held = None
        remote = change.remote_id or self.row.get("remote_id") if verdict.remote_id is None else verdict.remote_id
        if status == "delivered" and kind_of(change) == "erase":
            remote = None  # the channel's number of somebody whom it has forgotten
        tried = (change.fingerprint, status, change.op, verdict.code, self.attempt)
        by = self.known_by if held != change.fingerprint else self._sealed(self.handle) if held else None
        by = None if verdict.gone else by
        return Entry(sync, change.key, held, *tried, kept, remote, change.run_id, person(change), by)

    @property
    def known_by(self) -> str | None:
        """What the channel may know the row by while the outcome is open, sealed: the new handle beside the old."""
        return self._sealed(*self.change.handles, self.handle)

    @property
    def anew(self) -> bool:
        """Whether the channel knows the row by other handles once it is delivered."""
        return self.change.handles not in ((), (self.handle,))

    def _sealed(self, *handles: str | None) -> str | None:
        told = tuple(dict.fromkeys(handle for handle in handles if handle))
        return self.seal.shut(told) if told and self.seal else None

    def _perhaps(self, verdict: Verdict, status: str) -> str | None:
        """``?`` for an upsert of which a try may have arrived, as soon as nothing else says so.

        When it ends it will have to be removed; where another payload was held, going back to that has to be sent.
        """
        row = self.row
        doubted = row.get("status") == "in_doubt" or (row.get("status") == "retrying" and row.get("code") in UNSURE)
        if self.change.op != "upsert" or not (doubted or verdict.code in UNSURE):
            return None
        forgotten = status != "retrying" or self.held is not None or verdict.code not in UNSURE
        return UNKNOWN if forgotten else None

    def interrupted(self, sync: str) -> Proof | None:
        """The receipt of an earlier run's doubt about the row."""
        if self.row.get("status") != "in_doubt" or self.row["run_id"] == self.change.run_id:
            return None
        earlier = (int(self.row["attempt"]), str(self.row["run_id"]))
        return proof(sync, self.change, "in_doubt", "interrupted", *earlier)


def due(change: Change, row: Row, former: Row = NOTHING) -> Due | None:
    """The change as it stands to the ledger; None when the ledger no longer asks for it."""
    if not row and not former:
        return Due(change, row, 1, former) if change.op == "upsert" else None
    if not (_needed(change, row) or (former.get("fingerprint") and not _older(change, row))):
        return None
    return Due(change, row, _attempt(change, row), former)


def kind_of(change: Change) -> Kind:
    """How the sink is called for it; changes of different kinds are never under way together."""
    if change.op == "remove":
        return "erase" if change.reason == "erased" else "remove"
    return "move" if change.moved_from else "upsert"


def person(change: Change) -> str | None:
    """The customer, where the key names another thing."""
    return None if change.customer in ("", change.key) else change.customer


def proof(sync: str, change: Change, status: str, code: str, attempt: int, run_id: str | None = None) -> Proof:
    """A receipt."""
    one = (run_id or change.run_id, sync, change.key, change.op, status, code)
    return Proof(*one, change.reason, attempt, change.fingerprint, person(change))


def contact(sync: str, change: Change) -> Contact:
    """A contact with the person."""
    return Contact(change.customer or change.key, change.channel, sync, change.key)


def batch_id(sync: str, dues: Sequence[Due]) -> str:
    """The idempotency key of an earlier try at exactly these rows, else a new one.

    Fewer rows of an earlier try get another key with the same beginning: see ``ActivationSink.first_try``.
    """
    before = {str(one.row.get("batch") or "") for one in dues if one.row.get("status") in OPEN}
    if len(before) == 1 and (old := before.pop()):
        return _keyed(old.partition("-")[0], sync, dues)
    return _keyed(uuid4().hex[:12], sync, dues)


def most(dues: Sequence[Due]) -> int:
    """Rows that a call may take of these: a batch that no answer came to twice is halved from run to run."""
    tries = max(one.attempt for one in dues) if all(one.row.get("code") == SLOW for one in dues) else 0
    return max(1, len(dues) >> max(0, tries - 2))


def _needed(change: Change, row: Row) -> bool:
    """Whether the ledger still asks for this change: a replay of an old run, or of this one, sends nothing."""
    if not row:
        return change.op == "upsert"
    if _older(change, row):
        return False
    held, unsettled = row["fingerprint"], row["status"] in OPEN
    if change.op == "remove":
        return bool(held) or unsettled
    if change.mode in ONCE and row["status"] == "delivered" and held not in (None, UNKNOWN):
        return False
    if row["status"] == "refused" and row["code"] == NOT_THERE and str(row["run_id"]) < change.run_id:
        return True  # the plan asks again what the channel did not have then
    same = row["op"] == "upsert" and row["tried"] == change.fingerprint
    return not (same and row["status"] in ("delivered", "refused", "dead", "dropped"))


def _older(change: Change, row: Row) -> bool:
    return bool(row and change.run_id and change.run_id < str(row["run_id"]))


def _maybe_held(change: Change, row: Row) -> bool:
    """Whether an earlier upsert without an outcome may have left something else in the channel than we know of."""
    if row.get("status") not in OPEN or row.get("op") != "upsert":
        return False
    return change.op == "remove" or row.get("tried") != change.fingerprint


def _attempt(change: Change, row: Row) -> int:
    again = row.get("status") in OPEN and row.get("op") == change.op and row.get("tried") == change.fingerprint
    return int(row["attempt"]) + 1 if again else 1


def _keyed(nonce: str, sync: str, dues: Sequence[Due]) -> str:
    content = "\n".join(sorted(_line(one.change) for one in dues))
    return f"{nonce}-{hashlib.sha256(f'{nonce} {sync} {content}'.encode()).hexdigest()[:32]}"


def _line(change: Change) -> str:
    line = f"{change.op} {change.key} {change.fingerprint or ''}"
    more = change.moved_from or ("erased" if change.reason == "erased" else "")
    return f"{line} {more}" if more else line
