"""A platform's own figures of an audience that it does not list, beside what the ledger says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from snello.activation.feedback import Sent, measure
from snello.activation.looks import LATE, ever, held, long_held, looks
from snello.cli.said import away
from snello.cli.screen import Block, Grid, Line
from snello.kit.channel import ActivationTarget

_COLUMNS = ("held by the ledger", "ever sent", "size", "recognised", "forecast", "off", "looked at (UTC)")
FOREIGN, NOBODY = "foreign", "nobody"


@dataclass(frozen=True)
class Figures:
    """One look.

    - ``held``: rows that the channel holds by the ledger; ``ever``: those that it was ever sent, at most
    - ``size``, ``recognised``: as the platform reports them; None: it does not say
    - ``least``: how many it has for certain, where it tells a range
    - ``forecast``: how many were expected; ``off``: by which share they are more, or fewer. ``at``: when it was asked
    - ``drift``: ``foreign`` when it has more than it was ever sent, ``nobody`` when it has found none for too long
    """

    sync: str
    held: int
    ever: int
    at: datetime
    size: int | None = None
    least: int | None = None
    recognised: int | None = None
    forecast: int | None = None
    off: float | None = None
    drift: str | None = None

    def __bool__(self) -> bool:
        return self.drift is not None

    def said(self) -> dict[str, Any]:
        """For a document of JSON."""
        return asdict(self)


def look(target: ActivationTarget, sync: str, title: str) -> Figures:
    """Ask the platform for its figures, note them in the ledger as a look, and judge them; the platform stays as it is.

    ``title``: of the list in the channel. Raises ``ConfigError`` where the platform has no such list.
    """
    ledger, sent, now = target.ledger, ever(target.ledger, sync), datetime.now(UTC)
    making = {name: False for name in type(target.values).model_fields if name.startswith("create_")}
    sink = target.sinks[0](target.values.model_copy(update=making), sync, title)
    try:
        size = sink.size()
    finally:
        sink.close()
    if size is None:
        return Figures(sync, held(ledger, sync), sent, now)
    measure(ledger, sync, ledger.last_run(sync).get("run_id", ""), Sent(0, 0), size, sink.floor)
    seen = looks(ledger, [sync])[-1]
    row = seen.row
    drift = None
    if (size.size if size.least is None else size.least) > sent:
        drift = FOREIGN
    elif not size.size and long_held(ledger, sync, now) >= max(sink.floor, 1):
        drift = NOBODY
    told = (size.size, size.least, size.matched, row["forecast"], seen.off)
    return Figures(sync, row["held"], sent, now, *told, drift)


def figures(found: Figures) -> Iterator[Block]:
    """The figures side by side, and what they contradict."""
    told = (found.held, found.ever, found.size, found.recognised, found.forecast, away(found.off))
    yield Grid(found.sync, _COLUMNS, [[*told, found.at]])
    yield Line("")
    if found.drift == FOREIGN:
        least = found.size if found.least is None else found.least
        yield Line(f"the platform has {least:,} people, and was never sent more than {found.ever:,}", "bad")
        yield Line("Next: look into the platform who else adds to the audience")
    elif found.drift == NOBODY:
        yield Line(f"the platform finds nobody, and has had the rows for more than {LATE.days} days", "bad")
        yield Line("Next: look into the platform whether the audience can be used, and `snello sync plan` what it gets")
    elif found.size is None:
        yield Line("the platform does not say how large the audience is. Next: check again later", "warn")
    else:
        yield Line("nothing contradicts the ledger; which rows the platform holds it does not say", "ok")
