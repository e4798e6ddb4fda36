"""Clusters against the same rules written down slowly, record by record, over random graphs."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.identity.graphs import (
    ANNA,
    MARIO,
    MARIO_HOMOCODY,
    Edge,
    Mark,
    Pair,
    cut_edges,
    members,
    run,
    union_find,
)

from snello.identifiers import birth_dates_agree
from snello.identity.contact_slips import one_slip
from snello.identity.contradictions import ITALIAN, Contradictions, Profile, contradiction, profile

RECORDS = [f"crm/customers/{n}" for n in range(9)]
VALUES = {
    "tax_code": [MARIO, MARIO_HOMOCODY, ANNA, "not a code", "RSSMRA85T10A562X"],
    "birth_date": ["1985-12-10", "1985-10-12", "1985-12-11", "1980-01-01", "1900-01-01", "1955-12-10"],
    "sex": ["M", "F", "?"],
    "name": ["Mario|Rossi", "Rossi|Mario", "M.|Rossi", "Anna|Bianchi", "Anna Maria|Bianchi", "Maria|Bianchi", "|Rossi"],
}
STRENGTHS = [0.5, 0.85, 0.9, 0.93, 0.95, 0.99, 1.0]
TABLES = [
    ITALIAN,
    Contradictions(),
    Contradictions.of([("birth_date", "exact"), ("sex", "differ")]),
    Contradictions.of([("tax_code", "decoded"), ("birth_date", "slip"), ("name", "unlike")]),
]
Group = frozenset[str]


class Oracle:
    """Groups as sets of names; every question is asked of every two records."""

    def __init__(
        self,
        edges: Iterable[Edge],
        profiles: dict[str, Profile],
        apart: Iterable[Pair],
        table: Contradictions,
        contacts: Iterable[Mark] = (),
    ) -> None:
        self.contacts = set(contacts)
        self.edges, self.profiles, self.table = list(edges), profiles, table
        self.apart = {frozenset(pair) for pair in apart if pair[0] != pair[1]}
        self.stuck: set[Edge] = set()

    def contradict(self, one: Iterable[str], other: Iterable[str]) -> bool:
        return any(
            frozenset((a, b)) in self.apart or contradiction(self.profiles[a], self.profiles[b], self.table)
            for a in one
            for b in other
        )

    def strangers(self, one: Group, other: Group) -> bool:
        """Whether of one kind each says something and they share none: mailboxes, mobiles (but for a slip), years."""

        def told(kind: str, group: Group) -> set[str]:
            return {value for record, said, value in self.contacts if said == kind and record in group}

        asked = [("own_email", "own_email"), ("own_mobile", "own_mobile"), ("mail_year", "year")]
        sides = [(told(said, a), told(heard, b)) for said, heard in asked for a, b in ((one, other), (other, one))]
        return any(
            left and right and not left & right and not any(slips and one_slip(a, b) for a in left for b in right)
            for (left, right), slips in zip(sides, (True, True, True, True, False, False), strict=True)
        )

    def in_doubt(self, group: Group) -> bool:
        """Whether all that it knows of codes and birth dates comes from records with somebody else's code."""
        doubted = {record for record, said, _ in self.contacts if said == "doubted" and record in group}
        sure = [self.profiles[record] for record in group - doubted]
        return bool(doubted) and not any(
            one.tax_code or birth_dates_agree(one.birth_date, one.birth_date) for one in sure
        )

    def rivals(self, rival: Group, far: Group, weak: bool) -> bool:
        """Whether evidence for the one speaks against the other."""
        if any(frozenset((a, b)) in self.apart for a in rival for b in far):
            return True
        if not self.in_doubt(rival) and self.contradict(rival, far):
            return True
        return weak and self.strangers(rival, far)

    def is_weak(self, edges: list[Edge]) -> bool:
        """Whether a home alone, or what strangers share alone, speaks for it."""
        return len({self.table.weak.get(rule, rule) for *_, rule in edges}) == 1 and edges[0][3] in self.table.weak

    def links(self, groups: set[Group]) -> dict[frozenset[Group], tuple[int, list[Edge]]]:
        of = {record: group for group in groups for record in group}
        between = defaultdict(list)
        for edge in self.edges:
            if of[edge[0]] != of[edge[1]]:
                between[frozenset((of[edge[0]], of[edge[1]]))].append(edge)
        found = {}
        for link, edges in between.items():
            if not self.contradict(*link):
                best: dict[str, int] = {}
                for _, _, strength, rule in edges:
                    bits = 1000.0 if strength == 1 else min(-math.log2(1 - strength), 10)
                    ground = "home" if self.table.weak.get(rule) == "weak" else rule
                    best[ground] = max(best.get(ground, 0), round(bits * 1024))
                found[link] = sum(best.values()) * 4 // 1024, edges
        return found

    def chosen(self, links: dict[frozenset[Group], tuple[int, list[Edge]]]) -> list[frozenset[Group]]:
        """The strongest that have no rival and are not stuck."""
        free = {}
        for link, (level, edges) in links.items():
            one, other = link
            weak = self.is_weak(edges)
            rivals = [
                rival
                for end, far in ((one, other), (other, one))
                for rival_link, (strong, _) in links.items()
                if end in rival_link and rival_link != link and strong > level - 4
                for rival in rival_link - {end}
                if self.rivals(rival, far, weak)
            ]
            if not rivals and not (weak and self.strangers(one, other)) and not set(edges) <= self.stuck:
                free[link] = level
        return [link for link, level in free.items() if level == max(free.values())]

    def step(self, groups: set[Group]) -> set[Group]:
        links = self.links(groups)
        chosen = self.chosen(links)
        linked = {group for link in chosen for group in link}
        named = {str(sorted(group)): group for group in linked}
        flat = [(*(str(sorted(end)) for end in link), 0.0, "") for link in chosen]
        joined: list[Edge] = []
        for union in union_find(named, flat):
            parts = [named[name] for name in union]
            ours = [edge for edge in flat if edge[0] in union]
            marked = {
                str(sorted(one)) for one in parts if any(self.contradict(one, two) for two in parts if two != one)
            }
            degree = {name: sum(name in edge[:2] for edge in ours) for name in union}
            safe = [
                edge
                for edge in ours
                if not marked & set(edge[:2])
                or not marked
                or any(end not in marked and degree[end] == 1 for end in edge[:2])
            ]
            joined += safe
            if not safe:
                self.stuck |= {edge for link in chosen if link <= set(parts) for edge in links[link][1]}
        merged = {frozenset().union(*(named[name] for name in union)) for union in union_find(named, joined)}
        return (groups - linked) | merged if chosen else groups

    def clusters(self, records: Iterable[str]) -> set[Group]:
        found = set()
        for whole in union_find(records, self.edges):
            found |= self.of(whole).settled({frozenset([record]) for record in whole})
        return found

    def of(self, whole: Group) -> Oracle:
        part = Oracle([edge for edge in self.edges if edge[0] in whole], self.profiles, (), self.table, self.contacts)
        part.apart = self.apart
        return part

    def settled(self, groups: set[Group]) -> set[Group]:
        while True:
            before, stuck = groups, len(self.stuck)
            groups = self.step(groups)
            if (before, stuck) == (groups, len(self.stuck)):
                return groups


