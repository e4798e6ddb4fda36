"""The breaker: stops a sync before its first call when the change is larger than agreed, or than it has ever been.

What is declared holds. Where nothing is, bounds are learned from the sync's last publications: the median, and how far
they strayed from it. Small numbers never open the breaker, so a single withdrawal always passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from snello.activation.ledger import Ledger
from snello.activation.plan import Plan
from snello.activation.readings import Reading, learned, read
from snello.activation.sync import Sync
from snello.errors import BreakerOpen

VARIABLE = "SNELLO_ALLOW_BREAKER"
NOTHING = "nothing was sent"


@dataclass(frozen=True)
class Comparison:
    """A figure of a run beside its bound; shares are between 0 and 1, and growth may be more.

    ``origin``: declared, learned or default; ``usual`` and ``bound`` are None where nothing is known. ``words`` says it
    all in one line; ``rows``: how many rows the figure stands for.
    """

    metric: str
    now: float
    usual: float | None
    bound: float | None
    origin: str
    is_open: bool
    words: str
    rows: int

    @property
    def lesson(self) -> Reading:
        """What later runs learn of it: of a figure that was let through no more than its bound.

        So one mistake that somebody waved through does not make room for the next, and a lasting change is learned in
        steps.
        """
        return Reading(self.metric, self.bound if self.is_open and self.bound is not None else self.now, self.rows)


def check(plan: Plan, ledger: Ledger, allowed: str | None) -> list[Reading]:
    """What the run teaches; raises ``BreakerOpen`` when a figure leaves its bounds and nobody let it through.

    - an empty audience, or a consent table in which nobody consents, never empties a channel
    - ``allowed`` names one sync and one publication (``sync@publication``), so it lets one run through, not the next
    """
    compared = compare(plan, ledger)
    problems = [*_emptied(plan)] or [one.words for one in compared if one.is_open]
    token = f"{plan.sync.name}@{plan.publication}"
    if not problems or token in (allowed or "").replace(",", " ").split():
        return [one.lesson for one in compared]
    raise BreakerOpen(
        f"sync {plan.sync.name}",
        f"{'; '.join(problems)}; {NOTHING}",
        f"look into the audience and mend it; or let this publication through once: {VARIABLE}={token}",
    )


def compare(plan: Plan, ledger: Ledger) -> list[Comparison]:
    """Every figure of the plan beside what is usual and what is agreed."""
    known = learned(ledger, plan.sync.name)
    return [_compared(plan, reading, known.get(reading.metric)) for reading in read(plan, ledger)]


def _emptied(plan: Plan) -> Iterator[str]:
    figures, sync = plan.figures, plan.sync
    if not figures.held or not figures.removals:
        return
    left = "select count(*) from removals where reason = 'left_audience'"
    small = figures.removals <= sync.max_removals_floor and not plan.connection.execute(left).fetchall()[0][0]
    if figures.published == 0 and not (small and figures.anyone_consents):
        yield f"the audience is empty: {_sizes(plan)}"
    elif not figures.anyone_consents:
        yield f"nobody consents to {sync.purpose}: {_sizes(plan)}"


def _compared(plan: Plan, reading: Reading, usual: tuple[float, float] | None) -> Comparison:
    sync, metric, now = plan.sync, reading.metric, reading.value
    declared, floor = _declared(sync, metric)
    bound, origin = (declared, "declared") if declared is not None else (usual[1] if usual else None, "learned")
    if metric == "removals" and declared is None and (bound is None or bound > sync.max_removal_share):
        bound, origin = sync.max_removal_share, "default"
    outside = bound is not None and (now < bound if metric == "consent" else now > bound)
    words = _told(plan, reading)
    words += f", usually {usual[0]:.0%}" if usual else ""
    words += f", at {'least' if metric == 'consent' else 'most'} {bound:.0%} ({origin})" if bound is not None else ""
    is_open = outside and reading.rows > floor
    return Comparison(metric, now, usual[0] if usual else None, bound, origin, is_open, words, reading.rows)


def _declared(sync: Sync, metric: str) -> tuple[float | None, int]:
    """What the sync declares of a figure, and the number of rows up to which it never opens the breaker."""
    if metric == "removals":
        given = sync.max_removal_share if "max_removal_share" in sync.model_fields_set else None
        return given, sync.max_removals_floor
    if metric == "growth":
        return sync.max_growth_share, sync.max_growth_floor
    if metric == "consent":
        return sync.min_consent_share, sync.max_removals_floor
    return sync.max_null_share.get(metric.removeprefix("empty ")), sync.max_removals_floor


def _told(plan: Plan, reading: Reading) -> str:
    metric, share = reading.metric, f"{reading.value:.0%}"
    if metric == "removals":
        return f"{reading.rows:,} removals, {share} of what the channel holds ({_sizes(plan)})"
    if metric == "growth":
        return f"{reading.rows:,} additions, {share} of what the channel holds ({_sizes(plan)})"
    if metric == "consent":
        return f"{share} of {plan.figures.published:,} members consent"
    return f"{metric.removeprefix('empty ')} is empty in {share} of {plan.figures.published:,} members"


def _sizes(plan: Plan) -> str:
    return f"{plan.figures.published:,} members published against {plan.figures.held:,} held by the channel"
