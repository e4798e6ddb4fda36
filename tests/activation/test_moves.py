from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.activation.differing import Ground, Ledger, delivered, difference

NAMES = [f"c{n:02}" for n in range(10)]
PRINTS = st.sampled_from(["f1", "f2"])


@st.composite
def merges(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """What a channel holds, who is another now, and what it shall hold; aliases are members no more."""
    have = draw(st.dictionaries(st.sampled_from(NAMES), PRINTS))
    aliases = draw(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES)))
    aliases = {old: new for old, new in aliases.items() if new not in aliases}
    want = draw(st.dictionaries(st.sampled_from([name for name in NAMES if name not in aliases] or ["other"]), PRINTS))
    return have, aliases, want


@settings(max_examples=80, deadline=None)
@given(merges())
def test_merges_leave_what_is_wanted_and_never_two_rows_of_one_person_at_a_time(
    story: tuple[dict[str, str], dict[str, str], dict[str, str]],
) -> None:
    have, aliases, want = story
    ground = Ground(want, delivered(have), aliases=aliases)
    held = dict(have)
    for change in difference(ground).changes:
        key = str(change["key"])
        if change["op"] == "remove":
            del held[key]
            continue
        if change["moved_from"]:
            del held[str(change["moved_from"])]
        held[key] = str(change["fingerprint"])
        assert [other for other in held if ground.who(other) == key] == [key]
    assert held == want
    assert difference(Ground(want, delivered(held), aliases=aliases)).changes == []


def told(ground: Ground, mode: str = "mirror") -> list[tuple[str | None, str | None, str | None]]:
    """Each change as op, key, and where it moves from or why it goes."""
    return [
        (change["op"], change["key"], change["moved_from"] or change["reason"])
        for change in difference(ground, mode).changes
    ]


def test_a_row_moves_to_the_elder_whom_the_channel_does_not_hold() -> None:
    ground = Ground({"elder": "f1"}, delivered({"younger": "f1"}), aliases={"younger": "elder"})
    assert told(ground) == told(ground, "upsert") == [("upsert", "elder", "younger")]
    assert difference(ground).figures.moves == 1


def test_of_two_rows_the_youngers_is_removed_before_the_elders_changes() -> None:
    held = delivered({"elder": "f1", "younger": "f1"})
    ground = Ground({"elder": "f2"}, held, aliases={"younger": "elder"})
    assert told(ground) == told(ground, "upsert") == [("remove", "younger", "merged"), ("upsert", "elder", "")]


def test_of_three_who_are_one_now_one_moves_and_one_goes() -> None:
    held = delivered({"second": "f1", "third": "f1"})
    ground = Ground({"first": "f1"}, held, aliases={"second": "first", "third": "first"})
    assert told(ground) == [("remove", "third", "merged"), ("upsert", "first", "second")]


def test_a_move_without_an_outcome_is_made_again() -> None:
    elder = {"fingerprint": None, "tried": "f1", "status": "in_doubt", "op": "upsert", "batch": "b1"}
    ground = Ground({"elder": "f1"}, {**delivered({"younger": "f1"}), "elder": elder}, aliases={"younger": "elder"})
    assert told(ground) == [("upsert", "elder", "younger")]


def test_where_the_elder_was_refused_before_the_youngers_row_goes_and_the_elder_is_tried_once_more() -> None:
    refused = {"fingerprint": None, "tried": "f1", "status": "refused", "op": "upsert", "batch": None}
    ledger: Ledger = {**delivered({"younger": "f1"}), "elder": refused}
    ground = Ground({"elder": "f1"}, ledger, aliases={"younger": "elder"})
    assert told(ground) == [("remove", "younger", "merged"), ("upsert", "elder", "")]
    assert told(Ground({"elder": "f1"}, {"elder": refused}, aliases={"younger": "elder"})) == []


def test_a_row_in_doubt_is_not_moved_but_removed() -> None:
    doubt = {"fingerprint": None, "tried": "f1", "status": "in_doubt", "op": "upsert", "batch": None}
    ground = Ground({"elder": "f1"}, {"younger": doubt}, aliases={"younger": "elder"})
    assert told(ground) == [("remove", "younger", "merged"), ("upsert", "elder", "")]


def test_who_merged_into_somebody_who_may_not_be_sent_is_removed_like_anybody_else() -> None:
    ground = Ground({}, delivered({"younger": "f1"}), barred=frozenset({"elder"}), aliases={"younger": "elder"})
    assert told(ground) == told(ground, "upsert") == [("remove", "younger", "kept_back")]


def test_what_a_gate_lets_stay_of_the_elder_stays_under_the_youngers_key() -> None:
    ground = Ground({}, delivered({"younger": "f1"}), stays=frozenset({"elder"}), aliases={"younger": "elder"})
    assert told(ground) == []


def test_a_member_is_not_inserted_twice_under_two_names() -> None:
    ground = Ground({"elder": "f1"}, delivered({"younger": "f1"}), aliases={"younger": "elder"})
    assert told(ground, "insert") == []


def test_in_a_split_the_elders_change_frees_the_address_before_the_newborn_takes_it() -> None:
    ground = Ground({"aa-newborn": "f1", "elder": "f2"}, delivered({"elder": "f1"}))
    assert told(ground) == [("upsert", "elder", ""), ("upsert", "aa-newborn", "")]
