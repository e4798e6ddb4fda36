"""Ids outlive refreshes, merges and splits."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snello.identity.customer_events import EVENTS, HISTORY
from snello.identity.customer_ids import Identities, assign_ids
from snello.identity.reassigning import reassign_ids

Groups = list[str]
FEW = settings(max_examples=5, deadline=None)  # each example opens databases, for many worlds at once
WORLDS = 20


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


def runs(*days: Groups) -> list[Identities]:
    """One run a day, each remembering all before it."""
    past = HISTORY.empty_table()
    done: list[Identities] = []
    for day, groups in enumerate(days):
        found = assign_ids(assignment(groups), done[-1].assignment if done else NOBODY, seen(), past)
        at = pa.repeat(pa.scalar(day * 86_400_000_000, pa.timestamp("us", "UTC")), found.events.num_rows)
        past = pa.concat_tables([past, found.events.append_column("happened_at", at).select(HISTORY.names)])
        done.append(found)
    return done


def reassigned(groups: Groups, previous: pa.Table, past: pa.Table) -> tuple[list[Any], list[Any]]:
    """Assignment and events where only customers are looked at that are not what they were."""
    with duckdb.connect() as connection:
        clusters = assignment(groups).join(seen().select(["record", "first_seen"]), "record")
        tables = {"clusters": clusters, "previous": previous, "events": past}
        found = reassign_ids(connection, tables).to_arrow_table().to_pylist()
    people = sorted((row["record"], row["customer_id"]) for row in found if row["event"] is None)
    return people, sorted(str([row[name] for name in EVENTS.names]) for row in found if row["event"] is not None)


@pytest.mark.parametrize("seed", range(6))
def test_customers_that_are_what_they_were_need_not_be_looked_at(seed: int) -> None:
    draw = random.Random(seed)
    past, previous = HISTORY.empty_table(), NOBODY
    groups = ["ab", "cd", "ef", "gh", "ij"]
    for day in range(12):
        for _ in range(draw.choice((0, 1, 1, 2))):
            one, other = draw.randrange(len(groups)), draw.randrange(len(groups))
            deed = draw.random()
            if deed < 0.4 and one != other:
                groups[one] += groups[other]
                del groups[other]
            elif deed < 0.8 and len(groups[one]) > 1:
                groups.append(groups[one][1:])
                groups[one] = groups[one][:1]
            else:
                lost = draw.choice("abcdefghij")
                groups = [left for group in groups if (left := group.replace(lost, ""))]
        groups += [record for record in "abcdefghij" if draw.random() < 0.3 and record not in "".join(groups)]
        found = assign_ids(assignment(groups), previous, seen(), past)
        people, events = reassigned(groups, previous, past)
        assert people == sorted((row["record"], row["customer_id"]) for row in found.assignment.to_pylist())
        assert events == sorted(str([row[name] for name in EVENTS.names]) for row in found.events.to_pylist())
        at = pa.repeat(pa.scalar(day * 86_400_000_000, pa.timestamp("us", "UTC")), found.events.num_rows)
        past = pa.concat_tables([past, found.events.append_column("happened_at", at).select(HISTORY.names)])
        past = past.filter(pc.not_equal(past["event"], "birth"))
        previous = found.assignment


def told(found: Identities) -> list[tuple[str, str, str, list[str], list[str]]]:
    """Every event but the births."""
    names = ("event", "customer_id", "from_customer_id", "moved", "stayed")
    return [tuple(row[name] for name in names) for row in found.events.to_pylist() if row["event"] != "birth"]


def coarser(groups: Groups, labels: list[int]) -> Groups:
    """Groups joined that have one label."""
    joined: dict[int, str] = {}
    for group, label in zip(groups, labels, strict=False):
        joined[label] = joined.get(label, "") + group
    return list(joined.values())


def merging(groups: Groups, *steps: list[int], back: list[Groups]) -> list[Groups]:
    """The groups, joined step by step, and what they are again after that."""
    days = [groups]
    for step in steps:
        days.append(coarser(days[-1], step))
    return [*days, *back]


def finer(groups: Groups, labels: list[int]) -> Groups:
    """Groups parted where labels differ."""
    parts: dict[tuple[str, int], str] = {}
    for group in groups:
        for record in group:
            part = (group, labels[ord(record) - 97])
            parts[part] = parts.get(part, "") + record
    return list(parts.values())


def ids(found: Identities) -> dict[str, str]:
    return {row["record"]: row["customer_id"] for row in found.assignment.to_pylist()}


@dataclass
class Day:
    """What one run made of one world."""

    ids: dict[str, str]
    events: list[dict[str, Any]]


def played(*worlds: list[Groups], seed: int | None = None) -> list[list[Day]]:
    """For each world what each of its days brought: worlds that share no record are run together, and change nothing
    for each other. With a seed the rows of every table stand in another order.
    """
    past = HISTORY.empty_table()
    before = NOBODY
    rng = random.Random(seed)
    told: list[list[Day]] = [[] for _ in worlds]
    known = pa.concat_tables([named(seen(), n) for n in range(len(worlds))])
    for day in range(len(worlds[0])):
        today = pa.concat_tables([named(assignment(world[day]), n) for n, world in enumerate(worlds)])
        tables = [today, before, known]
        if seed is not None:
            tables = [
                table.take(pa.array(rng.sample(range(table.num_rows), table.num_rows), pa.int64())) for table in tables
            ]
        found = assign_ids(*tables, past)
        at = pa.repeat(pa.scalar(day * 86_400_000_000, pa.timestamp("us", "UTC")), found.events.num_rows)
        past = pa.concat_tables([past, found.events.append_column("happened_at", at).select(HISTORY.names)])
        before = found.assignment
        whose: dict[str, int] = {}
        for world in told:
            world.append(Day({}, []))
        for row in found.assignment.to_pylist():
            world, record = row["record"].split("-")
            told[int(world)][-1].ids[record] = row["customer_id"]
            whose[row["customer_id"]] = int(world)
        for n, world in enumerate(told):
            whose |= {customer: n for earlier in world for customer in earlier.ids.values()}
        for row in found.events.to_pylist():
            moved = [record.split("-")[1] for record in row["moved"]]
            told[whose[row["customer_id"]]][-1].events.append(row | {"moved": moved})
    return told


def named(table: pa.Table, world: int) -> pa.Table:
    """The records, and clusters, of one world, named so that no other has them."""
    columns = {
        name: pa.array([f"{world}-{value}" for value in table[name].to_pylist()], pa.string())
        if name in ("record", "cluster")
        else table[name]
        for name in table.column_names
    }
    return pa.table(columns)


def many(world: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Worlds enough for one example."""
    return st.lists(world, min_size=WORLDS, max_size=WORLDS)


