"""Mode replace: the whole audience in one session, or nothing of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from snello.errors import ConfigError, RetryLater
from snello.kit.channel import ActivationSink, ActivationTarget, BatchRefused, Change, ChannelSettings, Size, Verdict
from snello.kit.channel.rehearsal import Rehearsal


class Channel:
    """What the channel holds, and the session that is open."""

    held: ClassVar[dict[str, Any]] = {}
    session: ClassVar[dict[str, Any] | None] = None
    log: ClassVar[list[str]] = []
    fails: ClassVar[set[str]] = set()


class Sessions(ActivationSink[ChannelSettings]):
    name, max_size, parallel = "rows", 2, 2
    modes = frozenset({"replace"})

    def begin(self, rows: int) -> None:
        Channel.log.append(f"begin {rows}")
        Channel.session = {}

    def upsert(self, changes: Iterable[Change]) -> Iterable[Verdict]:
        if "upsert" in Channel.fails:
            raise RetryLater("rows", "503", "run again later")
        assert Channel.session is not None
        for change in changes:
            if change.payload["value"] < 0:
                yield Verdict.refused(change.key, "negative")
            else:
                Channel.session[change.key] = change.payload["value"]
                yield Verdict.delivered(change.key, f"id-{change.key}")

    def remove(self, changes: Iterable[Change]) -> Iterable[Verdict]:
        for change in changes:
            Channel.held.pop(change.key, None)
            yield Verdict.delivered(change.key)

    def commit(self) -> Iterable[Verdict]:
        Channel.log.append("commit")
        if "before commit" in Channel.fails:
            raise RetryLater("rows", "503", "run again later")
        assert Channel.session is not None
        late = [key for key, value in Channel.session.items() if value == 13]
        Channel.held, Channel.session = {k: v for k, v in Channel.session.items() if v != 13}, None
        if "after commit" in Channel.fails:
            raise RetryLater("rows", "no answer", "run again later")
        return [Verdict.refused(key, "unlucky") for key in late]

    def abandon(self) -> None:
        Channel.log.append("abandon")
        Channel.session = None

    def size(self) -> Size | None:
        return Size(len(Channel.held), matched=len(Channel.held) - 1)


class TargetSessions(ActivationTarget):
    """A target for the test."""

    name, sinks = "target-sessions", (Sessions,)


@pytest.fixture
def stage(tmp_path: Path) -> Rehearsal:
    Channel.held, Channel.session, Channel.log, Channel.fails = {}, None, [], set()
    return Rehearsal(tmp_path, mode="replace", max_removal_share=1)


def people(values: dict[str, int]) -> list[dict[str, Any]]:
    return [{"customer_id": key, "value": value} for key, value in values.items()]


def standing(stage: Rehearsal) -> dict[tuple[str, str, str], int]:
    ledger = stage.ledger()
    found = ledger.standing(stage.sync)
    ledger.close()
    return found


def receipts(stage: Rehearsal) -> list[tuple[str, str, str, str]]:
    ledger = stage.ledger()
    found = [(row["key"], row["op"], row["status"], row["code"]) for row in reversed(ledger.receipts(stage.sync))]
    ledger.close()
    return found


def test_a_session_makes_the_channel_hold_the_audience_and_nobody_else(stage: Rehearsal) -> None:
    stage.publish(people({"c1": 1, "c2": 2, "c3": 3}))
    stage.run(TargetSessions, {})
    stage.publish(people({"c1": 1, "c2": 9, "c4": 4, "c5": -1, "c6": 13}))
    stage.run(TargetSessions, {})
    assert Channel.held == {"c1": 1, "c2": 9, "c4": 4}
    assert Channel.log == ["begin 3", "commit", "begin 5", "commit"]
    assert standing(stage) == {
        ("upsert", "delivered", ""): 3,
        ("remove", "delivered", ""): 1,
        ("upsert", "refused", "negative"): 1,
        ("upsert", "refused", "unlucky"): 1,
    }
    assert sorted(receipts(stage)[3:]) == [
        ("c2", "upsert", "delivered", ""),
        ("c3", "remove", "delivered", ""),
        ("c4", "upsert", "delivered", ""),
        ("c5", "upsert", "refused", "negative"),
        ("c6", "upsert", "refused", "unlucky"),
    ]
    ledger = stage.ledger()
    run = ledger.recent_runs(stage.sync)[0]
    assert ledger.lookup(stage.sync, ["c4"])["c4"]["remote_id"] == "id-c4"
    ledger.close()
    assert (run["outcome"], run["refused"]) == ("rows refused", 2)


@pytest.mark.parametrize("moment", ["upsert", "before commit", "after commit"])
def test_a_session_that_fails_leaves_the_ledger_true_and_the_next_run_starts_anew(
    stage: Rehearsal, moment: str
) -> None:
    stage.publish(people({"c1": 1, "c2": 2}))
    stage.run(TargetSessions, {})
    before = standing(stage)
    stage.publish(people({"c2": 2, "c3": 3}))
    Channel.fails = {moment}
    with pytest.raises(RetryLater):
        stage.run(TargetSessions, {})
    assert Channel.held == ({"c2": 2, "c3": 3} if moment == "after commit" else {"c1": 1, "c2": 2})
    assert standing(stage) == before if moment == "upsert" else ("upsert", "in_doubt", "") in standing(stage)
    assert ("abandon" in Channel.log) == (moment == "upsert")
    Channel.fails = set()
    stage.run(TargetSessions, {})
    assert Channel.held == {"c2": 2, "c3": 3}
    assert standing(stage) == {("upsert", "delivered", ""): 2, ("remove", "delivered", ""): 1}
    assert '"RECORD"' not in stage.messages()


def test_a_tap_that_dies_halfway_replaces_nothing(stage: Rehearsal) -> None:
    stage.publish(people({f"c{n}": n for n in range(8)}))
    lines = stage.messages().splitlines(keepends=True)
    with pytest.raises(RetryLater, match="the messages end before all rows"):
        stage.feed(TargetSessions, {}, "".join(lines[:5]))
    assert (Channel.held, Channel.log) == ({}, ["begin 8", "abandon"])
    assert standing(stage) == {}


def test_a_replay_of_a_session_replaces_nothing(stage: Rehearsal) -> None:
    stage.publish(people({"c1": 1}))
    old = stage.messages()
    stage.feed(TargetSessions, {}, old)
    stage.publish(people({"c2": 2}))
    stage.run(TargetSessions, {})
    stage.feed(TargetSessions, {}, old)
    assert Channel.held == {"c2": 2}
    assert Channel.log.count("commit") == 2


def test_a_mode_that_the_channel_cannot_do_is_refused_before_the_first_call(tmp_path: Path) -> None:
    Channel.log = []
    stage = Rehearsal(tmp_path, mode="append")
    stage.publish(people({"c1": 1}))
    with pytest.raises(ConfigError, match="its mode is append, which rows cannot do"):
        stage.run(TargetSessions, {})
    assert Channel.log == []


def test_what_the_platform_says_of_the_audience_is_measured_after_a_run_that_sent_something(stage: Rehearsal) -> None:
    stage.publish(people({"c1": 1, "c2": 2, "c3": -3}))
    stage.run(TargetSessions, {})
    stage.run(TargetSessions, {})
    from snello.activation.tables import measurements

    ledger = stage.ledger()
    with ledger.engine.connect() as connection:
        rows = connection.execute(measurements.select()).mappings().all()
    ledger.close()
    assert [(row["sent"], row["accepted"], row["size"], row["matched"]) for row in rows] == [(3, 2, 2, 1)]


def test_a_session_on_postgresql_ends_as_on_sqlite(stage: Rehearsal, postgres: str) -> None:
    stage.ledger_url = postgres
    stage.publish(people({"c1": 1, "c2": 2}))
    stage.run(TargetSessions, {})
    stage.publish(people({"c2": 5, "c3": -1}))
    stage.run(TargetSessions, {})
    assert Channel.held == {"c2": 5}
    assert standing(stage) == {
        ("upsert", "delivered", ""): 1,
        ("remove", "delivered", ""): 1,
        ("upsert", "refused", "negative"): 1,
    }


def test_a_body_that_is_refused_in_a_session_is_halved_too(stage: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Sessions.upsert

    def picky(self: Sessions, changes: list[Change]) -> Iterable[Verdict]:
        if any(change.key == "c2" for change in changes):
            raise BatchRefused("bad_row", 422)
        return usual(self, changes)

    monkeypatch.setattr(Sessions, "upsert", picky)
    stage.publish(people({"c1": 1, "c2": 2, "c3": 3}))
    stage.run(TargetSessions, {})
    assert Channel.held == {"c1": 1, "c3": 3}
    assert standing(stage) == {("upsert", "delivered", ""): 2, ("upsert", "refused", "bad_row"): 1}
