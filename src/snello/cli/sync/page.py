"""What a sync would send, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from snello.cli.said import away
from snello.cli.screen import Block, Grid, Line
from snello.cli.sync.preview import Preview
from snello.cli.sync.reach import Reach
from snello.cli.tables import Row

_COUNTS = ("members", "held", "adds", "changes", "moves", "removals", "unchanged", "waiting")


def page(found: Preview) -> Iterator[Block]:
    """The counts, who is kept back and why, what changes, what it takes, examples, and what to do next."""
    yield Line(f"{found.sync} to {found.target}, {found.mode}, publication {found.publication}", "title")
    yield Grid("", _COUNTS, [[getattr(found, name) for name in _COUNTS]])
    yield from _grid("Kept back", ("gate", "code", "members"), found.excluded)
    yield from _grid("Removed", ("reason", "rows"), found.removed)
    if found.fields is None:
        yield Line("")
        yield Line("Which columns changed is not known: what was delivered last is not kept any more", "warn")
    else:
        yield from _grid("Changed columns, among rows that the channel holds", ("column", "rows"), found.fields)
    yield from _grid("Columns by which the platform finds people", ("column", "members", "of"), found.matching)
    yield from _reached(found.reach)
    yield from _grid("What the breaker looks at", ("metric", "now", "usual", "bound", "origin"), _bounds(found))
    yield from _examples(found.samples)
    yield Line("")
    if found.breaker:
        yield Line(found.breaker, "bad")
    elif not found.adds + found.changes + found.moves + found.removals:
        yield Line("nothing to deliver", "ok")
    else:
        yield Line(f"It takes {_takes(found)}.")
        yield Line(f"Next: snello sync run {found.sync} --limit 10 sends the first ten; without --limit, all of it")


def _reached(found: Reach) -> Iterator[Block]:
    """Whom the platform can find, whom it probably will, and what it said last."""
    yield from _grid("Any of these lets the platform find a person", ("columns", "members", "of"), found.sets)
    yield from _grid("Nothing is left of these values once normalised", ("column", "members"), found.lost)
    if found.at_most is not None:
        yield Line("")
        yield Line(f"At most {found.at_most:,} can match; {_probably(found)}.")
    if found.short:
        yield Line(f"Too few: {found.short}", "bad")
    elif found.floor:
        enough = f"the platform makes use of an audience from {found.floor:,} on"
        known = found.probably is not None
        yield Line(f"Enough: {enough}" if known else f"As far as can be told enough: {enough}", "ok" if known else None)
    if found.reported:
        columns = ("at", "sent", "accepted", "matched", "size", "forecast", "off")
        said = {**found.reported, "off": away(found.reported["off"])}
        yield from _grid("What the platform said last", columns, [said])


def _probably(found: Reach) -> str:
    if found.probably is None or found.share is None:
        return "how many will is not known, the platform has told no figures yet"
    looks = f"{found.looks} look{'' if found.looks == 1 else 's'} at {', '.join(found.learned_from)}"
    return f"probably {found.probably:,} will ({found.share:.1%} of what it took, by {looks})"


def _bounds(found: Preview) -> list[Row]:
    return [
        {
            "metric": one.metric,
            "now": _share(one.now),
            "usual": _share(one.usual),
            "bound": _share(one.bound),
            "origin": one.origin if one.bound is not None else None,
        }
        for one in found.bounds
        if one.bound is not None or not one.metric.startswith("empty ")
    ]


def _share(value: float | None) -> str | None:
    return None if value is None else f"{value:.1%}"


def _grid(title: str, columns: Sequence[str], rows: Sequence[Row]) -> Iterator[Block]:
    if rows:
        yield Line("")
        yield Grid(title, columns, [[row[name] for name in columns] for row in rows])


def _examples(samples: Sequence[Row]) -> Iterator[Block]:
    if not samples:
        return
    names = list(dict.fromkeys(name for sample in samples for name in sample["row"]))
    rows = [
        [sample["change"], sample["key"], sample["reason"], *(_cell(sample, name) for name in names)]
        for sample in samples
    ]
    yield Line("")
    yield Grid("Examples, values masked", ("change", "key", "reason", *names), rows)


def _cell(sample: Row, name: str) -> str | None:
    return None if sample["change"] == "remove" else sample["row"].get(name)


def _takes(found: Preview) -> str:
    if found.forecast is None:
        return "as long as a target of somebody else's takes"
    calls = f"{found.forecast.requests:,} call{'' if found.forecast.requests == 1 else 's'}"
    seconds = found.forecast.seconds
    if seconds is None:
        return f"{calls}, as quickly as the channel answers"
    return f"{calls}, at least {_span(seconds)} at {found.forecast.per_second:g} a second"


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"
