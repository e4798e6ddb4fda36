from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snello.activation import Change, Ledger, Plan, Planner, Verdict
from snello.kit.channel import ActivationSink, BatchRefused, ChannelSettings
from snello.kit.channel.delivery import Delivery
from snello.kit.channel.feed import change_of
from snello.kit.channel.rehearsal import SALT, Rehearsal
from snello.kit.records import records_of

KEYS = st.sampled_from([f"c{n}" for n in range(8)])
MEMBERS = st.dictionaries(KEYS, st.integers(0, 2), max_size=8)


class Crash(BaseException):
    """The process dies."""


@dataclass(frozen=True)
class Day:
    """What is published on a day, and how the channel behaves on it."""

    members: dict[str, int]
    refusing: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    bad: frozenset[tuple[str, int]] = frozenset()
    busy: frozenset[str] = frozenset()
    dies_at: int = 0
    after_effect: bool = False
    parallel: int = 1

    @property
    def want(self) -> dict[str, int]:
        return {k: v for k, v in self.members.items() if k not in self.refusing | self.unknown}


DAYS = st.lists(
    st.builds(
        Day,
        members=MEMBERS,
        refusing=st.frozensets(KEYS, max_size=3),
        unknown=st.frozensets(KEYS, max_size=3),
        bad=st.frozensets(st.tuples(KEYS, st.integers(0, 2)), max_size=3),
        busy=st.frozensets(KEYS, max_size=2),
        dies_at=st.integers(0, 4),
        after_effect=st.booleans(),
        parallel=st.sampled_from([1, 3]),
    ),
    min_size=1,
    max_size=4,
)


@dataclass
class Channel:
    """A channel as the world has them: it holds rows, refuses some, puts off others, and our process may die."""

    held: dict[str, int] = field(default_factory=dict)
    contents: dict[str, list[Any]] = field(default_factory=dict)
    ever_sent: set[tuple[str, int]] = field(default_factory=set)
    removed: list[str] = field(default_factory=list)
    may_hold: set[str] = field(default_factory=set)
    calls: int = 0


class Sink(ActivationSink[ChannelSettings]):
    name = "rows"

    def __init__(self, channel: Channel, day: Day) -> None:
        super().__init__(ChannelSettings(), "channel__audience", "")
        self.channel, self.day, self.parallel = channel, day, day.parallel

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        self._call(changes)
        if any((c.key, c.payload["value"]) in self.day.bad for c in changes):
            raise BatchRefused("bad_value")
        verdicts = []
        for change in changes:
            assert change.consent == "yes"
            self.channel.ever_sent.add((change.key, change.payload["value"]))
            if change.key in self.day.busy:
                verdicts.append(Verdict.retry(change.key, "busy"))
            else:
                self.channel.held[change.key] = change.payload["value"]
                verdicts.append(Verdict.delivered(change.key))
        self.channel.may_hold.update(c.key for c in changes)
        self._die()
        return verdicts

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        self._call(changes)
        for change in changes:
            self.channel.held.pop(change.key, None)
            self.channel.removed.append(change.key)
        self._die()
        return [Verdict.delivered(change.key) for change in changes]

    def _call(self, changes: Sequence[Change]) -> None:
        content = sorted((c.op, c.key, c.fingerprint or "") for c in changes)
        assert self.channel.contents.setdefault(self.batch_id, content) == content
        if not self.day.after_effect:
            self._die()

    def _die(self) -> None:
        self.channel.calls += 1
        if self.channel.calls == self.day.dies_at:
            raise Crash


class World:
    """A hub, a channel, and one run of the sync after the other."""

    def __init__(self, folder: Path, **terms: Any) -> None:
        self.stage = Rehearsal(folder, max_removal_share=1, **terms)
        self.channel = Channel()

    def run(self, day: Day) -> tuple[Plan, list[Change]]:
        rows = [{"customer_id": key, "value": value} for key, value in sorted(day.members.items())]
        who = {"refusing": day.refusing, "unknown": day.unknown, "others": day.others}
        publication = self.stage.publish(rows, **who, schema=COLUMNS)
        ledger = Ledger(self.stage.ledger_url)
        try:
            allowed = f"{self.stage.sync}@{publication}"
            plan = Planner(self.stage.lake, ledger, SALT).plan(self.stage.sync, allowed)
            changes = [
                change_of(row, "s", ["customer_id", "value"]) for table in plan.tables() for row in records_of(table)
            ]
            self.channel.calls = 0
            self.feed(ledger, changes, day)
            return plan, changes
        finally:
            ledger.close()

    def feed(self, ledger: Ledger, changes: list[Change], day: Day) -> None:
        sink = Sink(self.channel, day)
        delivery = Delivery(ledger, self.stage.sync, sink, purpose=None, max_attempts=1_000)
        try:
            for _, together in groupby(changes, key=lambda change: (change.op, change.batch)):
                some = list(together)
                for start in range(0, len(some), 2):
                    delivery.deliver(some[start : start + 2])
            delivery.finish()
        finally:
            delivery.close()

    def statuses(self) -> dict[str, str]:
        ledger = Ledger(self.stage.ledger_url)
        found = {key: row["status"] for key, row in ledger.lookup(self.stage.sync, [f"c{n}" for n in range(8)]).items()}
        ledger.close()
        return found


COLUMNS = pa.schema([("customer_id", pa.string()), ("value", pa.int64())])
LAW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(name="world")
def _world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        yield World(Path(folder))


