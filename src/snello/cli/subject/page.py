"""What the commands about one person say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from snello.activation.erasures import DONE, FAILED, WAITING, Erasure, Step
from snello.cli.screen import Block, Grid, Line, Mark
from snello.cli.subject.export import Exported
from snello.cli.subject.planning import Planned

_MARKS: dict[str, Mark] = {DONE: "ok", FAILED: "bad"}


def exported(done: Exported) -> Iterator[Block]:
    """Where the files are."""
    yield Grid("", ("part", "rows"), list(done.rows.items()))
    yield Line(f"{done.json}", "ok")
    yield Line(f"{done.html}", "ok")


def planned(plan: Planned, days: int) -> Iterator[Block]:
    """What an erasure would do."""
    ids = ", ".join(plan.person.customers) or "nobody who became a customer"
    yield Line(f"To erase: {ids}", "title")
    yield Line(f"{len(plan.person.identifiers)} identifiers, {len(plan.person.records)} source rows", "dim")
    for title, counts in (
        ("channels that hold them", plan.channels),
        ("raw tables of the lake", plan.raw),
        ("published tables", plan.published),
    ):
        yield Line("")
        yield Grid(title, ("name", "rows"), list(counts.items())) if counts else Line(f"{title}: none")
    yield Line("")
    yield Line("What is kept, and why", "title")
    for hold in plan.holds:
        until = "until it is let go" if hold.days is None else f"for {hold.days:,} days"
        yield Line(f"{hold.name}: {plan.held[hold.name]:,} rows {until}: {hold.basis}", "warn")
    if plan.shared:
        yield Line(f"{plan.shared} identifiers that others bear too: rows of the others stay", "warn")
    yield Line("refusals, as keyed hashes: so that nobody writes to them again")
    yield Line("receipts, by customer_id: the proof of what was sent and removed")
    yield Line(
        "no part of the file in which dbt builds: it goes, and the next `meltano run unify` makes it anew, all of it"
    )
    yield Line(f"old versions of the tables, for {days} days; the sources themselves are theirs to clean")
    sources = sorted({source for source, _, _ in plan.person.records})
    if sources:
        yield Line(f"erase the person there too: {', '.join(sources)}", "warn")


def erased(one: Erasure) -> Iterator[Block]:
    """How far an erasure has come."""
    yield Line(f"erasure {one.erasure} of {one.requested_at:%Y-%m-%d %H:%M} by {one.actor}", "title")
    for step in one.steps:
        yield Line(_told(step), _MARKS.get(step.status))
    history = next((step for step in one.steps if step.name == "history"), None)
    if history and history.status != DONE and history.due:
        yield Line(
            f"Until {history.due:%Y-%m-%d} old versions of the tables hold the data; after that day nothing does."
        )
    if one.open_now:
        yield Line("Next: mend what failed, then run `snello subject erase --resume`; every run of it tries again.")


def _told(step: Step) -> str:
    rows = f", {step.rows:,} rows" if step.rows and step.name != "history" else ""
    if step.status == WAITING and step.due:
        day = "without an end" if step.due.year == datetime.max.year else f"until {step.due:%Y-%m-%d}"
        return f"{step.name}: waits {day}{rows}{': ' + step.message if step.message else ''}"
    return f"{step.name}: {step.status}{rows}{': ' + step.message if step.status == FAILED else ''}"


def status(erasures: Sequence[Erasure]) -> Iterator[Block]:
    """Every erasure that is not finished, or the word that there is none."""
    if not erasures:
        yield Line("every erasure is finished", "ok")
    for one in erasures:
        yield from erased(one)
        yield Line("")


def again(former: Sequence[Erasure]) -> Iterator[Block]:
    """That somebody was erased before and nothing is left to do."""
    for one in former:
        at = (one.finished_at or one.requested_at).astimezone(UTC)
        yield Line(f"erased already, on {at:%Y-%m-%d} by {one.actor} (erasure {one.erasure}): nothing more to do", "ok")
