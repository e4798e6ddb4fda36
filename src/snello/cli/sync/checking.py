"""What the channel of a sync holds, or how much, beside what the ledger says."""

from __future__ import annotations

from collections.abc import Iterator

from snello.cli.checks.ground import Ground
from snello.cli.screen import Block, Grid, Line
from snello.cli.sync.carriers import carriers, published
from snello.cli.sync.looking import Figures, figures, look
from snello.errors import ConfigError
from snello.kit.channel import ActivationTarget
from snello.kit.channel.reconciling import SHOWN, Drift
from snello.kit.channel.sink import counts_alone
from snello.settings import project_root


def checked(name: str) -> Drift | Figures:
    """The rows in which channel and ledger differ; of a platform that lists none, its own figures beside ours.

    Raises ``ConfigError`` when the channel can say neither.
    """
    ground = Ground(project_root())
    target = carriers(ground, name).target
    kind = target.package.plugin(target.name) if target.package else None
    if kind is None or not issubclass(kind, ActivationTarget):
        raise ConfigError(f"sync {name}", f"{target.name} is not built on our kit", "compare in the channel itself")
    asked = kind(config=target.settings, validate_config=True)
    title = published(ground)[name].list or name
    try:
        return look(asked, name, title) if counts_alone(kind.sinks[0]) else asked.reconcile(name, title)
    finally:
        asked.ledger.close()


def page(found: Drift | Figures) -> Iterator[Block]:
    """The counts, and what differs."""
    yield from figures(found) if isinstance(found, Figures) else _rows(found)


def _rows(found: Drift) -> Iterator[Block]:
    missing, foreign = len(found.missing), len(found.foreign)
    columns = ("held by the ledger", "listed by the channel", "missing there", "unknown to us")
    yield Grid(found.sync, columns, [[found.held, found.listed, missing, foreign]])
    if not found:
        yield Line("channel and ledger agree", "ok")
        return
    told = {"missing there": found.missing, "unknown to us": found.foreign}
    yield Line("")
    yield Grid(
        f"Keys, the first {SHOWN} of each",
        ("what", "key"),
        [[what, key] for what, keys in told.items() for key in keys[:SHOWN]],
    )
    yield Line("Next: look into the channel; a row that is missing there comes back with its next change")
