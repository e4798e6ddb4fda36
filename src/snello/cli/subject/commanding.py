"""``snello subject erase`` as a whole: plan, or erase, or go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from snello import settings
from snello.activation import Erasures
from snello.cli.screen import Block, Line, working
from snello.cli.subject import erasing, page
from snello.cli.subject.request import carry_out, judge, request, resumed
from snello.errors import ConfigError

Show = Callable[[object, Iterable[Block]], None]


@dataclass(frozen=True)
class Asked:
    """The words of the command."""

    identifier: str | None
    yes: bool
    reason: str
    hold: tuple[str, ...]
    history_days: int
    resume: bool


def erase(asked: Asked, show: Show) -> None:
    """Carry out the command; raises ``ConfigError`` for words that do not agree, ``RetryLater`` for what is left."""
    if (asked.identifier is None) != asked.resume:
        raise ConfigError("subject", "give an identifier or --resume, one of the two", "run `snello subject erase -h`")
    hub = settings.load()
    ledger, erasures = erasing.ledger_of(hub)
    try:
        if asked.identifier is None:
            with working("going on"):
                done = resumed(hub, erasures)
            show(done, page.status(done))
            judge(done)
        else:
            _erase(hub, erasures, asked, asked.identifier, show)
    finally:
        ledger.close()


def _erase(hub: settings.Settings, erasures: Erasures, asked: Asked, identifier: str, show: Show) -> None:
    with working("looking everywhere"):
        wanted = request(hub, erasures, identifier, asked.hold)
    if wanted.over:
        show(wanted.former, page.again(wanted.former))
        return
    still = [one for one in wanted.former if one.open_now]
    if not asked.yes and still and not wanted.planned.rows:
        show(still, page.status(still))
        judge(still)
        return
    if not asked.yes:
        blocks = [*page.planned(wanted.planned, asked.history_days), Line("")]
        show(wanted.planned, [*blocks, Line("Nothing was done. Next: the same with --yes.")])
        return
    with working("erasing"):
        done = carry_out(hub, erasures, wanted, asked.reason, asked.history_days)
    show(done, page.erased(done))
    judge([done])
