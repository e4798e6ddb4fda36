"""From the words of ``snello subject erase`` to an erasure: who is meant, what is planned, what was before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from snello.activation import Erasures
from snello.activation.erasures import Erasure
from snello.cli.subject import erasing
from snello.cli.subject.export import KNOWN_BY
from snello.cli.subject.holds import holds
from snello.cli.subject.person import find
from snello.cli.subject.planning import Planned, plan
from snello.errors import ConfigError, RetryLater
from snello.lake import Lake
from snello.settings import Settings, project_root


@dataclass(frozen=True)
class Request:
    """What erasing ``given`` comes to: a plan, and the erasures that spoke of the same person before."""

    given: str
    planned: Planned
    former: list[Erasure]

    @property
    def over(self) -> bool:
        """Whether an earlier erasure did it all."""
        return not self.planned.rows and bool(self.former) and not any(one.open_now for one in self.former)


def request(hub: Settings, erasures: Erasures, given: str, asked: Sequence[str]) -> Request:
    """Plan an erasure; raises ``ConfigError`` when ``given`` names nobody, or several customers."""
    lake = Lake(hub.lake)
    person = find(lake, given)
    planned = plan(lake, erasures, person, holds(project_root(), asked))
    former = erasing.former(erasures, planned.person, given, hub.salt.get_secret_value())
    if not planned.rows and not planned.held and not former:
        raise ConfigError("subject", "nobody in the hub has this identifier", KNOWN_BY)
    return Request(given, planned, former)


def carry_out(hub: Settings, erasures: Erasures, asked: Request, reason: str, days: int) -> Erasure:
    """Erase; an erasure of the same person that is still open goes on instead, unless there are new rows."""
    _must_not_name(asked.planned, reason)
    erasing.alone(erasures)
    still = [one for one in asked.former if one.open_now]
    if still and not asked.planned.rows:
        return erasing.resume(hub, erasures, still[-1])
    begun = erasing.begin(hub, erasures, asked.planned, asked.given, reason, days)
    for one in still:
        erasing.resume(hub, erasures, one)
    return erasing.resume(hub, erasures, begun)


def resumed(hub: Settings, erasures: Erasures) -> list[Erasure]:
    """Go on with every erasure that is not finished."""
    erasing.alone(erasures)
    return [erasing.resume(hub, erasures, one) for one in erasures.all(unfinished=True)]


def judge(done: Sequence[Erasure]) -> None:
    """Raise ``RetryLater`` when a step failed."""
    failed = [step.name for one in done for step in one.steps if step.status == "failed"]
    if failed:
        cure = "mend what they name, then run `snello subject erase --resume`"
        raise RetryLater("subject", f"not done yet: {', '.join(failed)}", cure)


def _must_not_name(planned: Planned, reason: str) -> None:
    """The log outlives the person: raise ``ConfigError`` when the reason gives one of their identifiers away."""
    if "@" in reason or any(one.value.lower() in reason.lower() for one in planned.person.identifiers):
        raise ConfigError("subject --reason", "it names the person, and the log keeps it", "write a ticket's number")