def histories(least: int, most: int) -> st.SearchStrategy[list[list[Groups]]]:
    """Worlds of as many days each, whose records part and join at random."""
    return st.integers(least, most).flatmap(lambda days: many(st.lists(partitions, min_size=days, max_size=days)))


partitions = st.lists(st.integers(0, 4), min_size=10, max_size=10).map(
    lambda labels: [
        "".join(r for r, label in zip("abcdefghij", labels, strict=True) if label == n) for n in set(labels)
    ]
)


labels = st.lists(st.integers(0, 3), min_size=10, max_size=10)


@FEW
@given(worlds=histories(2, 2))
def test_one_id_a_cluster_and_one_cluster_an_id(worlds: list[list[Groups]]) -> None:
    for (_, groups), (_, after) in zip(worlds, played(*worlds), strict=True):
        assert len({after.ids[group[0]] for group in groups}) == len(groups)
        assert all(after.ids[record] == after.ids[group[0]] for group in groups for record in group)


@FEW
@given(worlds=many(partitions))
def test_a_full_refresh_changes_nothing(worlds: list[Groups]) -> None:
    for first, again in played(*([groups, groups] for groups in worlds)):
        assert again.ids == first.ids
        assert again.events == []


@FEW
@given(worlds=histories(2, 4), seed=st.integers())
def test_the_order_of_rows_does_not_matter(worlds: list[list[Groups]], seed: int) -> None:
    assert played(*worlds, seed=seed) == played(*worlds)


@settings(max_examples=2, deadline=None)
@given(worlds=histories(2, 4))
def test_who_shares_no_record_changes_nothing(worlds: list[list[Groups]]) -> None:
    alone = [runs(*days)[-1].assignment.num_rows for days in worlds[:3]]
    assert [len(days[-1].ids) for days in played(*worlds)[:3]] == alone
    assert played(*worlds)[0] == played(worlds[0])[0]


@FEW
@given(worlds=histories(2, 2))
def test_an_id_is_only_tablesto_a_cluster_that_holds_one_of_its_records(worlds: list[list[Groups]]) -> None:
    for (_, groups), (before, after) in zip(worlds, played(*worlds), strict=True):
        old, new = before.ids, after.ids
        for group in groups:
            assert new[group[0]] not in old.values() or new[group[0]] in {old[record] for record in group}


