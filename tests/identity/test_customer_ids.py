"""Ids outlive refreshes, merges and splits."""

from __future__ import annotations

import random

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from snello.identity.customer_ids import Identities, assign_ids

Groups = list[str]
FEW = settings(max_examples=25, deadline=None)  # each example opens databases


def assignment(groups: Groups) -> pa.Table:
    """``["ab", "c"]``: records a and b in one cluster, c alone."""
    rows = [(record, min(group)) for group in groups for record in group]
    return pa.table(
        {"record": pa.array([r for r, _ in rows], pa.string()), "cluster": pa.array([c for _, c in rows], pa.string())}
    )


NOBODY = pa.table({"record": pa.array([], pa.string()), "customer_id": pa.array([], pa.string())})


def seen(records: str = "abcdefghij") -> pa.Table:
    """Each record a day after the one before it in the alphabet."""
    days = [f"2024-01-{ord(record) - 96:02d} 00:00:00+00" for record in records]
    return pa.table({"record": list(records), "first_seen": days})


def run(groups: Groups, previous: Identities | None = None) -> Identities:
    return assign_ids(assignment(groups), previous.assignment if previous else NOBODY, seen())


def ids(found: Identities) -> dict[str, str]:
    return {row["record"]: row["customer_id"] for row in found.assignment.to_pylist()}


partitions = st.lists(st.integers(0, 4), min_size=10, max_size=10).map(
    lambda labels: [
        "".join(r for r, label in zip("abcdefghij", labels, strict=True) if label == n) for n in set(labels)
    ]
)


@FEW
@given(groups=partitions, before=partitions)
def test_one_id_a_cluster_and_one_cluster_an_id(groups: Groups, before: Groups) -> None:
    found = ids(run(groups, run(before)))
    assert len({found[group[0]] for group in groups}) == len(groups)
    assert all(found[record] == found[group[0]] for group in groups for record in group)


@FEW
@given(groups=partitions)
def test_a_full_refresh_changes_nothing(groups: Groups) -> None:
    first = run(groups)
    again = run(groups, first)
    assert ids(again) == ids(first)
    assert again.events.num_rows == 0


@FEW
@given(groups=partitions, before=partitions, seed=st.integers())
def test_the_order_of_rows_does_not_matter(groups: Groups, before: Groups, seed: int) -> None:
    previous = run(before)
    rng = random.Random(seed)
    tables = [assignment(groups), previous.assignment, seen()]
    shuffled = [table.take(rng.sample(range(table.num_rows), table.num_rows)) for table in tables]
    assert ids(assign_ids(*shuffled)) == ids(assign_ids(*tables))


@FEW
@given(groups=partitions, before=partitions)
def test_an_id_is_only_given_to_a_cluster_that_holds_one_of_its_records(groups: Groups, before: Groups) -> None:
    previous = run(before)
    old, new = ids(previous), ids(run(groups, previous))
    for group in groups:
        assert new[group[0]] not in old.values() or new[group[0]] in {old[record] for record in group}


@FEW
@given(groups=partitions, before=partitions)
def test_every_record_that_changed_customer_is_in_an_event(groups: Groups, before: Groups) -> None:
    previous = run(before)
    found = run(groups, previous)
    old, new = ids(previous), ids(found)
    moved = sum(old[record] != new[record] for record in old)
    assert sum(row["records"] for row in found.events.to_pylist()) == moved


def test_ids_follow_from_the_records_alone() -> None:
    assert ids(run(["ab", "c"])) == ids(run(["c", "ab"]))


def test_in_a_merge_the_elder_stays() -> None:
    before = run(["ab", "cde"])
    after = run(["abcde"], before)
    assert ids(after)["e"] == ids(before)["a"]
    assert after.events.to_pylist() == [
        {"event": "merged", "from_customer_id": ids(before)["c"], "to_customer_id": ids(before)["a"], "records": 3}
    ]


def test_in_a_split_the_id_stays_with_most_records() -> None:
    before = run(["abcde"])
    after = run(["ab", "cde"], before)
    assert ids(after)["c"] == ids(before)["a"]
    assert ids(after)["a"] not in ids(before).values()
    assert [(row["event"], row["records"]) for row in after.events.to_pylist()] == [("split", 2)]


def test_in_an_even_split_the_id_stays_with_the_eldest_record() -> None:
    before = run(["abcd"])
    assert ids(run(["ab", "cd"], before))["b"] == ids(before)["a"]


def test_a_customer_who_loses_one_cluster_to_an_elder_keeps_another() -> None:
    before = run(["ab", "cdef"])
    after = ids(run(["abcde", "f"], before))
    assert after["e"] == ids(before)["a"]
    assert after["f"] == ids(before)["c"]


def test_a_split_undone_gives_the_id_back() -> None:
    before = run(["abc"])
    assert ids(run(["abc"], run(["ab", "c"], before))) == ids(before)


def test_a_new_record_joins_the_customer_it_belongs_to() -> None:
    before = run(["bc"])
    assert set(ids(run(["abc"], before)).values()) == set(ids(before).values())


def test_a_record_seen_for_the_first_time_without_a_date_is_the_youngest() -> None:
    undated = assign_ids(assignment(["az"]), NOBODY, seen("a"))
    assert ids(undated)["z"] == ids(run(["a"]))["a"]
