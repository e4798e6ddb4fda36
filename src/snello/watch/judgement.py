"""What of an observation somebody must know, each in one sentence with its cure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from snello.activation.breaker import VARIABLE
from snello.errors import BreakerOpen, ContractError, RetryLater, RowsRefused
from snello.watch.observation import Observation, SyncState

Kind = Literal["breaker", "orphaned", "failed", "refused", "dead", "late"]
CODES: dict[Kind, int] = {
    "breaker": BreakerOpen.exit_code,
    "orphaned": ContractError.exit_code,
    "failed": RetryLater.exit_code,
    "late": RetryLater.exit_code,
    "refused": RowsRefused.exit_code,
    "dead": RowsRefused.exit_code,
}


@dataclass(frozen=True)
class Terms:
    """When a figure becomes an alert.

    - ``refused_share``: of the rows that a run sent, up to which refusals are none
    - ``late``: how old the last publication, and the last run of a published sync, may be
    - ``dead_before``: rows given up per sync when an alert was last told; more of them are one
    """

    refused_share: float = 0.0
    late: timedelta = timedelta(hours=36)
    dead_before: dict[str, int] | None = None


@dataclass(frozen=True)
class Alert:
    """Something that somebody must know; ``about`` tells it from the same fault of another day."""

    kind: Kind
    where: str
    what: str
    cure: str
    about: str = ""

    @property
    def exit_code(self) -> int:
        """The code that a command leaves with for it."""
        return CODES[self.kind]

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. Next: {self.cure}."


def judge(seen: Observation, terms: Terms) -> list[Alert]:
    """The alerts, the gravest kind first."""
    found = [*_published(seen, terms), *(alert for sync in seen.syncs for alert in _of(sync, seen, terms))]
    order = list(CODES)
    return sorted(found, key=lambda alert: (order.index(alert.kind), alert.where))


def _published(seen: Observation, terms: Terms) -> Iterator[Alert]:
    if seen.published_at is not None and seen.at - seen.published_at > terms.late:
        what = f"nothing was published for {_span(seen.at - seen.published_at)}"
        yield Alert("late", "lake", what, "read the log of the last `meltano run loop`", seen.run_id or "")


def _of(sync: SyncState, seen: Observation, terms: Terms) -> Iterator[Alert]:
    where, run = f"sync {sync.name}", sync.run_id or ""
    if sync.outcome == "breaker open":
        cure = f"mend the audience, or let this publication through once: {VARIABLE}={sync.name}@{sync.publication}"
        yield Alert("breaker", where, f"{sync.message}; nothing was sent", cure, run)
    elif sync.outcome in ("stopped", "interrupted"):
        what = f"its last run was {sync.outcome}{': ' + sync.message if sync.message else ''}"
        yield Alert("failed", where, what, f"run it again: snello sync run {sync.name}", run)
    lost = not sync.published and seen.run_id is not None and sync.mode != "append"  # events stay in any case
    if sync.held and lost:
        what = f"it is published no more, and its channel still holds {sync.held:,} rows that no withdrawal reaches"
        cure = "publish it again, with an audience of nobody to empty the channel"
        yield Alert("orphaned", where, what, cure, run)
    yield from _refused(sync, terms)
    before = (terms.dead_before or {}).get(sync.name, 0)
    if sync.dead > before:
        what = f"{sync.dead:,} rows are refused or given up, {sync.dead - before:,} more than when last told"
        yield Alert("dead", where, what, f"snello dead list {sync.name}", str(sync.dead))
    if sync.published and (sync.started_at is None or seen.at - sync.started_at > terms.late):
        ago = f"did not run for {_span(seen.at - sync.started_at)}" if sync.started_at else "never ran"
        if sync.started_at or (seen.published_at and seen.at - seen.published_at > terms.late):
            yield Alert("late", where, f"it {ago}", f"run it: snello sync run {sync.name}", run)


def _refused(sync: SyncState, terms: Terms) -> Iterator[Alert]:
    refused, sent = sync.rows("refused", "dead"), sync.rows("delivered", "refused", "dead", "retrying")
    if refused and refused > terms.refused_share * sent:
        share = f"{refused:,} of the {sent:,} rows that its last run sent were refused ({refused / sent:.1%})"
        yield Alert("refused", f"sync {sync.name}", share, f"snello receipts {sync.name}", sync.run_id or "")


def _span(time: timedelta) -> str:
    hours = int(time.total_seconds() // 3600)
    return f"{hours} hours" if hours < 72 else f"{hours // 24} days"
