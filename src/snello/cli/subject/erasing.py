"""Erase a person, step by step: each step may be done twice, and what failed is tried again by the next run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from snello.activation import Erasures, Ledger
from snello.activation.audit import who
from snello.activation.erasures import DONE, FAILED, WAITING, Erasure, Step
from snello.activation.tombstones import Tombstone, to_lake
from snello.cli.subject import forgetting, leftovers
from snello.cli.subject.case import Case, close_case, open_case, read_case, sweep_cases
from snello.cli.subject.expiring import forget_held, forget_versions
from snello.cli.subject.naming import mark
from snello.cli.subject.needles import Needles
from snello.cli.subject.person import Person, said_again
from snello.cli.subject.planning import Planned
from snello.cli.sync.run import run_sync
from snello.errors import RetryLater, SnelloError
from snello.identifiers import hash_key
from snello.lake import Lake
from snello.settings import Settings

CHANNEL, HOLD = "channel ", "hold "
LAST = ("history", HOLD)  # what waits for its day


@dataclass(frozen=True)
class Work:
    """What a step has at hand."""

    hub: Settings
    lake: Lake
    erasures: Erasures
    erasure: Erasure

    @property
    def case(self) -> Case:
        """Whom it is about."""
        return read_case(self.erasure.erasure, self.salt)

    @property
    def salt(self) -> str:
        """The hub's salt."""
        return self.hub.salt.get_secret_value()


def begin(hub: Settings, erasures: Erasures, planned: Planned, given: str, reason: str, days: int) -> Erasure:
    """Write down an erasure, from which moment on it will be carried out whatever happens."""
    now = datetime.now(UTC)
    name = f"e{now:%Y%m%d%H%M%S}-{uuid4().hex[:6]}"
    salt = hub.salt.get_secret_value()
    steps = ["tombstones", "published", *(CHANNEL + sync for sync in planned.channels)]
    steps += ["raw", "batches", "state", "warehouse", "proof"]
    waiting = [Step("history", WAITING, now + timedelta(days=days))]
    for hold in planned.holds:
        due = now + timedelta(days=hold.days) if hold.days is not None else datetime.max.replace(tzinfo=UTC)
        waiting.append(Step(HOLD + hold.name, WAITING, due, message=hold.basis, rows=planned.held[hold.name]))
    asked = Erasure(
        name,
        mark(planned.person, given, salt),
        planned.person.customers,
        who(),
        reason,
        now,
        None,
        (*map(Step, steps), *waiting),
    )
    open_case(name, planned.person, planned.holds, salt)
    return erasures.begin(asked, planned.stones(salt), raw=planned.raw, published=planned.published, held=planned.held)


def resume(hub: Settings, erasures: Erasures, erasure: Erasure, now: datetime | None = None) -> Erasure:
    """Go on with an erasure: every step that is not done and not waiting for its day is tried once, in order.

    A step that fails does not stop those after it; what became of each is written before the next.
    """
    work = Work(hub, Lake(hub.lake), erasures, erasure)
    erasures.ledger.locks.take("erasures", "tap")
    for sync in erasures.holding(erasure.customers):
        erasures.add_step(erasure.erasure, Step(CHANNEL + sync))
    for step in list(erasures.get(erasure.erasure).steps):
        if step.ready(now or datetime.now(UTC)):
            erasures.ended(erasure.erasure, _tried(work, step))
    left = erasures.get(erasure.erasure)
    if _carried_out(left):
        close_case(erasure.erasure)
    return left


def alone(erasures: Erasures) -> None:
    """Take the lock of all erasures, and remove files of cases that no erasure needs any more."""
    erasures.ledger.locks.take("erasures", "tap")
    sweep_cases({one.erasure for one in erasures.all(unfinished=True) if not _carried_out(one)})


def _carried_out(erasure: Erasure) -> bool:
    return all(step.status == DONE for step in erasure.steps if not step.name.startswith(LAST))


def _tried(work: Work, step: Step) -> Step:
    attempt = replace(step, attempts=step.attempts + 1)
    try:
        rows = _handler(step.name)(work, step)
    except SnelloError as fault:
        return replace(attempt, status=FAILED, message=str(fault))
    return replace(attempt, status=DONE, rows=step.rows + rows if step.rows and not rows else rows, message="")


