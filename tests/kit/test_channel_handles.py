from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snello.errors import ConfigError, RetryLater
from snello.kit.channel import ActivationSink, ActivationTarget, Change, ChannelSettings, Verdict
from snello.kit.channel.rehearsal import Rehearsal
from snello.kit.channel.sealing import Seal

COLUMNS = pa.schema([("customer_id", pa.string()), ("email", pa.string())])
HANDLES = st.lists(st.text(max_size=80), max_size=5, unique=True).map(tuple)


class Hashes(ActivationSink[ChannelSettings]):
    """Holds what it is handed, and can be told to lose an answer."""

    name, max_size = "hashes", 2
    there: ClassVar[set[str]] = set()
    seen: ClassVar[list[Change]] = []
    answers_lost: ClassVar[int] = 0

    def handle(self, change: Change) -> str | None:
        return f"hash of {change.payload['email']}" if change.payload["email"] else None

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        for change in changes:
            self.seen.append(change)
            wanted = self.handle(change)
            self.there.difference_update(set(change.handles) - {wanted})
            self.there.update({wanted} if wanted else ())
            self._answer()
            yield Verdict.delivered(change.key)

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        for change in changes:
            self.seen.append(change)
            self.there.difference_update(change.handles)
            self._answer()
            yield Verdict.delivered(change.key)

    def _answer(self) -> None:
        if Hashes.answers_lost:
            Hashes.answers_lost -= 1
            raise RetryLater("hashes", "the answer was lost", "run again")


class TargetHashes(ActivationTarget):
    """A target for the test."""

    name, sinks = "target-hashes", (Hashes,)


@pytest.fixture
def stage(tmp_path: Path) -> Rehearsal:
    return fresh(tmp_path)


def fresh(folder: Path) -> Rehearsal:
    Hashes.there, Hashes.seen, Hashes.answers_lost = set(), [], 0
    return Rehearsal(folder, purpose="ads_audiences", channel="ads", max_removal_share=1)


def person(key: str, email: str) -> dict[str, Any]:
    return {"customer_id": key, "email": email}


def run(stage: Rehearsal, *rows: dict[str, Any]) -> None:
    stage.publish(list(rows), schema=COLUMNS)
    stage.run(TargetHashes, {})


def kept(stage: Rehearsal) -> dict[str, str | None]:
    ledger = stage.ledger()
    try:
        return {key: row["handles"] for key, row in ledger.lookup(stage.sync, ["c1", "c2", "c3"]).items()}
    finally:
        ledger.close()


def test_a_row_is_taken_back_by_what_the_channel_knew_it_by(stage: Rehearsal) -> None:
    run(stage, person("c1", "a"), person("c2", "b"), person("c3", "c"))
    run(stage, person("c1", "a"), person("c3", "c"))
    assert [(change.key, change.handles) for change in Hashes.seen[3:]] == [("c2", ("hash of b",))]
    assert Hashes.there == {"hash of a", "hash of c"}


def test_what_is_taken_back_is_forgotten(stage: Rehearsal) -> None:
    run(stage, person("c1", "a"), person("c2", "b"))
    run(stage, person("c1", "a"))
    assert kept(stage)["c2"] is None


def test_a_row_known_by_something_else_now_is_known_by_the_old_no_more(stage: Rehearsal) -> None:
    run(stage, person("c1", "a"))
    run(stage, person("c1", "b"))
    assert Hashes.seen[-1].handles == ("hash of a",)
    assert Hashes.there == {"hash of b"}
    run(stage, person("c1", "c"))
    assert Hashes.seen[-1].handles == ("hash of b",)


def test_a_try_whose_answer_was_lost_is_taken_back_with_the_one_before(stage: Rehearsal) -> None:
    run(stage, person("c1", "a"), person("c2", "x"))
    Hashes.answers_lost = 1
    with pytest.raises(RetryLater):
        run(stage, person("c1", "b"), person("c2", "x"))
    run(stage, person("c2", "x"))
    assert Hashes.seen[-1].handles == ("hash of a", "hash of b")
    assert Hashes.there == {"hash of x"}


def test_handles_stand_sealed_in_the_ledger(stage: Rehearsal, tmp_path: Path) -> None:
    run(stage, person("c1", "a"))
    sealed = kept(stage)["c1"]
    assert sealed
    assert "hash" not in sealed
    assert b"hash of" not in b"".join(file.read_bytes() for file in tmp_path.glob("ledger.db*") if file.is_file())


def test_another_salt_stops_the_run_before_a_row_could_not_be_taken_back(
    stage: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(stage, person("c1", "a"), person("c2", "b"))
    stage.publish([person("c1", "a")])
    lines = stage.messages()
    monkeypatch.setattr("snello.kit.channel.rehearsal.SALT", "another salt")
    with pytest.raises(ConfigError, match="sealed under another salt"):
        stage.feed(TargetHashes, {}, lines)
    assert Hashes.there == {"hash of a", "hash of b"}


@given(handles=HANDLES, more=HANDLES, salt=st.text(max_size=20))
def test_what_is_sealed_is_opened_again_also_beside_another(
    handles: tuple[str, ...], more: tuple[str, ...], salt: str
) -> None:
    seal = Seal(salt)
    assert seal.open(seal.shut(handles)) == handles
    both = f"{seal.shut(handles)} {seal.shut(more)}"
    assert seal.open(both) == tuple(dict.fromkeys(handles + more))


STAYS = person("c0", "an empty audience opens the breaker")
STEPS = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(["c1", "c2", "c3"]), st.sampled_from("abcdef")), st.integers(0, 2)),
    max_size=6,
)


@given(steps=STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_the_channel_ends_with_what_the_audience_says(
    steps: list[tuple[dict[str, str], int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    stage = fresh(tmp_path_factory.mktemp("law"))
    for emails, lost in steps:
        rows = [STAYS, *(person(key, f"{email}{key}") for key, email in emails.items())]
        Hashes.answers_lost = lost
        for _ in range(4):
            try:
                run(stage, *rows)
            except RetryLater:
                continue
            break
    last = [STAYS, *(person(key, f"{email}{key}") for key, email in (steps[-1][0] if steps else {}).items())]
    run(stage, *last)
    assert Hashes.there == {f"hash of {row['email']}" for row in last}
