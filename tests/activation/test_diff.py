from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.activation.differing import Ground, Ledger, consistent, delivered, difference

from snello.activation.sync import Sync

MODES = ("mirror", "upsert", "insert", "update", "append", "replace")
KEYS = st.sampled_from([f"c{n}" for n in range(12)])
SOME = st.frozensets(KEYS)
PRINTS = st.sampled_from(["f1", "f2", "f3"])
STATUSES = st.sampled_from(["delivered", "refused", "retrying", "dead", "dropped", "in_doubt"])
ROWS = st.fixed_dictionaries(
    {
        "fingerprint": st.none() | PRINTS | st.just("?"),
        "tried": st.none() | PRINTS,
        "status": STATUSES,
        "op": st.sampled_from(["upsert", "remove"]),
        "batch": st.none() | st.sampled_from(["b1", "b2"]),
    }
)
LEDGERS = st.dictionaries(KEYS, ROWS).map(consistent)
WANTS = st.dictionaries(KEYS, PRINTS)
LAW = settings(max_examples=20, deadline=None)
everywhere = pytest.mark.parametrize("mode", MODES)


def applied(have: dict[str, str], ground: Ground, mode: str) -> dict[str, str]:
    """What a channel holds after the changes that it can make; ``update`` changes only what is there."""
    held = dict(have)
    found = difference(ground, mode)
    for change in found.changes:
        key = str(change["key"])
        if change["op"] == "remove":
            held.pop(key, None)
        elif mode != "update" or key in held:
            held[key] = str(change["fingerprint"])
    return {key: held[key] for key in found.upserts} if mode == "replace" and found.upserts else held


def maybe_held(row: dict[str, str | None]) -> bool:
    return row["fingerprint"] is not None or row["status"] in ("in_doubt", "retrying")


def test_every_mode_of_a_sync_is_tried_here() -> None:
    assert set(Sync.model_fields["mode"].annotation.__args__) == set(MODES)  # type: ignore[union-attr]


@LAW
@given(WANTS, SOME, LEDGERS, SOME, SOME)
def test_each_row_is_sent_exactly_when_the_rules_of_a_mirror_say_so(
    want: dict[str, str], barred: frozenset[str], ledger: Ledger, known: frozenset[str], overdue: frozenset[str]
) -> None:
    barred -= set(want)
    late = frozenset(k for k in overdue if ledger.get(k, {}).get("status") in ("in_doubt", "retrying"))
    found = difference(Ground(want, ledger, barred, overdue=late, known=known))
    for key, fingerprint in want.items():
        row = ledger.get(key, {})
        waits = row.get("status") in ("refused", "dead", "dropped") or key in late
        same = row.get("op") == "upsert" and (
            (row["status"] == "delivered" and row["fingerprint"] == fingerprint)
            or (waits and fingerprint in (row["tried"], row["fingerprint"]))
        )
        assert (key in found.upserts) is not same
    for key, row in ledger.items():
        assert (key in found.removals) is (maybe_held(row) and key not in want)
    assert {key for key, reason in found.removals.items() if reason == "kept_back"} == set(found.removals) & barred
    assert found.newly_excluded == barred - known
    figures = found.figures
    assert figures.changes == len(found.changes)
    assert figures.members == figures.upserts + figures.unchanged + figures.waiting


@everywhere
@LAW
@given(have=WANTS, want=WANTS, barred=SOME, stays=SOME)
def test_applying_the_difference_gives_what_the_mode_promises_and_leaves_no_difference(
    mode: str, have: dict[str, str], want: dict[str, str], barred: frozenset[str], stays: frozenset[str]
) -> None:
    barred -= set(want)
    stays -= {*want, *barred}
    lasting = {key: print_ for key, print_ in have.items() if key not in barred}
    kept = {key: print_ for key, print_ in have.items() if key in stays}
    promise = {
        "mirror": {**kept, **want},
        "replace": {**kept, **want},
        "upsert": {**lasting, **want},
        "insert": {**want, **lasting},
        "update": {**lasting, **{key: print_ for key, print_ in want.items() if key in have}},
        "append": {**want, **have},
    }[mode]
    held = applied(have, Ground(want, delivered(have), barred, stays), mode)
    assert held == promise
    after = delivered(held)
    if mode == "update":  # what was not there has been refused, and is asked again another day
        refused = {"fingerprint": None, "status": "refused", "op": "upsert", "batch": None}
        after |= {key: {**refused, "tried": print_} for key, print_ in want.items() if key not in held}
    assert difference(Ground(want, after, barred, stays), mode).changes == []


