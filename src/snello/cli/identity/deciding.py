"""Link and unlink: from words on the command line to rows in the lake, and what they will do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from snello.cli.identity.desk import NEXT, Desk
from snello.cli.identity.judging import conflicts, linked
from snello.cli.identity.naming import Named, named
from snello.cli.screen import Block, Line
from snello.errors import ConfigError
from snello.identity.decisions import Act, Customer, Word, in_force, pair, undone, unlinked

_JOINS = """
select left_record, right_record from identity_edges
where kept and rule <> 'decision'
    and list_contains($records::varchar[], left_record) and list_contains($records::varchar[], right_record)
"""

# Everything that the customer held when the records came, and what came with it from others in the same run.
_MERGES = """
select merges.moved, merges.stayed || flatten(coalesce(list(others.moved), [])) as stayed
from identity_events as merges
left join identity_events as others
    on others.event = 'merge' and others.customer_id = merges.customer_id
    and others.happened_at = merges.happened_at and others.event_id <> merges.event_id
where merges.event = 'merge' and merges.customer_id = $customer
group by merges.event_id, merges.happened_at, merges.moved, merges.stayed
order by merges.happened_at desc, merges.event_id
"""


@dataclass(frozen=True)
class Decided:
    """What was decided: the decision's name and its words."""

    decision: str
    author: str
    reason: str
    words: tuple[Word, ...]


def link(one: str, other: str, author: str | None, reason: str | None) -> Decided:
    """Decide that two records are one person.

    Raises ``ConfigError`` when either is unknown, they are one already, kept apart by decision, or contradict.
    """
    desk = Desk.open()
    left, right = named(desk, one), named(desk, other)
    refuse(desk, left, right)
    act = desk.act(author, reason, f"Why are {left.record} and {right.record} one person")
    return _decide(desk, act, [act.say("link", (left.record, right.record))])


def unlink(record: str, other: str | None, author: str | None, reason: str | None) -> Decided:
    """Decide that a record is not its customer; see ``snello.identity.decisions.unlinked``.

    Raises ``ConfigError`` when it is unknown, is one of several, or there is nothing to part it from.
    """
    desk = Desk.open()
    mine = _one_record(named(desk, record), record)
    away = _one_record(named(desk, other), other).record if other else None
    act = desk.act(author, reason, f"Why is {mine.record} somebody else")
    words = unlinked(act, mine.record, customer_of(desk, mine), desk.said, away)
    if not words:
        what = f"{mine.record} stands alone, or is set apart already"
        raise ConfigError("unlink", what, "`snello why` shows what is with it")
    return _decide(desk, act, words)


def _one_record(found: Named, given: str) -> Named:
    """Raise ``ConfigError`` for a customer of several records: which of them is meant decides who is parted."""
    if found.record != given.strip() and len(found.records) > 1:
        some = ", ".join(found.records[:5]) + (", …" if len(found.records) > 5 else "")
        raise ConfigError("unlink", f"{given} has {len(found.records)} records", f"name one of them: {some}")
    return found


def undo(decision: str, author: str | None, reason: str | None) -> Decided:
    """Take a decision back; raises ``ConfigError`` when there is none, or it was taken back already."""
    desk = Desk.open()
    act = desk.act(author, reason or f"undo {decision}", "")
    return _decide(desk, act, undone(act, decision, desk.said))


def refuse(desk: Desk, left: Named, right: Named) -> None:
    """Raise ``ConfigError`` when the two cannot, or need not, be linked."""
    force = in_force(desk.said)
    # Of two that are one customer already only their own decision matters: no run has applied it yet.
    together = left.record == right.record or left.customer_id == right.customer_id
    pairs = [(left.record, right.record)] if together else list(product(left.records, right.records))
    for one, other in pairs:
        word = force.get(pair(one, other))
        if word and word.verb == "link":
            raise ConfigError("link", f"{one} and {other} are linked by decision {word.decision} already", NEXT)
        if word:
            what = f"{one} and {other} are kept apart by decision {word.decision} of {word.author}"
            raise ConfigError("link", what, f"take it back first with `snello unlink --undo {word.decision}`")
    if together:
        raise ConfigError("link", f"both are customer {left.customer_id} already", "nothing is left to do")
    sides = linked(desk, left.customer_id), linked(desk, right.customer_id)
    for one, other, why in conflicts(desk.tables, *sides):
        what = f"{one} and {other} cannot be one person: {why}"
        raise ConfigError("link", what, "mend the source that is wrong, or link records that agree")


def customer_of(desk: Desk, mine: Named) -> Customer:
    """The customer of a record, with what joined it and the merges that made it."""
    joins = desk.tables.rows(_JOINS, {"records": list(mine.records)})
    merges = desk.tables.rows(_MERGES, {"customer": mine.customer_id})
    return Customer(
        frozenset(mine.records),
        frozenset((row["left_record"], row["right_record"]) for row in joins),
        tuple((frozenset(row["moved"]), frozenset(row["stayed"])) for row in merges),
    )


def _decide(desk: Desk, act: Act, words: list[Word]) -> Decided:
    desk.decide(words)
    return Decided(act.decision, act.author, act.reason, tuple(words))


def page(decided: Decided) -> Iterator[Block]:
    """What was decided, and what happens next."""
    verbs = {"link": "one person", "apart": "not one person", "revoke": "no longer decided"}
    for word in decided.words[:10]:
        yield Line(f"{word.left_record} and {word.right_record}: {verbs[word.verb]}", "ok")
    counts = Counter(word.verb for word in decided.words)
    if len(decided.words) > 10:
        yield Line(f"and {len(decided.words) - 10} more pairs", "dim")
    told = ", ".join(f"{verb} {number}" for verb, number in sorted(counts.items()))
    yield Line(f"decision {decided.decision} by {decided.author} ({told})")
    yield Line(f"Next: {NEXT}; `snello unlink --undo {decided.decision}` takes it back.")
