"""All checks, and their faults at once."""

from __future__ import annotations

from collections.abc import Iterator

from snello.cli.checks import connections, hub, meltano, transform
from snello.cli.checks.finding import Finding
from snello.cli.checks.ground import Ground
from snello.cli.screen import Block, Line
from snello.settings import project_root

CHECKS = (hub.check, meltano.check, transform.check, connections.check)


def findings() -> list[Finding]:
    """The answer to every question about the project around the current folder."""
    ground = Ground(project_root())
    return [finding for check in CHECKS for finding in check(ground)]


def worst(found: list[Finding]) -> int:
    """The exit code of the worst fault: a wrong configuration, then a broken contract, then someone who is down."""
    return min((finding.exit_code for finding in found if finding.exit_code), default=0)


def page(found: list[Finding]) -> Iterator[Block]:
    """One line a question."""
    for finding in found:
        text = f"{finding.area}: {finding.subject}"
        yield Line(finding.told or text, "bad" if finding.exit_code else "ok")
    faults = sum(1 for finding in found if finding.exit_code)
    yield Line("")
    yield Line(f"{len(found)} checks, {faults or 'no'} fault{'' if faults == 1 else 's'}.", "title")
