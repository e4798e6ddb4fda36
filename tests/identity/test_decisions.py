"""Decisions are only ever added, and each can be taken back."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snello.errors import ConfigError
from snello.identity.decisions import Act, Customer, Word, in_force, pair, table, undone, unlinked, words

START = datetime(2026, 11, 1, tzinfo=UTC)
RECORDS = list("abcdef")


def act(said: list[Word]) -> Act:
    return Act.now("giulia", "seen", START, said)


def verbs(said: list[Word]) -> dict[tuple[str, str], str]:
    return {about: word.verb for about, word in in_force(said).items()}


pairs = st.lists(st.sampled_from(RECORDS), min_size=2, max_size=2, unique=True).map(lambda two: pair(*two))
spoken_of = st.lists(pairs, min_size=1, max_size=3, unique=True)
histories = st.lists(st.tuples(st.sampled_from(["link", "apart", "skip", "revoke"]), spoken_of), max_size=6)


def told(history: list[tuple[str, list[tuple[str, str]]]]) -> list[Word]:
    said: list[Word] = []
    for verb, about in history:
        now = act(said)
        said += [now.say(verb, each) for each in about]
    return said


@given(history=histories, seed=st.integers())
def test_what_counts_does_not_depend_on_the_order_of_rows(
    history: list[tuple[str, list[tuple[str, str]]]], seed: int
) -> None:
    said = told(history)
    assert in_force(random.Random(seed).sample(said, len(said))) == in_force(said)


@given(history=histories, verb=st.sampled_from(["link", "apart"]), about=st.lists(pairs, min_size=1, unique=True))
def test_a_decision_taken_back_leaves_what_counted_before(
    history: list[tuple[str, list[tuple[str, str]]]], verb: str, about: list[tuple[str, str]]
) -> None:
    said = told(history)
    now = act(said)
    after = said + [now.say(verb, each) for each in about]
    assert verbs(after + undone(act(after), now.decision, after)) == verbs(said)


@given(history=histories, about=pairs)
def test_to_link_and_to_unlink_is_to_do_nothing(
    history: list[tuple[str, list[tuple[str, str]]]], about: tuple[str, str]
) -> None:
    # a link is refused where the pair was decided on before
    said = [word for word in told(history) if not set(about) & {word.left_record, word.right_record}]
    linked = [*said, act(said).say("link", about)]
    customer = Customer(frozenset(about))
    assert verbs(linked + unlinked(act(linked), about[0], customer, linked)) == verbs(said)


@given(history=histories)
def test_decisions_come_back_from_the_table_as_they_went_in(
    history: list[tuple[str, list[tuple[str, str]]]],
) -> None:
    said = told(history)
    assert words(table(said).to_pylist()) == said


def test_a_decision_is_later_than_those_before_it_though_the_clock_ran_back() -> None:
    said = [Act.now("anna", "seen", START + timedelta(days=1), []).say("link", ("a", "b"))]
    later = act(said)
    assert later.decided_at > said[0].decided_at
    assert verbs([*said, later.say("apart", ("b", "a"))]) == {("a", "b"): "apart"}


def test_a_skip_decides_nothing() -> None:
    said = told([("link", [("a", "b")]), ("skip", [("a", "b")])])
    assert verbs(said) == {("a", "b"): "link"}


def test_a_record_is_set_apart_from_all_others_of_its_customer() -> None:
    customer = Customer(frozenset("abc"), frozenset({("a", "b"), ("b", "c")}))
    assert verbs(unlinked(act([]), "a", customer, [])) == {("a", "b"): "apart", ("a", "c"): "apart"}


def test_unlinking_from_one_record_sets_apart_from_that_one_alone() -> None:
    customer = Customer(frozenset("abc"), frozenset({("a", "b"), ("b", "c")}))
    assert verbs(unlinked(act([]), "a", customer, [], other="c")) == {("a", "c"): "apart"}


def test_of_a_merge_the_two_sides_as_they_were_are_set_apart_and_the_bridge_is_not_mentioned() -> None:
    customer = Customer(frozenset("abcdx"), frozenset(), ((frozenset("cd"), frozenset("ab")),))
    apart = {("a", "c"): "apart", ("a", "d"): "apart", ("b", "c"): "apart", ("b", "d"): "apart"}
    assert verbs(unlinked(act([]), "c", customer, [])) == apart
    assert verbs(unlinked(act([]), "a", customer, [])) == apart


def test_the_bridge_itself_is_set_apart_from_both_sides() -> None:
    customer = Customer(frozenset("acx"), frozenset(), ((frozenset("c"), frozenset("a")),))
    assert verbs(unlinked(act([]), "x", customer, [])) == {("a", "x"): "apart", ("c", "x"): "apart"}


def test_of_two_crowds_one_record_is_parted_at_a_time() -> None:
    here, there = frozenset(f"a{n}" for n in range(101)), frozenset(f"b{n}" for n in range(100))
    customer = Customer(here | there, frozenset(), ((here, there),))
    assert set(verbs(unlinked(act([]), "a7", customer, []))) == {("a7", record) for record in there}


def test_a_merge_that_is_undone_already_counts_no_more() -> None:
    customer = Customer(frozenset("ab"), frozenset(), ((frozenset("cd"), frozenset("ab")),))
    assert verbs(unlinked(act([]), "a", customer, [])) == {("a", "b"): "apart"}


def test_a_links_own_end_takes_the_link_back_though_rules_hold_others_to_it() -> None:
    said = [act([]).say("link", ("b", "c"))]
    customer = Customer(frozenset("abcd"), frozenset({("a", "b"), ("c", "d")}))
    assert verbs(said + unlinked(act(said), "b", customer, said)) == {}


def test_a_link_of_others_is_not_taken_back() -> None:
    said = [act([]).say("link", ("b", "c"))]
    customer = Customer(frozenset("abc"), frozenset({("a", "b")}))
    after = verbs(said + unlinked(act(said), "a", customer, said))
    assert after == {("b", "c"): "link", ("a", "b"): "apart", ("a", "c"): "apart"}


def test_a_record_alone_has_nothing_to_be_parted_from() -> None:
    assert unlinked(act([]), "a", Customer(frozenset("a")), []) == []


def test_an_unknown_decision_is_answered_with_the_nearest() -> None:
    said = [act([]).say("link", ("a", "b"))]
    with pytest.raises(ConfigError, match="did you mean"):
        undone(act(said), said[0].decision[:-1], said)


def test_a_decision_cannot_be_taken_back_twice() -> None:
    said = [act([]).say("link", ("a", "b"))]
    said += undone(act(said), said[0].decision, said)
    with pytest.raises(ConfigError, match="taken back already"):
        undone(act(said), said[0].decision, said)
