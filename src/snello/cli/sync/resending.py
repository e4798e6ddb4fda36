"""Having the next run send every member again, after somebody deleted the list in the channel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from snello.activation import Ledger, Sync
from snello.activation.audit import who
from snello.activation.resending import CURE, TWICE, Resending, resend, resendable, resendable_rows
from snello.cli.checks.ground import Ground
from snello.cli.ledger import Receipts
from snello.cli.screen import Block, Line
from snello.cli.sync.carriers import carriers, published
from snello.errors import ConfigError
from snello.kit.channel import ActivationTarget
from snello.settings import Settings, project_root


@dataclass(frozen=True)
class Resent:
    """What was asked: so many ``rows`` of ``sync``, by which ``author`` and why; ``dry_run``: nothing was written."""

    sync: str
    rows: int
    author: str
    reason: str
    dry_run: bool


def ask(hub: Settings, name: str, asked: Resending, *, dry_run: bool) -> Resent:
    """Mark the rows that the channel was given as to be sent again, or count them.

    Raises ``ConfigError`` when there is no such sync, its target is none of ours, or it would reach people twice.
    """
    ground = Ground(project_root())
    target = carriers(ground, name).target
    kind = target.package.plugin(target.name) if target.package else None
    if kind is None or not issubclass(kind, ActivationTarget):
        raise ConfigError(f"sync {name}", f"{target.name} is not built on our kit", "make it send again by itself")
    sync = published(ground)[name]
    resendable(sync)
    if not kind.sinks[0].repeatable:
        what = f"{target.name} sends {kind.sinks[0].name}, and sending them again {TWICE}"
        raise ConfigError(f"sync {name}", what, CURE)
    given = Resending(asked.reason.strip(), asked.author or who())
    rows = _rows(hub, sync, given, dry_run=dry_run) if Receipts(hub.ledger).syncs() else 0
    return Resent(name, rows, given.author, given.reason, dry_run)


def _rows(hub: Settings, sync: Sync, asked: Resending, *, dry_run: bool) -> int:
    with closing(Ledger(hub.ledger)) as ledger:
        if dry_run:
            return resendable_rows(ledger, sync.name)
        return resend(ledger, hub.salt.get_secret_value(), sync, asked)


def page(found: Resent) -> Iterator[Block]:
    """What follows, and what to do next."""
    name = found.sync
    rows = f"{found.rows:,} row{'' if found.rows == 1 else 's'} that the channel was given"
    if not found.rows:
        yield Line(f"{name}: by the ledger the channel holds nothing; a run sends every member anyway.", "warn")
    elif found.dry_run:
        yield Line(f"{name}: {rows} would be sent again, of who is still a member. Nothing was written.")
        yield Line(f"Next: snello sync resend {name} --reason '…', without --dry-run")
    else:
        yield Line(f"{name}: {rows} are sent again by the next run, of who is still a member.", "ok")
        yield Line(f"Next: snello sync plan {name} shows them among the changes; snello sync run {name} sends them")
