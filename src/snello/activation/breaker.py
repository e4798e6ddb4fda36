"""The breaker: stops a sync before its first call when it would remove more than was agreed."""

from __future__ import annotations

from snello.activation.diff import Figures
from snello.activation.sync import Sync
from snello.errors import BreakerOpen

VARIABLE = "SNELLO_ALLOW_BREAKER"


def check(sync: Sync, figures: Figures, publication: str, allowed: str | None) -> None:
    """Raise ``BreakerOpen`` when the removals leave the agreed bounds and nobody let this publication through.

    - an empty audience, or a consent table in which nobody consents, never empties a channel
    - removals up to the floor never open the breaker, so a single withdrawal always passes
    - ``allowed`` names one sync and one publication (``sync@publication``), so it lets one run through, not the next
    """
    problem = _problem(sync, figures)
    token = f"{sync.name}@{publication}"
    if problem is None or token in (allowed or "").replace(",", " ").split():
        return
    raise BreakerOpen(
        f"sync {sync.name}",
        f"{problem}; nothing was sent",
        f"look into the audience and mend it; or let this publication through once: {VARIABLE}={token}",
    )


def _problem(sync: Sync, figures: Figures) -> str | None:
    if not figures.held or not figures.removals:
        return None
    compared = f"{figures.published:,} members published against {figures.held:,} held by the channel"
    if figures.published == 0:
        return f"the audience is empty: {compared}"
    if figures.consenting == 0:
        return f"nobody consents to {sync.purpose}: {compared}"
    share = figures.removals / figures.held
    if figures.removals <= sync.max_removals_floor or share <= sync.max_removal_share:
        return None
    agreed = f"at most {sync.max_removal_share:.0%} were agreed"
    return f"{figures.removals:,} removals, {share:.0%} of what the channel holds ({compared}), {agreed}"
