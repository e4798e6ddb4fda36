"""Sending everything again after somebody deleted the list in the channel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pytest

from snello.activation import AuditLog, Change, Held, Planner, Sync, Verdict
from snello.activation.breaker import compare
from snello.activation.resending import Resending, resend
from snello.errors import ConfigError, RetryLater
from snello.kit.channel import ActivationSink, ActivationTarget, ChannelSettings
from snello.kit.channel.rehearsal import SALT, Rehearsal

pytestmark = pytest.mark.usefixtures("on_both")
ASKED = Resending("the list was deleted", "ops")


class Shelf(ActivationSink[ChannelSettings]):
    """A list that somebody may delete."""

    name = "rows"
    modes = frozenset({"mirror", "upsert", "insert", "update", "replace"})
    held: ClassVar[dict[str, Any]] = {}
    calls: ClassVar[list[tuple[str, str]]] = []
    refuses: ClassVar[set[str]] = set()

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        for change in changes:
            self.calls.append(("upsert", change.key))
            if change.payload["city"] in self.refuses:
                yield Verdict.refused(change.key, "invalid_city")
                continue
            self.held[change.key] = change.payload["city"]
            yield Verdict.delivered(change.key)

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        for change in changes:
            self.calls.append(("remove", change.key))
            self.held.pop(change.key, None)
            yield Verdict.delivered(change.key)

    def begin(self, rows: int) -> None:
        self.held.clear()

    def listing(self) -> Iterable[Held]:
        return [Held(key) for key in self.held]


class TargetShelf(ActivationTarget):
    name = "target-shelf"
    sinks = (Shelf,)


@pytest.fixture(autouse=True)
def shelf() -> None:
    for kept in (Shelf.held, Shelf.calls, Shelf.refuses):
        kept.clear()


def people(count: int, city: str = "Roma") -> list[dict[str, Any]]:
    return [{"customer_id": f"c{n:03}", "city": city} for n in range(count)]


def stage_of(folder: Path, **terms: Any) -> Rehearsal:
    return Rehearsal(folder, sync="shelf__loyal", **{"max_removal_share": 1, **terms})


def run(stage: Rehearsal) -> list[tuple[str, str]]:
    """One run of the sync; what the channel was asked."""
    Shelf.calls.clear()
    stage.run(TargetShelf, {})
    return sorted(Shelf.calls)


def deleted(stage: Rehearsal, asked: Resending = ASKED) -> int:
    """The list is deleted in the channel and made anew, and we are told."""
    Shelf.held.clear()
    return sent_again(stage, asked)


def sent_again(stage: Rehearsal, asked: Resending = ASKED) -> int:
    with closing(stage.ledger()) as ledger:
        return resend(ledger, SALT, Sync.read(stage.sync, stage.terms), asked)


@pytest.mark.parametrize("mode", ["mirror", "upsert", "insert", "update", "replace"])
def test_every_member_is_sent_again_once_and_no_more(tmp_path: Path, mode: str) -> None:
    stage = stage_of(tmp_path, mode=mode)
    stage.publish(people(5))
    run(stage)
    assert run(stage) == []
    assert deleted(stage) == 5
    assert run(stage) == [("upsert", f"c{n:03}") for n in range(5)]
    assert len(Shelf.held) == 5
    assert run(stage) == []


@pytest.mark.parametrize("mode", ["mirror", "upsert", "insert"])
def test_who_is_no_member_any_more_is_not_sent(tmp_path: Path, mode: str) -> None:
    stage = stage_of(tmp_path, mode=mode)
    stage.publish(people(5))
    run(stage)
    deleted(stage)
    stage.publish(people(3), others=["c003", "c004"])
    sent = run(stage)
    assert [key for op, key in sent if op == "upsert"] == ["c000", "c001", "c002"]
    assert [key for op, key in sent if op == "remove"] == (["c003", "c004"] if mode == "mirror" else [])
    assert run(stage) == []


def test_who_withdrew_meanwhile_is_removed_and_not_sent(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(3))
    run(stage)
    deleted(stage)
    stage.publish(people(3), refusing=["c001"])
    assert run(stage) == [("remove", "c001"), ("upsert", "c000"), ("upsert", "c002")]


def test_a_removal_that_was_owed_stays_owed(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(3))
    run(stage)
    stage.publish(people(2))
    with pytest.MonkeyPatch.context() as busy:
        busy.setattr(Shelf, "remove", lambda _, changes: [Verdict.retry(one.key, "busy") for one in changes])
        run(stage)
    assert sent_again(stage) == 2
    assert run(stage) == [("remove", "c002"), ("upsert", "c000"), ("upsert", "c001")]


def test_the_breaker_sees_neither_growth_nor_loss_in_it_and_still_sees_what_is_new(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, max_growth_share=0.1, max_growth_floor=0)
    stage.publish(people(100))
    run(stage)
    deleted(stage)
    stage.publish(people(105))
    with closing(stage.ledger()) as ledger:
        plan = Planner(stage.lake, ledger, SALT).preview(stage.sync)
        shares = {one.metric: (one.now, one.is_open) for one in compare(plan, ledger)}
    assert plan.figures.upserts == 105
    assert shares["growth"] == (0.05, False)
    assert shares["removals"] == (0, False)
    stage.publish(people(120))
    with closing(stage.ledger()) as ledger:
        plan = Planner(stage.lake, ledger, SALT).preview(stage.sync)
        assert {one.metric for one in compare(plan, ledger) if one.is_open} == {"growth"}


def test_what_was_refused_goes_on_waiting_and_its_older_payload_counts_as_held_no_more(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(2, "Roma"))
    run(stage)
    Shelf.refuses.add("Ostia")
    stage.publish([*people(1, "Roma"), {"customer_id": "c001", "city": "Ostia"}])
    run(stage)
    deleted(stage)
    assert run(stage) == [("upsert", "c000")]
    stage.publish(people(2, "Roma"))
    assert run(stage) == [("upsert", "c001")]
    assert set(Shelf.held) == {"c000", "c001"}


def test_a_row_that_is_refused_as_it_is_sent_again_is_a_dead_letter_like_any_other(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(2))
    run(stage)
    deleted(stage)
    Shelf.refuses.add("Roma")
    run(stage)
    with closing(stage.ledger()) as ledger:
        assert ledger.standing(stage.sync) == {("upsert", "refused", "invalid_city"): 2}
    assert run(stage) == []


def test_until_they_are_sent_rows_count_neither_as_missing_nor_as_foreign(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(4))
    run(stage)
    Shelf.held.clear()
    target = TargetShelf(config={"ledger": stage.ledger_url})
    with closing(target.ledger):
        assert len(target.reconcile(stage.sync, "list").missing) == 4
    sent_again(stage)
    Shelf.held["c000"] = "Roma"
    target = TargetShelf(config={"ledger": stage.ledger_url})
    with closing(target.ledger):
        drift = target.reconcile(stage.sync, "list")
    assert (drift.held, drift.missing, drift.foreign) == (0, (), ())


def test_a_row_is_not_moved_in_a_list_that_may_lack_it(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(2))
    run(stage)
    stage.publish([{"customer_id": "c000", "city": "Roma"}, {"customer_id": "c009", "city": "Roma"}])
    stage.lake.publish({"customer_aliases": pa.table({"alias": ["c001"], "customer_id": ["c009"]})}, run_id="merged")
    assert moves(stage) == 1
    deleted(stage)
    assert moves(stage) == 0
    assert run(stage) == [("remove", "c001"), ("upsert", "c000"), ("upsert", "c009")]


def moves(stage: Rehearsal) -> int:
    with closing(stage.ledger()) as ledger:
        return Planner(stage.lake, ledger, SALT).preview(stage.sync).figures.moves


def test_it_is_told_in_the_audit_log_with_who_and_why(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(3))
    run(stage)
    deleted(stage)
    with closing(stage.ledger()) as ledger:
        log = AuditLog(ledger.engine, SALT)
        [entry] = log.entries()
        assert log.verify() is None
    assert (entry.actor, entry.action, entry.subject) == ("ops", "resend", "")
    assert entry.details == '{"reason": "the list was deleted", "rows": 3, "sync": "shelf__loyal"}'


def test_a_sync_that_holds_nothing_leaves_no_entry(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(3))
    assert sent_again(stage) == 0
    with closing(stage.ledger()) as ledger:
        assert AuditLog(ledger.engine, SALT).entries() == []


@pytest.mark.parametrize(
    ("terms", "words"),
    [({"mode": "append"}, "its rows are events"), ({"contact": True}, "its rows count as contacts with people")],
)
def test_what_would_reach_people_twice_is_refused(tmp_path: Path, terms: dict[str, Any], words: str) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(3))
    run(stage)
    stage.terms |= terms
    with pytest.raises(ConfigError, match=f"{words}, and sending them again would reach people a second time"):
        sent_again(stage)
    with closing(stage.ledger()) as ledger:
        assert set(ledger.settled(stage.sync)["fingerprint"].to_pylist()) != {"?"}


@pytest.mark.parametrize(("reason", "words"), [("  ", "without a reason"), ("ada@example.org", "names an address")])
def test_a_reason_is_needed_and_names_nobody(tmp_path: Path, reason: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        sent_again(stage_of(tmp_path), Resending(reason))


def test_it_waits_for_the_end_of_a_run(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(3))
    run(stage)
    with closing(stage.ledger()) as running:
        running.locks.take(stage.sync, "target")
        with pytest.raises(RetryLater, match="another run of it is under way"):
            sent_again(stage)
    assert sent_again(stage) == 3


def test_events_of_a_sync_that_sends_them_by_now_are_not_repeated(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(3))
    run(stage)
    deleted(stage)
    stage.terms["mode"] = "append"
    stage.publish(people(4))
    with closing(stage.ledger()) as ledger:
        plan = Planner(stage.lake, ledger, SALT).preview(stage.sync)
    assert [key for (key,) in plan.connection.execute("select key from changes").fetchall()] == ["c003"]
