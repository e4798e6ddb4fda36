"""How many members a platform can find, how many it probably will, and whether they are enough for it.

What it probably will is learned from what platforms told this hub after earlier runs, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from sqlalchemy import or_, select

from snello.activation import Ledger, Plan
from snello.activation.audience import quoted
from snello.activation.tables import measurements, runs
from snello.cli.tables import Row
from snello.kit.channel.forecast import Recognition

LOOKS = 10
"""The last so many looks at a platform's figures count; older ones speak of another audience."""


@dataclass(frozen=True)
class Reach:
    """What a platform can make of an audience.

    - ``sets``: the sets of columns of which any alone is enough, and how many members have each whole
    - ``at_most``: members with at least one set; None: the channel takes rows as they are
    - ``share``: of the rows that the platform took, how many it found; None: nobody measured it yet
    - ``looks``: how often it was measured; ``learned_from``: the syncs that were
    - ``probably``: ``share`` of ``at_most``
    - ``floor``: members below which the platform makes no use of the audience; ``short``: that they are too few
    - ``reported``: what the platform said last, beside what had been forecast
    """

    sets: list[Row]
    at_most: int | None
    share: float | None
    looks: int
    learned_from: list[str]
    probably: int | None
    floor: int
    short: str = ""
    reported: Row | None = None


@dataclass(frozen=True)
class _Look:
    """What a platform said once: the rows that it had taken, and how many it found."""

    row: Row
    taken: int = field(init=False)
    found: int = field(init=False)

    def __post_init__(self) -> None:
        matched = self.row["matched"]
        held = max(self.row["members"] or 0, self.row["held"] or 0)
        object.__setattr__(self, "taken", held if matched is None else self.row["accepted"])
        object.__setattr__(self, "found", self.row["size"] if matched is None else matched)

    def tells(self, floor: int) -> bool:
        """Whether a share can be read from it; of audiences below their ``floor`` platforms tell no numbers but 0."""
        return self.taken > 0 and self.found is not None and not (self.taken < floor and self.found == 0)


def reach(plan: Plan, ledger: Ledger, known: Recognition, others: Collection[str]) -> Reach:
    """What the platform can make of the audience of ``plan``; ``others``: further syncs of the same target."""
    sets, at_most = _carriers(plan, known.match_keys)
    own, floor = _looks(ledger, [plan.sync.name]), known.floor
    telling = [look for look in own if look.tells(floor)]
    telling = telling or [look for look in _looks(ledger, others) if look.tells(floor)]
    telling = telling[-LOOKS:]
    share = _share(telling)
    probably = round(share * at_most) if share is not None and at_most is not None else None
    floor = max(floor, plan.sync.min_size if floor else 0)
    return Reach(
        sets=sets,
        at_most=at_most,
        share=share,
        looks=len(telling),
        learned_from=sorted({look.row["sync"] for look in telling}),
        probably=probably,
        floor=floor,
        short=_short(floor, at_most if at_most is not None else plan.figures.members, probably),
        reported=_reported(own),
    )


def _carriers(plan: Plan, match_keys: Sequence[Sequence[str]]) -> tuple[list[Row], int | None]:
    """Members who have each set, and members who have any."""
    match_keys = [names for names in match_keys if set(names) <= set(plan.schema.names)]
    if not match_keys:
        return [], None
    whole = [" and ".join(_has(plan.schema.field(name)) for name in names) for names in match_keys]
    counts = [f"count(*) filter (where {condition})" for condition in [*whole, " or ".join(f"({w})" for w in whole)]]
    answer = plan.connection.execute(
        f"select {', '.join(counts)} from published where {quoted(plan.sync.key)}::varchar in (select key from want)"
    )
    [(*each, anyone)] = answer.fetchall()
    rows: list[Row] = [
        {"columns": " + ".join(names), "members": members, "of": plan.figures.members}
        for names, members in zip(match_keys, each, strict=True)
    ]
    return sorted(rows, key=lambda row: -row["members"]), anyone


def _has(column: pa.Field) -> str:
    name = quoted(column.name)
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        return f"coalesce(len({name}), 0) > 0"
    return f"coalesce(trim({name}::varchar), '') <> ''"


def _looks(ledger: Ledger, syncs: Collection[str]) -> list[_Look]:
    """What platforms said of these syncs, the eldest first."""
    of_run = (runs.c.run_id == measurements.c.run_id) & (runs.c.sync == measurements.c.sync)
    told = or_(measurements.c.matched.is_not(None), measurements.c.size.is_not(None))
    query = select(measurements, runs.c.members, runs.c.held).outerjoin(runs, of_run)
    found: list[dict[str, Any]] = ledger.asked(
        query.where(measurements.c.sync.in_(list(syncs)), told).order_by(measurements.c.id)
    )
    return [_Look(row) for row in found]


def _share(looks: Sequence[_Look]) -> float | None:
    taken = sum(look.taken for look in looks)
    return min(1.0, sum(look.found for look in looks) / taken) if taken else None


def _short(floor: int, at_most: int, probably: int | None) -> str:
    if at_most < floor:
        return f"at most {at_most:,} can match, and the platform makes no use of an audience below {floor:,}"
    if probably is not None and probably < floor:
        return f"probably {probably:,} will match, and the platform makes no use of an audience below {floor:,}"
    return ""


def _reported(looks: Sequence[_Look]) -> Row | None:
    """What the platform said last, and what those before it would have had one expect."""
    if not looks:
        return None
    *before, last = looks
    share = _share([look for look in before if look.tells][-LOOKS:])
    names = ("at", "sent", "accepted", "matched", "size")
    return {
        **{name: last.row[name] for name in names},
        "forecast": None if share is None else round(share * last.taken),
    }