@FEW
@given(worlds=histories(2, 2))
def test_every_record_that_changed_customer_is_in_an_event(worlds: list[list[Groups]]) -> None:
    for before, after in played(*worlds):
        moved = sorted(record for record in before.ids if before.ids[record] != after.ids[record])
        assert sorted(record for row in after.events for record in row["moved"]) == moved


def test_ids_follow_from_the_records_alone() -> None:
    assert ids(run(["ab", "c"])) == ids(run(["c", "ab"]))


def test_in_a_merge_the_elder_stays() -> None:
    before = run(["ab", "cde"])
    after = run(["abcde"], before)
    assert ids(after)["e"] == ids(before)["a"]
    elder, younger = ids(before)["a"], ids(before)["c"]
    assert told(after) == [("merge", elder, younger, ["c", "d", "e"], ["a", "b"])]


def test_in_a_split_the_id_stays_with_most_records() -> None:
    before = run(["abcde"])
    after = run(["ab", "cde"], before)
    assert ids(after)["c"] == ids(before)["a"]
    assert ids(after)["a"] not in ids(before).values()
    assert told(after) == [("split", ids(after)["a"], ids(before)["a"], ["a", "b"], [])]


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


def test_a_customer_that_loses_its_eldest_record_for_a_day_keeps_its_id_when_it_is_back() -> None:
    before, apart, after = runs(["abcd"], ["a", "bcd"], ["abcd"])
    assert ids(after) == ids(before)
    assert told(after) == [("merge", ids(before)["b"], ids(apart)["a"], ["a"], ["b", "c", "d"])]


def test_a_customer_split_off_long_ago_is_no_elder_than_the_split() -> None:
    days = runs(["abc"], ["a", "bc"], ["a", "bc", "d"], ["ad", "bc"])
    assert ids(days[3])["d"] == ids(days[1])["a"]


def test_a_new_record_joins_the_customer_it_belongs_to() -> None:
    before = run(["bc"])
    assert set(ids(run(["abc"], before)).values()) == set(ids(before).values())


def test_a_record_seen_for_the_first_time_without_a_date_is_the_youngest() -> None:
    undated = assign_ids(assignment(["az"]), NOBODY, seen("a"))
    assert ids(undated)["z"] == ids(run(["a"]))["a"]


@FEW
@given(worlds=many(st.tuples(partitions, labels, labels, labels)))
def test_merges_undone_at_once_give_every_customer_its_id_back(worlds: list[tuple[Any, ...]]) -> None:
    for days in played(*(merging(groups, *three, back=[groups]) for groups, *three in worlds)):
        assert days[-1].ids == days[0].ids


@FEW
@given(worlds=many(st.tuples(partitions, labels, labels)))
def test_merges_undone_one_after_the_other_give_every_customer_its_id_back(worlds: list[tuple[Any, ...]]) -> None:
    for days in played(*(merging(groups, *two, back=[coarser(groups, two[0]), groups]) for groups, *two in worlds)):
        assert days[3].ids == days[1].ids
        assert days[4].ids == days[0].ids


@FEW
@given(worlds=many(st.tuples(partitions, labels, labels)))
def test_splits_undone_at_once_give_every_customer_its_id_back(worlds: list[tuple[Any, ...]]) -> None:
    parted = ((groups, finer(groups, one), two) for groups, one, two in worlds)
    for days in played(*([groups, once, finer(once, two), groups] for groups, once, two in parted)):
        assert days[-1].ids == days[0].ids


@FEW
@given(worlds=histories(1, 5))
def test_a_run_without_change_tells_nothing_whatever_went_before(worlds: list[list[Groups]]) -> None:
    for days in played(*([*days, days[-1]] for days in worlds)):
        assert days[-1].events == []
        assert days[-1].ids == days[-2].ids


@FEW
@given(worlds=histories(1, 5))
def test_the_events_of_all_runs_replayed_tell_who_lives(worlds: list[list[Groups]]) -> None:
    for days in played(*worlds):
        living: set[str] = set()
        for day in days:
            living |= {row["customer_id"] for row in day.events}
            living -= {row["from_customer_id"] for row in day.events if row["event"] == "merge"}
            living -= {row["customer_id"] for row in day.events if row["event"] == "gone"}
            assert living == set(day.ids.values())


