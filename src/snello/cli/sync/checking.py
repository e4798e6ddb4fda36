"""What the channel of a sync holds, beside what the ledger says."""

from __future__ import annotations

from collections.abc import Iterator

from snello.cli.checks.ground import Ground
from snello.cli.screen import Block, Grid, Line
from snello.cli.sync.carriers import carriers, published
from snello.errors import ConfigError
from snello.kit.channel import ActivationTarget
from snello.kit.channel.reconciling import SHOWN, Drift
from snello.settings import project_root


def checked(name: str) -> Drift:
    """The rows in which channel and ledger differ. Raises ``ConfigError`` when the channel cannot say what it holds."""
    ground = Ground(project_root())
    target = carriers(ground, name).target
    kind = target.package.plugin(target.name) if target.package else None
    if kind is None or not issubclass(kind, ActivationTarget):
        raise ConfigError(f"sync {name}", f"{target.name} is not built on our kit", "compare in the channel itself")
    asked = kind(config=target.settings, validate_config=True)
    try:
        return asked.reconcile(name, published(ground)[name].list or name)
    finally:
        asked.ledger.close()


def page(found: Drift) -> Iterator[Block]:
    """The counts, and the keys that differ."""
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
