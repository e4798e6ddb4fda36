"""What the sub-commands of the demo say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from snello.cli.demo.page import following
from snello.cli.demo.stage import Stage
from snello.cli.screen import Block, Grid, Line
from snello.sandbox import Services, Withdrawal
from snello.settings import project_root


def page(stage: Stage, running: Services) -> Iterator[Block]:
    """Where each service answers, and what to type next."""
    here = stage.home.is_relative_to(Path.cwd())
    home = stage.home.relative_to(Path.cwd()) if here else stage.home
    yield Line(f"{running.world.people:,} people in {home}", "ok")
    yield Grid("", ("service", "address"), list(running.urls.items()))
    yield Line("")
    if stage.project != project_root():
        yield Line("In a shell of its own:", "title")
        yield Line(f"  cd {stage.project}")
        yield from (Line(f"  export {name}={value}") for name, value in sorted(running.environment.items()))
    yield from following([("meltano run loop", "read, unify, activate, measure"), ("snello demo down", "stop them")])


def stopped(names: list[str]) -> Iterator[Block]:
    """Which services were stopped."""
    yield Line(f"stopped {', '.join(names)}" if names else "nothing was running", "ok")


def withdrawn(withdrawal: Withdrawal) -> Iterator[Block]:
    """Who withdrew from what, and how to see it arrive."""
    taken = ", ".join(f"{purpose} by {channel}" for purpose, channel in withdrawal.withdrawn)
    record = f"crm/customers/{withdrawal.customer_no}"
    yield Line(f"{record} took back: {taken}", "ok")
    yield Line("")
    yield from following(
        [
            ("meltano run loop", "the withdrawal reaches every channel"),
            (f"snello why {record}", "the consent, and the removals with their receipts"),
        ]
    )
