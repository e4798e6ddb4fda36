"""The state of the hub on a screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from snello.cli import said
from snello.cli.screen import Block, Grid, Line
from snello.cli.status.reading import Status
from snello.cli.tables import Row

_SOURCES = ("source", "finished_at", "age", "streams", "rows", "refused")
_SYNCS = ("sync", "age", "outcome", "delivered", "suppressed", "refused", "dead")
_CONSENTS = ("purpose", "channel", "yes", "no", "unknown", "yes_percent")
_QUARANTINE = ("source", "stream", "reason", "rows")


def page(status: Status) -> Iterator[Block]:
    """Sources, what is published, consent, syncs, quarantine, data quality."""
    if not status.sources and status.published is None:
        yield Line("Nothing has run yet. Next: run `meltano run loop`, or `snello demo` for a company to try.", "warn")
        return
    yield _grid("Sources, last run (times are UTC)", _SOURCES, _aged(status.sources))
    yield Line("")
    yield from _published(status)
    yield Line("")
    if status.consents:
        yield _grid("Customers by consent (unknown counts as no)", _CONSENTS, status.consents)
        yield Line("")
    if status.syncs:
        yield _grid("Syncs, last run", _SYNCS, _aged(status.syncs))
    else:
        yield Line("No sync has run yet. Next: run `meltano run activate`.")
    if dead := sum(row["dead"] for row in status.syncs):
        yield Line(f"Rows that do not reach their channel: {dead:,}. Next: `snello dead list`.", "warn")
    yield Line("")
    if status.said:
        yield from said.grid("What platforms said last, beside what was expected", status.said, by_sync=True)
        yield Line("")
    if status.quarantine:
        yield _grid("Quarantine", _QUARANTINE, status.quarantine)
    else:
        yield Line("Nothing is in quarantine.", "ok")
    if status.quality is not None:
        yield _found(status.quality)


def age(minutes: int) -> str:
    """How long ago, in the largest unit that fits."""
    for unit, size in (("d", 1440), ("h", 60)):
        if minutes >= size:
            return f"{minutes // size} {unit}"
    return f"{minutes} min"


def _aged(rows: Sequence[Row]) -> list[Row]:
    return [{**row, "age": None if row["age_minutes"] is None else age(row["age_minutes"])} for row in rows]


def _grid(title: str, names: Sequence[str], rows: Sequence[Row]) -> Grid:
    return Grid(title, names, [[row[name] for name in names] for row in rows])


def _found(quality: Sequence[Row]) -> Line:
    if not quality:
        return Line("Nothing was found wrong with the data as it arrived.", "ok")
    counts = ", ".join(f"{row['findings']:,} {row['severity']}{'' if row['findings'] == 1 else 's'}" for row in quality)
    return Line(f"Found in the data as it arrived: {counts}. Next: `snello quality` tells what and the cure.")


def _published(status: Status) -> Iterator[Block]:
    if status.published is None:
        yield Line("Nothing is published yet. Next: run `meltano run unify`.", "warn")
        return
    tables = status.published["tables"]
    when = f"{status.published['published_at']:%Y-%m-%d %H:%M}"
    yield Line(f"Published: run {status.published['run_id']} at {when} UTC", "title")
    yield _grid("", ("table", "rows", "version"), tables)
