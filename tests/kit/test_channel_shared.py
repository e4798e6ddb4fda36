from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from tests.activation.sharing import SYNC, Known, Platform, Syncing, Want

from snello.activation import Change, Verdict
from snello.activation.tables import marks, receipts


@pytest.fixture(autouse=True)
def salted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SNELLO_SALT", "salt")
    monkeypatch.chdir(tmp_path)  # outside of a project the variable counts, and no file is read for it


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(request.getfixturevalue("postgres")) if request.param == "postgresql" else file_in(tmp_path)


def file_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'ledger.db'}"


class Stage(Syncing):
    """The channel and the sync."""

    def __init__(self, url: str, parallel: int = 1) -> None:
        self.platform = Platform()
        super().__init__(url, lambda: Known(self.platform, parallel))

    def codes(self) -> dict[str, tuple[str, str]]:
        return {key: (row["status"], row["code"]) for key, row in self.rows().items()}

    def marked(self) -> set[tuple[str, str]]:
        return {(row["key"], row["state"]) for row in self.ledger.asked(select(marks))}


@pytest.fixture
def stage(url: str) -> Iterator[Stage]:
    made = Stage(url)
    yield made
    made.ledger.close()


def of(**people: str) -> Want:
    """Members by key, each letter an identifier."""
    return {key: {"ids": list(ids)} for key, ids in people.items()}


def test_what_another_member_holds_is_left_where_it_is_with_a_word_in_the_receipt(stage: Stage) -> None:
    stage.run(of(c1="a", c2="a"))
    stage.run(of(c2="a"))
    assert stage.platform.known == {"a"}
    assert stage.platform.calls == [("add", {"a"})]
    assert stage.codes()["c1"] == ("delivered", "kept_for_another")
    told = [row["code"] for row in stage.ledger.asked(select(receipts).where(receipts.c.op == "remove"))]
    assert told == ["kept_for_another"]


def test_the_rest_of_what_a_member_was_known_by_goes(stage: Stage) -> None:
    stage.run(of(c1="ab", c2="ac"))
    stage.run(of(c2="ac"))
    assert stage.platform.known == {"a", "c"}
    assert stage.codes()["c1"] == ("delivered", "")


def test_the_last_who_leaves_takes_it_back_in_one_run_or_in_two(stage: Stage) -> None:
    stage.run(of(c1="a", c2="a", c3="b", c4="b"))
    stage.run(of(c1="a"))
    assert stage.platform.known == {"a"}
    stage.run(of())
    assert stage.platform.known == set()
    assert stage.marked() == set()


def test_a_changed_address_that_another_holds_stays(stage: Stage) -> None:
    stage.run(of(c1="a", c2="a"))
    stage.run(of(c1="b", c2="a"))
    assert stage.platform.known == {"a", "b"}


def test_two_who_swap_keep_both_within_a_call_and_in_two(stage: Stage) -> None:
    stage.run(of(c1="a", c2="b", c3="d", c4="e", c5="f"))
    stage.run(of(c1="b", c2="a", c3="f", c4="e", c5="d"))
    assert stage.platform.known == set("abdef")


def test_a_member_who_is_known_by_nothing_any_more_is_taken_back_and_refused(stage: Stage) -> None:
    stage.run(of(c1="a", c2="b"))
    stage.run(of(c1="", c2="b"))
    assert stage.platform.known == {"b"}
    assert stage.codes()["c1"] == ("refused", "bad")
    assert stage.rows()["c1"]["fingerprint"] is None
    stage.run(of(c1="a", c2="b"))
    assert stage.platform.known == {"a", "b"}


def test_what_was_left_there_for_a_row_that_is_then_refused_goes_with_that_row(stage: Stage) -> None:
    stage.run(of(c1="a", c3="z"))
    stage.platform.fuse.left = 0
    stage.killed(of(c1="a", c2="a!", c3="z"))
    stage.platform.fuse.left = None
    stage.run(of(c2="a!", c3="z"))
    assert stage.codes()["c2"] == ("refused", "bad")
    stage.run(of(c3="z"))
    assert stage.platform.known == {"z"}


def test_a_row_that_was_refused_from_the_start_keeps_nobody(stage: Stage) -> None:
    stage.run(of(c1="a", c2="a!"))
    stage.run(of(c2="a!"))
    assert stage.platform.known == set()


def test_marks_of_an_older_ledger_are_made_of_what_it_holds_sealed(stage: Stage) -> None:
    stage.run(of(c1="a", c2="a", c3="b"))
    with stage.ledger.engine.begin() as connection:
        connection.execute(delete(marks))
    stage.run(of(c2="a"))
    assert stage.platform.known == {"a"}
    assert stage.marked() == {("c2", "kept")}


