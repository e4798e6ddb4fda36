"""How many members a platform can find, how many it probably will, and whether they are enough for it.

What it probably will is learned from what platforms told this hub after earlier runs, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa

from snello.activation import Ledger, Plan
from snello.activation.audience import quoted
from snello.activation.looks import Look, looks, share, telling
from snello.cli.tables import Row
from snello.kit.channel.forecast import Recognition


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


def reach(plan: Plan, ledger: Ledger, known: Recognition, others: Collection[str]) -> Reach:
    """What the platform can make of the audience of ``plan``; ``others``: further syncs of the same target."""
    sets, at_most = _carriers(plan, known.match_keys)
    own, floor = looks(ledger, [plan.sync.name]), known.floor
    told = telling(own, floor) or telling(looks(ledger, others), floor)
    found = share(told)
    probably = round(found * at_most) if found is not None and at_most is not None else None
    floor = max(floor, plan.sync.min_size if floor else 0)
    return Reach(
        sets=sets,
        at_most=at_most,
        share=found,
        looks=len(told),
        learned_from=sorted({look.row["sync"] for look in told}),
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


def _short(floor: int, at_most: int, probably: int | None) -> str:
    if at_most < floor:
        return f"at most {at_most:,} can match, and the platform makes no use of an audience below {floor:,}"
    if probably is not None and probably < floor:
        return f"probably {probably:,} will match, and the platform makes no use of an audience below {floor:,}"
    return ""


def _reported(own: Sequence[Look]) -> Row | None:
    """What the platform said last, beside what those before it had let one expect."""
    if not own:
        return None
    names = ("at", "sent", "accepted", "matched", "size", "forecast")
    return {**{name: own[-1].row[name] for name in names}, "off": own[-1].off}
