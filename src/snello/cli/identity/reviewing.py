"""Clerical review: list what is waiting, decide one pair, or go through the queue at a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import typer

from snello.cli.identity import queue
from snello.cli.identity.deciding import Decided, refuse
from snello.cli.identity.desk import NEXT, Desk
from snello.cli.identity.naming import named
from snello.cli.identity.queue import Case, Field
from snello.cli.screen import Block, Grid, Line, Mark, show
from snello.errors import ConfigError
from snello.identity.decisions import Act, undone

_VERBS = {"a": "link", "r": "apart", "s": "skip"}
_KEYS = "[a]ccept, [r]eject, [s]kip, [u]ndo the last one, [q]uit"
_MARKS: dict[str, Mark] = {"same": "ok", "close": "warn", "differs": "bad", "missing": "dim"}


@dataclass(frozen=True)
class Queue:
    """The head of the queue, and how long it is."""

    waiting: int
    cases: tuple[Case, ...]


def listed(limit: int) -> Queue:
    """The first ``limit`` open pairs, both records side by side."""
    desk = Desk.open(queue.TABLE)
    cases = queue.waiting(desk)
    return Queue(len(cases), tuple(queue.beside(desk, cases[:limit])))


def settle(accepted: list[str], rejected: list[str], author: str | None, reason: str | None) -> list[Decided]:
    """Accept and reject pairs by their names, one decision each; raises ``ConfigError`` at one that is not open."""
    desk = Desk.open(queue.TABLE)
    return [
        _decide(desk, queue.found(desk, name), verb, author, reason)
        for verb, names in (("link", accepted), ("apart", rejected))
        for name in names
    ]


def walk(limit: int, author: str | None, reason: str | None) -> list[Decided]:
    """Ask about each pair in turn; what is decided is in the lake at once, so that leaving loses nothing."""
    desk = Desk.open(queue.TABLE)
    done: list[Decided] = []
    seen: set[str] = set()
    while len(seen) < limit:
        # Asked anew each time: a decision settles every other pair of the same two customers.
        cases = [case for case in queue.waiting(desk) if case.pair not in seen]
        if not cases:
            break
        [case] = queue.beside(desk, cases[:1])
        show(case, card(case, len(cases)), as_json=False)
        key = _asked()
        if key == "q":
            break
        if key == "u" and not done:
            typer.echo("Nothing was decided yet in this sitting.", err=True)
        elif key == "u":
            last = done.pop()
            seen.discard(queue.name(last.words[0].pair))
            if last.words[0].verb != "skip":
                act = desk.act(author, f"undo {last.decision}", "")
                desk.decide(undone(act, last.decision, desk.said))
        elif key in _VERBS:
            try:
                done.append(_decide(desk, case, _VERBS[key], author, reason))
                seen.add(case.pair)
            except ConfigError as fault:
                typer.echo(str(fault), err=True)
        else:
            typer.echo(f"No such answer. Next: one of {_KEYS}.", err=True)
    return done


def _asked() -> str:
    """The key that was typed; to leave by Ctrl-C or at the end of the input is to quit."""
    try:
        return str(typer.prompt(_KEYS)).strip().lower()[:1]
    except typer.Abort:
        typer.echo("", err=True)
        return "q"


def _decide(desk: Desk, case: Case, verb: str, author: str | None, reason: str | None) -> Decided:
    if verb == "link":
        refuse(desk, named(desk, case.left_record), named(desk, case.right_record))
    act: Act = desk.act(author, reason or f"review: {case.reason}", "")
    word = act.say(verb, case.records)
    desk.decide([word])
    return Decided(act.decision, act.author, act.reason, (word,))


def card(case: Case, waiting: int) -> Iterator[Block]:
    """One pair at a terminal: what agrees in green, what differs in red."""
    yield Line(f"{_title(case)} ({waiting} waiting)", "title")
    yield from _notes(case)
    width = max([len(case.left_record), *(len(field.left or "-") for field in case.fields)])
    yield Line(f"  {'':14}{case.left_record:{width}}  {case.right_record}")
    yield from (_line(field, width) for field in case.fields)
    yield Line(f"to accept makes one customer of {case.left_customer} and {case.right_customer}", "dim")


def _title(case: Case) -> str:
    measure = "probability" if case.reason.startswith("likely") else "evidence"
    return f"{case.pair}: {case.reason}, {measure} {case.probability:.2f}"


def _notes(case: Case) -> Iterator[Line]:
    """What agrees and what differs, what a yes would move, and what stands in its way."""
    if case.evidence:
        yield Line(case.evidence, "dim")
    moves = f"{case.moves} {'record' if case.moves == 1 else 'records'} would move"
    yield Line(f"the strongest of {case.pairs} pairs between the two; {moves}" if case.pairs > 1 else moves, "dim")
    if case.contradiction:
        yield Line(f"cannot be accepted: {case.contradiction} between other records of the two", "warn")
    if case.skipped_by:
        yield Line(f"skipped before by {case.skipped_by}", "dim")


def _line(field: Field, width: int) -> Line:
    mark = _MARKS[field.verdict]
    pad = "  " if mark == "dim" else ""
    return Line(f"{pad}{field.attribute:14}{field.left or '-':{width}}  {field.right or '-'}", mark)


def page(found: Queue) -> Iterator[Block]:
    """The queue as tables, a pair each."""
    for case in found.cases:
        yield Grid(
            _title(case),
            ("field", case.left_record, case.right_record, "verdict"),
            [[field.attribute, field.left, field.right, field.verdict] for field in case.fields],
        )
        yield from _notes(case)
        yield Line("")
    rest = found.waiting - len(found.cases)
    yield Line(f"{found.waiting} questions waiting" + (f", {rest} more than shown" if rest else ""))
    if found.waiting:
        yield Line("Next: snello review --accept PAIR or --reject PAIR; at a terminal, snello review asks.")


def summary(done: list[Decided]) -> Iterator[Block]:
    """What was decided in one sitting, and what happens next."""
    for decided in done:
        [word] = decided.words
        verbs = {"link": "accepted", "apart": "rejected", "skip": "skipped"}
        yield Line(f"{word.left_record} and {word.right_record}: {verbs[word.verb]} ({decided.decision})", "ok")
    if any(decided.words[0].verb != "skip" for decided in done):
        yield Line(f"Next: {NEXT}; `snello review --undo DECISION` takes one back.")
    else:
        yield Line("nothing was decided", "dim")