def profiles_of(records: Iterable[str], marks: Iterable[Mark], table: Contradictions) -> dict[str, Profile]:
    chosen: dict[str, dict[str, str]] = {record: {} for record in records}
    for record, kind, value in sorted(marks, reverse=True):
        chosen[record][kind] = value
    return {record: profile(**found, contradictions=table) for record, found in chosen.items()}


ends = st.sampled_from(RECORDS)
edges = st.lists(
    st.tuples(ends, ends, st.sampled_from(STRENGTHS), st.sampled_from(["email", "address", "landline", "name_birth"])),
    max_size=20,
)
marks = st.lists(
    st.sampled_from(sorted(VALUES)).flatmap(
        lambda kind: st.tuples(st.sampled_from(RECORDS), st.just(kind), st.sampled_from(VALUES[kind]))
    ),
    max_size=14,
    unique_by=lambda mark: mark[:2],
)
contacts = st.lists(
    st.tuples(
        st.sampled_from(RECORDS),
        st.sampled_from(["own_email", "own_mobile", "mail_year", "year", "doubted", "other"]),
        st.sampled_from(["333", "334", "452"]),
    ),
    max_size=10,
)
aparts = st.lists(st.tuples(ends, ends), max_size=2)


@settings(max_examples=400)
@given(edges=edges, marks=marks, apart=aparts, contacts=contacts, table=st.sampled_from(TABLES))
def test_clusters_equal_the_slow_way(
    edges: list[Edge], marks: list[Mark], apart: list[Pair], contacts: list[Mark], table: Contradictions
) -> None:
    found = run(RECORDS, edges, marks, apart, contacts, contradictions=table)
    oracle = Oracle(edges, profiles_of(RECORDS, marks, table), apart, table, contacts)
    assert members(found) == oracle.clusters(RECORDS)


