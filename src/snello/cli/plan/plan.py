"""A plan: what would change, for which state of the project and of the lake it was made, and its application."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from snello.cli import publication
from snello.cli.plan.comparison import Comparison
from snello.cli.plan.surprises import surprising
from snello.cli.plan.workshop import Workshop
from snello.cli.tables import Row
from snello.dbt.results import Build
from snello.errors import BreakerOpen, ConfigError, ContractError, choices
from snello.kit.places import write_private
from snello.lake import Lake
from snello.settings import Settings

LIMITS = ("new", "gone", "merged", "split", "values", "adds", "removes", "updates")


@dataclass(frozen=True)
class Plan:
    """What publishing would change.

    - ``people``: counts of people, new, gone, merged, split, records moved; ``values``: changes by golden attribute;
      ``audiences``: adds, removes and updates by sync; ``examples``: what to look at first
    - ``build``: the dbt run that made it; ``base``: the publication that it was compared with; ``project``: a hash of
      the models, seeds and settings; ``limits``: how much may change, by the names of ``--at-most``
    """

    made_at: datetime
    build: str
    base: str
    project: str
    people: dict[str, int]
    values: list[Row] = field(default_factory=list)
    audiences: list[Row] = field(default_factory=list)
    examples: list[Row] = field(default_factory=list)
    limits: dict[str, int] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """The changes by the names that ``--at-most`` knows."""
        found = {name: self.people[name] for name in ("new", "gone", "merged", "split")}
        found["values"] = sum(row["changed"] for row in self.values)
        return found | {name: sum(row[name] for row in self.audiences) for name in ("adds", "removes", "updates")}

    def over(self) -> list[str]:
        """The changes that are larger than agreed."""
        found = self.counts().items()
        return [
            f"{name} {count:,} (at most {self.limits[name]:,})" for name, count in found if self._exceeds(name, count)
        ]

    def _exceeds(self, name: str, count: int) -> bool:
        return name in self.limits and count > self.limits[name]

    def judge(self, where: str) -> None:
        """Raise ``BreakerOpen`` when a change is larger than agreed."""
        over = self.over()
        if over:
            what = f"more would change than agreed: {', '.join(over)}"
            raise BreakerOpen(where, what, "mend the rule, or plan again with a larger --at-most")


def limits_of(given: list[str]) -> dict[str, int]:
    """``NAME=NUMBER`` texts as numbers; raises ``ConfigError`` for a name or number that is none."""
    found = {}
    for text in given:
        name, _, most = text.partition("=")
        if name not in LIMITS:
            raise ConfigError("plan --at-most", f"{name!r} is no change that is counted", choices(name, LIMITS))
        if not most.isdigit():
            raise ConfigError("plan --at-most", f"{text!r} names no number", f"write it as {name}=100")
        found[name] = int(most)
    return found


def make(hub: Settings, root: Path, limits: dict[str, int]) -> Plan:
    """Build everything beside the warehouse in use, compare it with what is published, and keep the plan."""
    workshop = Workshop.of(root)
    project, base = workshop.fingerprint(), _base(hub)
    run_id = workshop.build(hub)
    found = Comparison(Lake(hub.lake), str(workshop.warehouse), Build.of(workshop.target).passed())
    changes = found.people(), found.values() + found.views(), found.audiences(), surprising(found)
    plan = Plan(datetime.now(UTC), run_id, base, project, *changes, limits)
    write_private(workshop.file, msgspec.json.encode(plan, enc_hook=str))
    return plan


def apply(hub: Settings, root: Path) -> publication.Publication:
    """Publish the plan that was made last, and nothing else.

    Raises ``ContractError`` when there is none, or when project or publication are no longer those of the plan, and
    ``BreakerOpen`` when more would change than was agreed.
    """
    workshop = Workshop.of(root)
    if not workshop.file.exists():
        raise ContractError("apply", "there is no plan", "run `snello plan` first")
    plan = msgspec.json.decode(workshop.file.read_bytes(), type=Plan)
    plan.judge("apply")
    if workshop.fingerprint() != plan.project:
        raise ContractError(
            "apply", "models, seeds or the day were changed after the plan was made", "run `snello plan` again"
        )
    if _base(hub) != plan.base:
        raise ContractError("apply", "something was published after the plan was made", "run `snello plan` again")
    done = publication.commit(hub.model_copy(update={"warehouse": workshop.warehouse}), workshop.target)
    workshop.clear()
    return done


def _base(hub: Settings) -> str:
    current = Lake(hub.lake).manifest()
    return f"{current.run_id} {current.published_at.isoformat()}" if current else ""