@LAW
@given(st.lists(st.builds(Day, members=MEMBERS, refusing=st.frozensets(KEYS, max_size=4)), min_size=1, max_size=4))
def test_applying_the_difference_makes_the_channel_equal_the_audience(days: list[Day]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for day in days:
            before = dict(world.channel.held)
            _, changes = world.run(day)
            assert world.channel.held == day.want
            assert {c.key for c in changes if c.op == "remove"} == set(before) - set(day.want)
            assert {c.key for c in changes if c.op == "upsert"} == {
                key for key, value in day.want.items() if before.get(key) != value
            }


@LAW
@given(DAYS)
def test_whatever_goes_wrong_quiet_days_make_the_channel_right_again(days: list[Day]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for day in days:
            try:
                world.run(day)
            except Crash:
                continue
        last = Day(days[-1].members, days[-1].refusing, days[-1].unknown)
        world.run(last)
        statuses = world.statuses()
        waiting = {key for key in last.want if statuses[key] == "refused"}
        assert {k: v for k, v in world.channel.held.items() if k not in waiting} == {
            k: v for k, v in last.want.items() if k not in waiting
        }
        plan, changes = world.run(last)
        assert (plan.figures.changes, changes) == (0, [])


@LAW
@given(DAYS)
def test_nobody_is_sent_without_consent_and_only_what_was_sent_is_removed(days: list[Day]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for day in days:
            sent_before = {key for key, _ in world.channel.ever_sent}
            world.channel.removed.clear()
            attempted = set(world.channel.may_hold) | sent_before | _tried(world)
            try:
                world.run(day)
            except Crash:
                continue
            finally:
                assert set(world.channel.removed) <= attempted
        allowed = {pair for day in days for pair in day.want.items()}
        assert world.channel.ever_sent <= allowed


def _tried(world: World) -> set[str]:
    return {key for key, status in world.statuses().items() if status != "suppressed"}


def test_a_replay_of_the_same_messages_sends_nothing(world: World) -> None:
    day = Day({"c1": 1, "c2": 2})
    _, changes = world.run(day)
    world.run(Day({"c1": 1, "c3": 0}))
    calls = world.channel.calls
    ledger = Ledger(world.stage.ledger_url)
    world.feed(ledger, changes, day)
    ledger.close()
    assert world.channel.calls == calls
    assert world.channel.held == {"c1": 1, "c3": 0}


def test_a_refused_row_waits_until_its_payload_changes(world: World) -> None:
    bad = frozenset({("c1", 1)})
    world.run(Day({"c1": 1, "c2": 2}, bad=bad))
    assert world.channel.held == {"c2": 2}
    plan, changes = world.run(Day({"c1": 1, "c2": 2}, bad=bad))
    assert (plan.figures.waiting, changes) == (1, [])
    world.run(Day({"c1": 0, "c2": 2}, bad=bad))
    assert world.channel.held == {"c1": 0, "c2": 2}


def test_a_row_refused_after_it_was_delivered_is_still_removed_when_it_leaves(world: World) -> None:
    world.run(Day({"c1": 0, "c2": 2}))
    world.run(Day({"c1": 1, "c2": 2}, bad=frozenset({("c1", 1)})))
    assert world.channel.held == {"c1": 0, "c2": 2}
    world.run(Day({"c2": 2}))
    assert world.channel.held == {"c2": 2}


def test_a_row_in_doubt_that_leaves_the_audience_is_removed(world: World) -> None:
    with pytest.raises(Crash):
        world.run(Day({"c1": 1}, dies_at=1, after_effect=True))
    assert world.channel.held == {"c1": 1}
    world.run(Day({"c2": 2}))
    assert world.channel.held == {"c2": 2}


def test_rows_in_doubt_are_repeated_under_the_same_idempotency_key(world: World) -> None:
    day = Day({f"c{n}": n % 3 for n in range(7)})
    with pytest.raises(Crash):
        world.run(Day(day.members, dies_at=2, after_effect=True))
    keys = set(world.channel.contents)
    first = run_ids(world)
    world.run(day)
    assert keys < set(world.channel.contents)
    assert sum(len(content) for content in world.channel.contents.values()) == 7
    ledger = Ledger(world.stage.ledger_url)
    doubted = {(row["run_id"], row["key"]) for row in ledger.receipts() if row["status"] == "in_doubt"}
    ledger.close()
    assert doubted == {(first[0], key) for key in ("c2", "c3")}


def run_ids(world: World) -> list[str]:
    ledger = Ledger(world.stage.ledger_url)
    found = [row["run_id"] for row in ledger.recent_runs()]
    ledger.close()
    return found


def test_in_upsert_mode_members_stay_until_they_withdraw_their_consent() -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), mode="upsert")
        world.run(Day({"c1": 1, "c2": 2, "c3": 0}))
        world.run(Day({"c2": 1}, refusing=frozenset({"c3"}), others=frozenset({"c1"})))
        assert world.channel.held == {"c1": 1, "c2": 1}
        world.run(Day({"c2": 1}))
        assert world.channel.held == {"c2": 1}


def test_what_a_doubtful_try_left_behind_is_removed_even_after_a_refusal(world: World) -> None:
    with pytest.raises(Crash):
        world.run(Day({"c1": 1}, dies_at=1, after_effect=True))
    world.run(Day({"c1": 2}, bad=frozenset({("c1", 2)})))
    assert (world.channel.held, world.statuses()) == ({"c1": 1}, {"c1": "refused"})
    world.run(Day({"c2": 0}))
    assert world.channel.held == {"c2": 0}
