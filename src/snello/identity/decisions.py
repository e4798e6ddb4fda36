"""What people decide about records: rows that are only ever added, of which the latest word on a pair counts."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from snello.errors import ConfigError, choices

SCHEMA = pa.schema(
    {
        "decision": pa.string(),
        "decided_at": pa.timestamp("us", "UTC"),
        "author": pa.string(),
        "reason": pa.string(),
        "verb": pa.string(),
        "left_record": pa.string(),
        "right_record": pa.string(),
        "revokes": pa.string(),
    }
)
Pair = tuple[str, str]
_MOST_PAIRS = 10_000  # of larger customers one record at a time is parted


def pair(one: str, other: str) -> Pair:
    """Two records in the order in which pairs are kept."""
    return (one, other) if one < other else (other, one)


@dataclass(frozen=True)
class Word:
    """What one decision says of one pair.

    - ``verb``: ``link`` (one person), ``apart`` (not one person), ``revoke`` (nothing is decided any more) or ``skip``
      (looked at, left open)
    - ``revokes``: the decision that this word takes back
    """

    decision: str
    decided_at: datetime
    author: str
    reason: str
    verb: str
    left_record: str
    right_record: str
    revokes: str | None = None

    @property
    def pair(self) -> Pair:
        """The two records."""
        return self.left_record, self.right_record


@dataclass(frozen=True)
class Act:
    """One decision of one person, which may speak of several pairs."""

    decision: str
    decided_at: datetime
    author: str
    reason: str

    @classmethod
    def now(cls, author: str, reason: str, at: datetime, said: Iterable[Word]) -> Act:
        """A new decision, later than every word said before whatever the clock says."""
        last = max((word.decided_at for word in said), default=None)
        moment = max(at, last + timedelta(microseconds=1)) if last else at
        return cls(f"d{uuid.uuid4().hex[:12]}", moment, author, reason)

    def say(self, verb: str, about: Pair, revokes: str | None = None) -> Word:
        """One word of the decision."""
        return Word(self.decision, self.decided_at, self.author, self.reason, verb, *pair(*about), revokes)


def in_force(said: Iterable[Word]) -> dict[Pair, Word]:
    """The links and separations that count: the latest word on each pair, where it is no revoke."""
    latest: dict[Pair, Word] = {}
    for word in said:
        known = latest.get(word.pair)
        if word.verb != "skip" and (
            known is None or (word.decided_at, word.decision) > (known.decided_at, known.decision)
        ):
            latest[word.pair] = word
    return {about: word for about, word in latest.items() if word.verb != "revoke"}


def undone(act: Act, decision: str, said: Collection[Word]) -> list[Word]:
    """The words that take ``decision`` back: every pair on which it has the last word is as it was before it.

    Raises ``ConfigError`` when there is no such decision or nothing of it counts any more.
    """
    every = sorted((w for w in said if w.verb != "skip"), key=lambda w: (w.decided_at, w.decision))
    words = [word for word in every if word.decision == decision]
    if not words:
        known = sorted({word.decision for word in every})[-20:]
        raise ConfigError("undo", f"no decision {decision!r}", choices(decision, known) if known else "decide first")
    last = {word.pair: word for word in every}
    found: list[Word] = []
    for word in words:
        if last[word.pair] != word:
            continue
        before = next((w for w in reversed(every) if w.pair == word.pair and w.decision != decision), None)
        verb = before.verb if before else "revoke"
        found.append(act.say(verb, word.pair, revokes=decision))
    if not found:
        raise ConfigError("undo", f"decision {decision} was taken back already", "look at the later decisions")
    return found


@dataclass(frozen=True)
class Customer:
    """One customer as last published, as far as parting it is concerned.

    - ``records``: its records that speak of a person
    - ``joins``: pairs of them that rules or likelihood join
    - ``merges``: for each merge that made it, newest first, the records that came and those that they came to
    """

    records: frozenset[str]
    joins: frozenset[Pair] = frozenset()
    merges: tuple[tuple[frozenset[str], frozenset[str]], ...] = ()


def unlinked(act: Act, record: str, customer: Customer, said: Collection[Word], other: str | None = None) -> list[Word]:
    """The words that part ``record`` from its customer, or from ``other`` alone; empty when it stands alone.

    - a link of a person's hand that holds it is taken back, so that to link and to unlink is to do nothing
    - else, when the customer came from a merge, the two sides as they were before it are set apart
    - else the record is set apart from all others of the customer
    """
    force = in_force(said)
    links = {about: word for about, word in force.items() if word.verb == "link"}
    own = _reached(record, customer.joins)
    crossing = {about: word for about, word in links.items() if (about[0] in own) != (about[1] in own)}
    if other is not None:
        far = _reached(other, [*customer.joins, *links.keys() - crossing.keys()])
        crossing = {about: word for about, word in crossing.items() if far & set(about) and other not in own}
    if any(record in about for about in crossing) or (crossing and own == {record}):
        return [act.say("revoke", about, revokes=word.decision) for about, word in sorted(crossing.items())]
    one, rest = _sides(record, customer, other)
    pairs = sorted({pair(left, right) for left in one for right in rest})
    return [act.say("apart", about) for about in pairs if about not in force or force[about].verb == "link"]


def _reached(record: str, joins: Iterable[Pair]) -> set[str]:
    """The records that a chain of joins leads to, itself among them."""
    near: dict[str, set[str]] = {}
    for left, right in joins:
        near.setdefault(left, set()).add(right)
        near.setdefault(right, set()).add(left)
    found, open_ = {record}, [record]
    while open_:
        fresh = near.get(open_.pop(), set()) - found
        found |= fresh
        open_.extend(fresh)
    return found


def _sides(record: str, customer: Customer, other: str | None) -> tuple[set[str], set[str]]:
    """What is set apart from what."""
    # A record's own coming counts before what came to it.
    for side in (0, 1):
        for merge in customer.merges:
            mine, theirs = merge[side] & customer.records, merge[1 - side] & customer.records
            if record in mine and theirs and (other is None or other in theirs):
                return (set(mine) if len(mine) * len(theirs) <= _MOST_PAIRS else {record}), set(theirs)
    return {record}, {other} if other is not None else set(customer.records - {record})


def table(words: Iterable[Word]) -> pa.Table:
    """The words as rows of the table of decisions."""
    return pa.Table.from_pylist([vars(word) for word in words], SCHEMA)


def words(rows: Iterable[Mapping[str, object]]) -> list[Word]:
    """The rows of the table of decisions as words."""
    return [Word(**{name: row[name] for name in SCHEMA.names}) for row in rows]  # type: ignore[arg-type]