def test_a_mark_is_another_under_another_salt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for salt in ("one", "another"):
        monkeypatch.setenv("SNELLO_SALT", salt)
        stage = Stage(f"sqlite:///{tmp_path / salt}.db")
        stage.run(of(c1="a"))
        found |= {row["mark"] for row in stage.ledger.asked(select(marks))}
        stage.ledger.close()
    assert len(found) == 2


# ---- calls at once


class Meeting(Known):
    """Waits in each call for another, and notes which identifiers were under way together."""

    def __init__(self, platform: Platform, met: list[bool]) -> None:
        super().__init__(platform, parallel=3)
        self.max_size, self.met = 1, met
        self.inside: list[tuple[set[str], set[str]]] = []
        self.turn = threading.Condition()

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        (change,) = changes
        adds = set(change.payload["ids"])
        takes = {one for handle in change.handles for one in self.marks(handle)} - adds
        with self.turn:
            self.inside.append((takes, adds))
            self.turn.notify_all()
            if self.turn.wait_for(lambda: len(self.inside) > 1, timeout=0.2):
                pairs = [(one, other) for one in self.inside for other in self.inside if one is not other]
                self.met.append(any(one[0] & other[1] for one, other in pairs))
        verdicts = list(super().upsert(changes))
        with self.turn:
            self.inside.remove((takes, adds))
        return verdicts


def test_calls_of_which_one_takes_back_what_the_other_adds_are_not_made_at_once(tmp_path: Path) -> None:
    platform, met = Platform(), list[bool]()
    stage = Syncing(file_in(tmp_path), lambda: Meeting(platform, met))
    stage.run(of(c1="a", c2="b", c3="c", c4="d"))
    met.clear()
    stage.run(of(c1="b", c2="e", c3="f", c4="c"))
    stage.ledger.close()
    assert platform.known == set("befc")
    assert met
    assert not any(met)


# ---- laws

IDS = st.text("abc", max_size=2)
PEOPLE = st.dictionaries(st.sampled_from(["c1", "c2", "c3", "c4"]), IDS)
STEPS = st.lists(st.tuples(PEOPLE, st.none() | st.integers(0, 7)), max_size=6)


def union(want: Want) -> set[str]:
    return {one for member in want.values() for one in member["ids"]}


@given(steps=STEPS, last=PEOPLE, parallel=st.sampled_from([1, 3]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whoever_comes_goes_and_changes_and_whatever_dies_the_channel_knows_the_members_and_no_others(
    steps: list[tuple[dict[str, str], int | None]],
    last: dict[str, str],
    parallel: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    stage = Stage(file_in(tmp_path_factory.mktemp("law")), parallel)
    ended(stage, steps, of(**last))
    assert stage.platform.known == union(of(**last))
    stage.run({})
    assert stage.platform.known == set()
    stage.ledger.close()


REFUSED = st.dictionaries(st.sampled_from(["c1", "c2", "c3"]), st.text("ab!", max_size=2))
SPOILED = st.lists(st.tuples(REFUSED, st.none() | st.integers(0, 5)), max_size=6)


@given(steps=SPOILED, last=REFUSED)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_also_where_rows_are_refused_nobody_is_lost_and_in_the_end_nobody_stays(
    steps: list[tuple[dict[str, str], int | None]], last: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    stage = Stage(file_in(tmp_path_factory.mktemp("law")))
    ended(stage, steps, of(**last))
    taken = {key: ids for key, ids in last.items() if "!" not in ids}
    assert union(of(**taken)) <= stage.platform.known <= union(of(**last))
    stage.run({})
    assert stage.platform.known == set()
    stage.ledger.close()


def ended(stage: Stage, steps: list[tuple[dict[str, str], int | None]], last: Want) -> None:
    """All steps, each a run that is killed after so many moments, then one that is not."""
    for people, moments in steps:
        stage.platform.fuse.left = moments
        stage.killed(of(**people))
    stage.platform.fuse.left = None
    stage.run(last)


def test_a_sink_without_marks_writes_none(tmp_path: Path) -> None:
    class Plain(Known):
        marks: Any = Known.__mro__[1].marks  # type: ignore[attr-defined]

    platform = Platform()
    stage = Syncing(file_in(tmp_path), lambda: Plain(platform))
    stage.run(of(c1="a"))
    assert stage.ledger.asked(select(marks).where(marks.c.sync == SYNC)) == []
    stage.ledger.close()