@everywhere
@LAW
@given(want=WANTS, ledger=LEDGERS, erased=SOME, stays=SOME)
def test_who_was_erased_is_removed_in_every_mode_and_sent_in_none(
    mode: str, want: dict[str, str], ledger: Ledger, erased: frozenset[str], stays: frozenset[str]
) -> None:
    found = difference(Ground(want, ledger, stays=stays - set(want), erased=erased), mode)
    assert not set(found.upserts) & erased
    gone = {key for key, reason in found.removals.items() if reason == "erased"}
    assert gone == {key for key in erased if key in ledger and maybe_held(ledger[key])}
    first = [change["reason"] for change in found.changes[: len(gone)]]
    assert first == ["erased"] * len(gone)


@everywhere
@LAW
@given(want=WANTS, ledger=LEDGERS, barred=SOME)
def test_no_key_travels_twice_and_nothing_is_removed_that_the_channel_cannot_hold(
    mode: str, want: dict[str, str], ledger: Ledger, barred: frozenset[str]
) -> None:
    found = difference(Ground(want, ledger, barred - set(want)), mode)
    assert len({change["key"] for change in found.changes}) == len(found.changes)
    assert all(maybe_held(ledger[key]) for key in found.removals)


@pytest.mark.parametrize("mode", ["insert", "append"])
@LAW
@given(have=WANTS, want=WANTS, ledger=LEDGERS)
def test_what_was_delivered_once_is_never_sent_again(
    mode: str, have: dict[str, str], want: dict[str, str], ledger: Ledger
) -> None:
    removed = {
        key: {**row, "fingerprint": None, "op": "remove"} for key, row in delivered(dict.fromkeys(have, "f1")).items()
    }
    found = difference(Ground(want, {**ledger, **removed}), mode)
    again = "?" if mode == "insert" else None  # its list was deleted in the channel, and it is asked for again
    known = {key for key, row in ledger.items() if row["status"] == "delivered" and row["fingerprint"] != again}
    assert not set(found.upserts) & {*have, *known}


@pytest.mark.parametrize(("absent", "sent"), [(frozenset(), []), (frozenset({"c1"}), ["c1"])])
def test_a_row_that_was_not_there_is_asked_for_again_only_when_its_day_has_come(
    absent: frozenset[str], sent: list[str]
) -> None:
    row = {"fingerprint": None, "tried": "f1", "status": "refused", "op": "upsert", "batch": None}
    assert list(difference(Ground({"c1": "f1"}, {"c1": row}, absent=absent), "update").upserts) == sent
    assert list(difference(Ground({"c1": "f2"}, {"c1": row}), "update").upserts) == ["c1"]


def test_a_replacement_that_changes_nothing_sends_nothing_and_one_change_sends_the_whole() -> None:
    have = {"c1": "f1", "c2": "f1"}
    assert difference(Ground(have, delivered(have)), "replace").changes == []
    one = difference(Ground({**have, "c2": "f2"}, delivered(have)), "replace")
    assert (set(one.upserts), one.figures.changes) == ({"c1", "c2"}, 1)
    left = difference(Ground({"c1": "f1"}, delivered(have)), "replace")
    assert (set(left.upserts), left.removals) == ({"c1"}, {})


def test_a_replacement_leaves_out_what_was_refused_and_keeps_what_a_gate_lets_stay() -> None:
    refused = {"fingerprint": None, "tried": "f1", "status": "refused", "op": "upsert", "batch": None}
    ground = Ground(
        {"c1": "f2", "c2": "f1"}, {**delivered({"c1": "f1", "c3": "f1"}), "c2": refused}, stays=frozenset({"c3", "c4"})
    )
    assert set(difference(ground, "replace").upserts) == {"c1", "c3"}


def test_a_replacement_has_a_row_that_the_channel_holds_as_it_is_wanted_though_another_payload_was_refused() -> None:
    refused = {"fingerprint": "f1", "tried": "f2", "status": "refused", "op": "upsert", "batch": None}
    ground = Ground({"c1": "f2", "c2": "f1"}, {**delivered({"c1": "f1"}), "c2": refused})
    assert set(difference(ground, "replace").upserts) == {"c1", "c2"}
    assert set(difference(ground, "mirror").upserts) == {"c1"}


def test_a_replacement_by_nobody_is_told_as_removals() -> None:
    assert difference(Ground({}, delivered({"c1": "f1"})), "replace").removals == {"c1": "left_audience"}