@given(edges=edges, marks=marks, apart=aparts)
def test_no_two_records_of_a_cluster_contradict_each_other(
    edges: list[Edge], marks: list[Mark], apart: list[Pair]
) -> None:
    profiles = profiles_of(RECORDS, marks, ITALIAN)
    for group in members(run(RECORDS, edges, marks, apart)):
        assert [pair for pair in combinations(group, 2) if contradiction(profiles[pair[0]], profiles[pair[1]])] == []


@given(edges=edges, marks=marks, apart=aparts)
def test_whom_a_person_set_apart_no_chain_joins(edges: list[Edge], marks: list[Mark], apart: list[Pair]) -> None:
    for group in members(run(RECORDS, edges, marks, apart)):
        assert not [pair for pair in apart if set(pair) <= group and pair[0] != pair[1]]


@given(edges=edges, marks=marks, apart=aparts)
def test_the_edges_that_are_not_cut_make_the_clusters(edges: list[Edge], marks: list[Mark], apart: list[Pair]) -> None:
    found = run(RECORDS, edges, marks, apart)
    cuts = cut_edges(found)
    kept = [edge for edge in edges if (*sorted(edge[:2]), edge[3]) not in cuts]
    assert union_find(RECORDS, kept) == members(found)


@given(edges=edges, marks=marks, apart=aparts, seed=st.integers())
def test_the_order_of_rows_and_ends_does_not_matter(
    edges: list[Edge], marks: list[Mark], apart: list[Pair], seed: int
) -> None:
    rng = random.Random(seed)
    turned = [(b, a, s, r) if rng.random() < 0.5 else (a, b, s, r) for a, b, s, r in edges]
    found = run(RECORDS, edges, marks, apart)
    again = run(
        rng.sample(RECORDS, 9), rng.sample(turned, len(turned)), rng.sample(marks, len(marks)), [p[::-1] for p in apart]
    )
    assert again.assignment.equals(found.assignment)
    assert cut_edges(again) == cut_edges(found)


@given(edges=edges, marks=marks, apart=aparts)
def test_a_record_that_nothing_links_changes_nobody(edges: list[Edge], marks: list[Mark], apart: list[Pair]) -> None:
    stranger = [("crm/customers/4a", kind, values[0]) for kind, values in VALUES.items()]
    before = run(RECORDS, edges, marks, apart)
    after = run([*RECORDS, "crm/customers/4a"], edges, [*marks, *stranger], apart)
    assert members(after) == members(before) | {frozenset({"crm/customers/4a"})}
    assert after.cuts.equals(before.cuts)


@given(edges=edges, marks=marks, link=st.tuples(ends, ends))
def test_a_link_that_is_revoked_leaves_no_trace(edges: list[Edge], marks: list[Mark], link: Pair) -> None:
    before = run(RECORDS, edges, marks)
    linked = [*edges, (*link, 1.0, "decision")]
    run(RECORDS, linked, marks)
    after = run(RECORDS, [edge for edge in linked if edge[3] != "decision"], marks)
    assert (after.assignment, after.cuts) == (before.assignment, before.cuts)


@given(edges=edges, more=edges)
@example(edges=[], more=[("crm/customers/0", "crm/customers/0", 0.5, "email")])
def test_without_contradictions_more_evidence_never_parts_anybody(edges: list[Edge], more: list[Edge]) -> None:
    before, after = members(run(RECORDS, edges)), members(run(RECORDS, edges + more))
    assert after == union_find(RECORDS, edges + more)
    assert all(any(group <= larger for larger in after) for group in before)
