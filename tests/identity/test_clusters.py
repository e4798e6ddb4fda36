"""Clusters against a plain union-find and against a slow, plain rebuilding by pairs."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations, pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snello.identity.clusters import Clusters, cluster
from snello.identity.contradictions import Profile, contradiction, profile
from snello.errors import ContractError

Edge = tuple[str, str, float, str]
Mark = tuple[str, str, str]

MARIO, MARIO_HOMOCODY, ANNA = "RSSMRA85T10A562S", "RSSMRA85T10A56NH", "BNCNNA80A41H501R"
RECORDS = [f"crm/customers/{n}" for n in range(9)]
VALUES = {
    "tax_code": [MARIO, MARIO_HOMOCODY, ANNA, "not a code"],
    "birth_date": ["1985-12-10", "1985-10-12", "1985-12-11", "1980-01-01", "1900-01-01", "1955-12-10"],
    "sex": ["M", "F", "?"],
    "name": ["Mario|Rossi", "Rossi|Mario", "M.|Rossi", "Anna|Bianchi", "Anna Maria|Bianchi", "Maria|Bianchi", "|Rossi"],
}


def edges_of(edges: Iterable[Edge]) -> pa.Table:
    rows = list(edges)
    columns = [[row[i] for row in rows] for i in range(4)]
    types = (pa.string(), pa.string(), pa.float64(), pa.string())
    return pa.table(
        [pa.array(c, t) for c, t in zip(columns, types, strict=True)], ["left", "right", "strength", "rule"]
    )


def marks_of(marks: Iterable[Mark]) -> pa.Table:
    rows = list(marks)
    return pa.table(
        {name: pa.array([row[i] for row in rows], pa.string()) for i, name in enumerate(("record", "kind", "value"))}
    )


def run(records: Iterable[str], edges: Iterable[Edge], marks: Iterable[Mark] = ()) -> Clusters:
    return cluster(list(records), edges_of(edges), marks_of(marks))


def members(found: Clusters) -> set[frozenset[str]]:
    groups = defaultdict(set)
    for row in found.assignment.to_pylist():
        groups[row["cluster"]].add(row["record"])
    return {frozenset(group) for group in groups.values()}


def cut_pairs(found: Clusters) -> set[tuple[str, ...]]:
    return {(*sorted((row["left"], row["right"])), row["rule"]) for row in found.cuts.to_pylist()}


def union_find(records: Iterable[str], edges: Iterable[Edge]) -> set[frozenset[str]]:
    """The oracle: sets in a dictionary, merged one edge after the other."""
    of = {record: {record} for record in records}
    for left, right, *_ in edges:
        if of[left] is not of[right]:
            of[left] |= of[right]
            for record in of[right]:
                of[record] = of[left]
    return {frozenset(group) for group in of.values()}


def profiles_of(records: Iterable[str], marks: Iterable[Mark]) -> dict[str, Profile]:
    chosen: dict[str, dict[str, str]] = {record: {} for record in records}
    for record, kind, value in sorted(marks, reverse=True):
        chosen[record][kind] = value
    return {record: profile(**found) for record, found in chosen.items()}


def by_pairs(
    records: Iterable[str], edges: Iterable[Edge], profiles: dict[str, Profile]
) -> tuple[set[frozenset[str]], set[tuple[str, ...]]]:
    """The oracle with contradictions: strongest edge first, every record of one side against every one of the other."""
    of = {record: {record} for record in records}
    cuts = set()
    for left, right, _, rule in sorted(edges, key=lambda e: (-e[2], e[3], *sorted(e[:2]))):
        if of[left] is of[right]:
            continue
        if any(contradiction(profiles[one], profiles[other]) for one in of[left] for other in of[right]):
            cuts.add((*sorted((left, right)), rule))
            continue
        of[left] |= of[right]
        for record in of[right]:
            of[record] = of[left]
    return {frozenset(group) for group in of.values()}, cuts


edges = st.lists(
    st.tuples(
        st.sampled_from(RECORDS),
        st.sampled_from(RECORDS),
        st.sampled_from([1.0, 2.0, 3.0]),
        st.sampled_from(["email", "phone"]),
    ),
    max_size=20,
)
marks = st.lists(
    st.sampled_from(sorted(VALUES)).flatmap(
        lambda kind: st.tuples(st.sampled_from(RECORDS), st.just(kind), st.sampled_from(VALUES[kind]))
    ),
    max_size=14,
    unique_by=lambda mark: mark[:2],
)


@given(edges=edges)
def test_without_contradictions_clusters_are_connected_components(edges: list[Edge]) -> None:
    found = run(RECORDS, edges)
    assert members(found) == union_find(RECORDS, edges)
    assert found.cuts.num_rows == 0


@given(edges=edges, marks=marks)
def test_with_contradictions_clusters_equal_the_slow_way(edges: list[Edge], marks: list[Mark]) -> None:
    found = run(RECORDS, edges, marks)
    expected, cuts = by_pairs(RECORDS, edges, profiles_of(RECORDS, marks))
    assert members(found) == expected
    assert cut_pairs(found) == cuts


@given(edges=edges, marks=marks)
def test_no_two_records_of_a_cluster_contradict_each_other(edges: list[Edge], marks: list[Mark]) -> None:
    profiles = profiles_of(RECORDS, marks)
    for group in members(run(RECORDS, edges, marks)):
        assert [pair for pair in combinations(group, 2) if contradiction(profiles[pair[0]], profiles[pair[1]])] == []


@given(edges=edges, marks=marks)
def test_the_edges_that_are_not_cut_make_the_clusters(edges: list[Edge], marks: list[Mark]) -> None:
    found = run(RECORDS, edges, marks)
    cuts = cut_pairs(found)
    kept = [edge for edge in edges if (*sorted(edge[:2]), edge[3]) not in cuts]
    assert union_find(RECORDS, kept) == members(found)


@given(edges=edges, marks=marks, seed=st.integers())
def test_the_order_of_rows_and_ends_does_not_matter(edges: list[Edge], marks: list[Mark], seed: int) -> None:
    rng = random.Random(seed)
    turned = [(b, a, s, r) if rng.random() < 0.5 else (a, b, s, r) for a, b, s, r in edges]
    found = run(RECORDS, edges, marks)
    again = run(rng.sample(RECORDS, 9), rng.sample(turned, len(turned)), rng.sample(marks, len(marks)))
    assert again.assignment.equals(found.assignment)
    assert cut_pairs(again) == cut_pairs(found)


@given(edges=edges, marks=marks)
def test_a_cluster_is_named_by_its_first_record(edges: list[Edge], marks: list[Mark]) -> None:
    for row in run(RECORDS, edges, marks).assignment.to_pylist():
        assert row["cluster"] <= row["record"]


def chain(length: int) -> tuple[list[str], list[Edge]]:
    records = [f"crm/customers/{n:05d}" for n in range(length)]
    return records, [(a, b, 1.0, "email") for a, b in pairwise(records)]


def test_a_chain_of_ten_thousand_is_one_cluster() -> None:
    records, links = chain(10_000)
    shuffled = random.Random(3).sample(links, len(links))
    assert members(run(records, shuffled)) == {frozenset(records)}


def test_a_chain_of_ten_thousand_breaks_where_its_ends_contradict() -> None:
    records, links = chain(10_000)
    links[6_000] = (*links[6_000][:2], 0.5, "phone")
    shuffled = random.Random(3).sample(links, len(links))
    found = run(records, shuffled, [(records[0], "tax_code", MARIO), (records[-1], "tax_code", ANNA)])
    assert members(found) == {frozenset(records[:6_001]), frozenset(records[6_001:])}
    assert found.cuts.to_pylist() == [
        {
            "left": records[6_000],
            "right": records[6_001],
            "strength": 0.5,
            "rule": "phone",
            "reason": "tax codes differ",
        }
    ]


def test_an_edge_listed_two_hundred_and_fifty_six_times_is_still_an_edge() -> None:
    assert len(members(run(["a", "b"], [("a", "b", 1.0, "email")] * 256))) == 1


def test_a_sparse_record_does_not_bridge_father_and_son() -> None:
    found = run(
        ["father", "son", "sparse"],
        [("father", "sparse", 2.0, "phone"), ("son", "sparse", 1.0, "phone")],
        [("father", "name", "Mario|Rossi"), ("son", "name", "Luca|Rossi"), ("sparse", "name", "|Rossi")],
    )
    assert members(found) == {frozenset({"father", "sparse"}), frozenset({"son"})}
    assert [row["reason"] for row in found.cuts.to_pylist()] == ["given names differ"]


def test_homocody_variants_are_one_code() -> None:
    found = run(["a", "b"], [("a", "b", 1.0, "email")], [("a", "tax_code", MARIO), ("b", "tax_code", MARIO_HOMOCODY)])
    assert members(found) == {frozenset({"a", "b"})}


def test_one_tax_code_outweighs_a_mistyped_birth_date_and_a_nickname() -> None:
    said = [
        ("a", "birth_date", "1985-12-10"),
        ("b", "birth_date", "1958-07-01"),
        ("a", "name", "Mario|Rossi"),
        ("b", "name", "Lallo|"),
    ]
    codes = [(record, "tax_code", MARIO) for record in "ab"]
    link = [("a", "b", 1.0, "tax_code")]
    assert len(members(run("ab", link, said))) == 2
    assert len(members(run("ab", link, said + codes))) == 1


def test_a_missing_tax_code_does_not_make_a_second_person() -> None:
    found = run(
        "ab",
        [("a", "b", 1.0, "email")],
        [("a", "tax_code", MARIO), ("a", "name", "Mario|Rossi"), ("b", "name", "Mario|Rossi")],
    )
    assert members(found) == {frozenset({"a", "b"})}


def test_the_birth_date_in_a_tax_code_contradicts_one_said_elsewhere() -> None:
    found = run("ab", [("a", "b", 1.0, "email")], [("a", "tax_code", MARIO), ("b", "birth_date", "1957-03-02")])
    assert [row["reason"] for row in found.cuts.to_pylist()] == ["birth dates differ"]


def test_different_sexes_are_a_slip_where_the_given_names_agree() -> None:
    sexes = [("a", "sex", "M"), ("b", "sex", "F")]
    names = [("a", "name", "Andrea|Rossi"), ("b", "name", "Andrea|Rossi")]
    link = [("a", "b", 1.0, "email")]
    assert [row["reason"] for row in run("ab", link, sexes).cuts.to_pylist()] == ["sexes differ"]
    assert members(run("ab", link, sexes + names)) == {frozenset({"a", "b"})}


def test_a_hub_that_two_thousand_people_share_stays_with_the_strongest() -> None:
    people = [f"p{n:04d}" for n in range(2_000)]
    births = [(p, "birth_date", f"{1930 + n % 60}-0{1 + n % 7}-{10 + n % 19}") for n, p in enumerate(people)]
    links = [(p, "hub", 1.0 if p != "p0777" else 2.0, "phone") for p in people]
    found = run([*people, "hub"], links, births)
    assert {"hub", "p0777"} <= next(group for group in members(found) if "hub" in group)


def test_nothing_makes_no_clusters() -> None:
    found = run([], [])
    assert (found.assignment.num_rows, found.cuts.num_rows) == (0, 0)


def test_an_edge_to_a_stranger_is_refused() -> None:
    with pytest.raises(ContractError, match="name no record"):
        run(["a"], [("a", "b", 1.0, "email")])


def test_a_mark_of_an_unknown_kind_is_refused_with_the_kinds_there_are() -> None:
    with pytest.raises(ContractError, match="did you mean 'birth_date'"):
        run(["a"], [], [("a", "birthdate", "1985-12-10")])


def test_an_edge_without_strength_is_refused() -> None:
    table = edges_of([("a", "b", 1.0, "email")]).set_column(2, "strength", pa.array([None], pa.float64()))
    with pytest.raises(ContractError, match="no strength"):
        cluster(["a", "b"], table, marks_of([]))