@FEW
@given(worlds=many(st.tuples(partitions, st.lists(labels, min_size=1, max_size=3))))
def test_whoever_is_without_a_record_for_some_runs_is_again_who_it_was(worlds: list[tuple[Groups, Any]]) -> None:
    absent = [
        [
            groups,
            *([group for group, label in zip(groups, days, strict=False) if label] for days in (gone * 3)[:3]),
            groups,
        ]
        for groups, gone in worlds
    ]
    for days in played(*absent):
        assert days[-1].ids == days[0].ids
        living: set[str] = set()
        for day in days:
            living |= {row["customer_id"] for row in day.events if row["event"] != "gone"}
            living -= {row["customer_id"] for row in day.events if row["event"] == "gone"}
            assert living == set(day.ids.values())


@FEW
@given(worlds=histories(2, 5))
def test_an_id_only_goes_to_a_cluster_that_holds_a_record_it_ever_had(worlds: list[list[Groups]]) -> None:
    for days in played(*worlds):
        had: dict[str, set[str]] = {}
        for day in days:
            now: dict[str, set[str]] = {}
            for record, customer in day.ids.items():
                now.setdefault(customer, set()).add(record)
            for customer, records in now.items():
                assert customer not in had or had[customer] & records
                had.setdefault(customer, set()).update(records)


def test_an_unmerge_restores_the_younger_and_says_so() -> None:
    before, _, after = runs(["ab", "cde"], ["abcde"], ["ab", "cde"])
    elder, younger = ids(before)["a"], ids(before)["c"]
    assert told(after) == [("restore", younger, elder, ["c", "d", "e"], [])]
    assert after.events["records"].to_pylist() == [3]


def test_the_elder_stays_with_its_own_records_though_most_came_by_the_merge() -> None:
    before, _, after = runs(["a", "bcdef"], ["abcdef"], ["a", "bcdef"])
    assert ids(after) == ids(before)


def test_a_customer_merged_away_twice_comes_back_as_it_last_was() -> None:
    days = runs(["a", "b", "c"], ["a", "bc"], ["abc"], ["a", "bc"])
    assert ids(days[-1])["c"] == ids(days[0])["b"]


def test_a_record_that_came_after_the_merge_goes_with_the_side_it_is_on() -> None:
    days = runs(["ab", "cd"], ["abcdx"], ["ab", "cdx"])
    assert ids(days[-1])["x"] == ids(days[0])["c"]


def test_a_merge_and_its_undoing_can_happen_again() -> None:
    apart, together = ["ab", "cd"], ["abcd"]
    days = runs(apart, together, apart, together, apart)
    assert [ids(day) for day in days[2::2]] == [ids(days[0])] * 2
    assert [row["event"] for day in days for row in day.events.to_pylist()] == [
        "birth", "birth", "merge", "restore", "merge", "restore",
    ]  # fmt: skip


def test_a_customer_whose_records_all_vanish_and_return_has_its_id_again() -> None:
    days = runs(["ab", "cd"], ["ab"], ["ab", "cd"])
    assert ids(days[2]) == ids(days[0])
    assert told(days[1]) == [("gone", ids(days[0])["c"], None, ["c", "d"], [])]
    assert told(days[2]) == [("restore", ids(days[0])["c"], None, [], [])]


def test_a_customer_named_before_its_eldest_record_came_has_its_id_again_after_a_day_without_records() -> None:
    days = runs(["bc", "d"], ["abc", "d"], ["d"], [], ["abc", "d"], ["abc", "d"])
    assert ids(days[4]) == ids(days[1])
    assert ids(days[4])["a"] == ids(days[0])["b"]
    assert days[5].events.num_rows == 0


def test_a_customer_whose_records_are_partly_merged_and_partly_gone_comes_back_by_either() -> None:
    days = runs(["ab", "cd"], ["abc"], ["abc", "d"])
    younger = ids(days[0])["c"]
    assert [event[:4] for event in told(days[1])] == [
        ("gone", younger, None, ["d"]),
        ("merge", ids(days[0])["a"], younger, ["c"]),
    ]
    assert ids(days[2])["d"] == younger
    assert ids(runs(["ab", "cd"], ["abc"], ["ab", "c"])[2])["c"] == younger


def test_records_of_a_customer_merged_away_that_vanish_and_return_apart_restore_it() -> None:
    days = runs(["ab", "cd"], ["abcd"], ["ab"], ["ab", "cd"])
    assert ids(days[3]) == ids(days[0])
    assert told(days[3]) == [("restore", ids(days[0])["c"], None, [], [])]