def _handler(name: str) -> Callable[[Work, Step], int]:
    return HANDLERS[name.split()[0]]


def _tombstones(work: Work, _step: Step) -> int:
    return to_lake(work.erasures.ledger, work.lake, work.erasure.erasure, work.erasure.erasure)


def _published(work: Work, _step: Step) -> int:
    needles = Needles(work.lake, work.case.person)
    return forgetting.forget_published(work.lake, needles, work.erasure.erasure, work.salt)


def _channel(work: Work, step: Step) -> int:
    sync = step.name.removeprefix(CHANNEL)
    work.erasures.note_keys(work.erasure)
    before = work.erasures.holding(work.erasure.customers).get(sync, 0)
    code = run_sync(sync, quiet=True) if before else 0
    left = work.erasures.holding(work.erasure.customers).get(sync, 0)
    if left:
        what = f"its channel still holds {left} rows of the person; the run left with exit code {code}"
        raise RetryLater(f"sync {sync}", what, f"run `snello sync run {sync}` and read what it says")
    return before


def _raw(work: Work, _step: Step) -> int:
    case = work.case
    return forgetting.forget_raw(work.lake, Needles(work.lake, case.person), work.erasure.erasure, case.kept)


def _proof(work: Work, step: Step) -> int:
    """Look again: what a run that was under way brought back goes, and then there is nothing, in no channel either."""
    named = {one.name for one in work.erasures.get(work.erasure.erasure).steps}
    work.erasures.note_keys(work.erasure)
    late = [sync for sync in work.erasures.holding(work.erasure.customers) if CHANNEL + sync not in named]
    if late:
        raise RetryLater("erasure", f"delivered while it ran: {', '.join(late)}", "run it again with --resume")
    _raw(work, step)
    _published(work, step)
    if left := _raw(work, step) + _published(work, step):
        raise RetryLater("erasure", f"{left} rows came back while it ran", "wait for the end of running pipelines")
    return 0


def _history(work: Work, _step: Step) -> int:
    """Everything that was live before the last row went."""
    steps = work.erasures.get(work.erasure.erasure).steps
    if any(step.status != DONE and not step.name.startswith(LAST) for step in steps):
        raise RetryLater("history", "other steps of the erasure are not done", "mend what they name")
    moments = [step.at for step in steps if step.at and not step.name.startswith(LAST)]
    return forget_versions(work.lake, max(moments))


def _hold(work: Work, step: Step) -> int:
    source, _, stream = step.name.removeprefix(HOLD).partition("/")
    return forget_held(work.erasures.ledger, work.lake, work.erasure, (source, stream), work.salt)


HANDLERS: dict[str, Callable[[Work, Step], int]] = {
    "tombstones": _tombstones,
    "published": _published,
    "channel": _channel,
    "raw": _raw,
    "batches": lambda _work, _step: leftovers.forget_batches(),
    "state": lambda work, _step: leftovers.forget_state(work.case.person.records),
    "warehouse": lambda work, _step: leftovers.forget_warehouse(work.hub.warehouse),
    "proof": _proof,
    "history": _history,
    "hold": _hold,
}


def former(erasures: Erasures, person: Person, given: str, salt: str) -> list[Erasure]:
    """The erasures that speak of a person, or of what is given."""
    return erasures.of_stones(list(_stones(person, given, salt)))


def _stones(person: Person, given: str, salt: str) -> Iterator[Tombstone]:
    for one in {given.strip(), *person.customers}:
        yield Tombstone("customer", str(hash_key(one, salt)))
    for kind, form in said_again(person):
        yield Tombstone(kind, str(hash_key(form, salt)))
    for source, stream, key in person.records:
        yield Tombstone.of_record(source, stream, key, salt)


def ledger_of(hub: Settings) -> tuple[Ledger, Erasures]:
    """The ledger and its erasures; raises ``ConfigError`` under another salt than that of the tombstones."""
    ledger = Ledger(hub.ledger)
    erasures = Erasures(ledger, hub.salt.get_secret_value())
    erasures.check_salt()
    return ledger, erasures
