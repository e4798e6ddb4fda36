"""How many members a platform can find, how many it probably will, and whether they are enough for it.

What it probably will is learned from what platforms told this hub after earlier runs, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from snello.activation import Ledger, Plan
from snello.activation.looks import Look, looks, share, telling
from snello.cli.sync.legible import Members
from snello.cli.tables import Row
from snello.kit.channel.forecast import Recognition


@dataclass(frozen=True)
class Reach:
    """What a platform can make of an audience.

    - ``sets``: the sets of columns of which any alone is enough, and how many members have each whole, normalised
    - ``lost``: columns and how many members have a value there of which nothing is left once it is normalised
    - ``at_most``: members with at least one set; None: the channel takes rows as they are
    - ``share``: of the rows that the platform took, how many it found; None: nobody measured it yet
    - ``looks``: how often it was measured; ``learned_from``: the syncs that were
    - ``probably``: ``share`` of ``at_most``
    - ``floor``: members below which the platform makes no use of the audience; ``short``: that they are too few
    - ``reported``: what the platform said last, beside what had been forecast
    """

    sets: list[Row]
    lost: list[Row]
    at_most: int | None
    share: float | None
    looks: int
    learned_from: list[str]
    probably: int | None
    floor: int
    short: str = ""
    reported: Row | None = None


def reach(
    plan: Plan, ledger: Ledger, known: Recognition, others: Collection[str], members: Members | None = None
) -> Reach:
    """What the platform can make of the audience of ``plan``; ``others``: further syncs of the same target.

    ``members``: those of the plan as ``known`` reads them, where they are asked for more besides.
    """
    sets, lost, at_most = _carriers(plan, known, members or Members(plan, known))
    own, floor = looks(ledger, [plan.sync.name]), known.floor
    told = telling(own, floor) or telling(looks(ledger, others), floor)
    found = share(told)
    probably = round(found * at_most) if found is not None and at_most is not None else None
    floor = max(floor, plan.sync.min_size if floor else 0)
    return Reach(
        sets=sets,
        lost=lost,
        at_most=at_most,
        share=found,
        looks=len(told),
        learned_from=sorted({look.row["sync"] for look in told}),
        probably=probably,
        floor=floor,
        short=_short(floor, at_most if at_most is not None else plan.figures.members, probably),
        reported=_reported(own),
    )


def matching(plan: Plan, members: Members) -> list[Row]:
    """Of the columns that the sync says the platform finds people by, how many members have each."""
    columns = plan.sync.match_keys
    found, _ = members.count([(name,) for name in columns])
    return [
        {"column": name, "members": many, "of": plan.figures.members} for name, many in zip(columns, found, strict=True)
    ]


def _carriers(plan: Plan, known: Recognition, members: Members) -> tuple[list[Row], list[Row], int | None]:
    """Members who have each set, those of whom a column comes to nothing, and members who have any set."""
    match_keys = [names for names in known.match_keys if set(names) <= set(plan.schema.names)]
    if not match_keys:
        return [], [], None
    each, anyone = members.count(match_keys)
    columns = list(dict.fromkeys(name for names in match_keys for name in names))
    lost: list[Row] = [{"column": name, "members": many} for name, many in members.lost(columns).items()]
    rows: list[Row] = [
        {"columns": " + ".join(names), "members": found, "of": plan.figures.members}
        for names, found in zip(match_keys, each, strict=True)
    ]
    return sorted(rows, key=lambda row: -row["members"]), lost, anyone


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
