"""What a person decides of dead letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from snello.activation import Ledger
from snello.activation.audit import who
from snello.activation.dead import Choice, drop, retry
from snello.activation.suppressions import NAMELESS
from snello.cli.ledger import Receipts
from snello.cli.screen import Block, Line
from snello.errors import ConfigError, choices
from snello.settings import Settings

_DEEDS: dict[str, Callable[[Ledger, Choice, str, str], int]] = {"retry": retry, "drop": drop}
_SAID = {
    "retry": "{rows} sent again by the next run of {sync}. Next: `snello sync run {sync}`.",
    "drop": "{rows} not sent again by {sync} until they change.",
}


@dataclass(frozen=True)
class Decision:
    """What was decided of how many rows of a sync, by whom and why."""

    deed: str
    sync: str
    rows: int
    by: str
    reason: str


def decide(hub: Settings, deed: str, choice: Choice, by: str | None, reason: str) -> Decision:
    """Retry or drop the letters chosen; raises ``ConfigError`` when there is no such sync, letter, or reason."""
    known = Receipts(hub.ledger).syncs()
    if choice.sync not in known:
        cure = choices(choice.sync, known) if known else "run `meltano run loop`"
        raise ConfigError("dead letters", f"no sync {choice.sync!r} has run", cure)
    if not reason.strip():
        raise ConfigError("dead letters", "a decision needs a reason", "give it with --reason")
    if "@" in reason:
        raise ConfigError("dead letters", "the reason names an address, and the ledger keeps it", NAMELESS)
    author = by or who()
    with closing(Ledger(hub.ledger)) as ledger:
        rows = _DEEDS[deed](ledger, choice, author, reason.strip())
    return Decision(deed, choice.sync, rows, author, reason.strip())


def page(decision: Decision) -> Iterator[Block]:
    """One line."""
    rows = f"{decision.rows:,} row{' is' if decision.rows == 1 else 's are'}"
    yield Line(_SAID[decision.deed].format(rows=rows, sync=decision.sync), "ok")
