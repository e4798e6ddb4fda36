"""Small graphs of records as tables, and what clustering makes of them as sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from snello.identity.clusters import Clusters, cluster

Edge = tuple[str, str, float, str]
Mark = tuple[str, str, str]
Pair = tuple[str, str]

MARIO, MARIO_HOMOCODY, ANNA = "RSSMRA85T10A562S", "RSSMRA85T10A56NH", "BNCNNA80A41H501R"


def edges_of(edges: Iterable[Edge]) -> pa.Table:
    return _table(edges, {"left": pa.string(), "right": pa.string(), "strength": pa.float64(), "rule": pa.string()})


def marks_of(marks: Iterable[Mark]) -> pa.Table:
    return _table(marks, dict.fromkeys(("record", "kind", "value"), pa.string()))


def pairs_of(pairs: Iterable[Pair]) -> pa.Table:
    return _table(pairs, dict.fromkeys(("left", "right"), pa.string()))


def _table(rows: Iterable[tuple[Any, ...]], columns: dict[str, pa.DataType]) -> pa.Table:
    listed = list(rows)
    return pa.table(
        {name: pa.array([row[i] for row in listed], kind) for i, (name, kind) in enumerate(columns.items())}
    )


def run(
    records: Iterable[str],
    edges: Iterable[Edge],
    marks: Iterable[Mark] = (),
    apart: Iterable[Pair] = (),
    contacts: Iterable[Mark] = (),
    **settings: Any,
) -> Clusters:
    against = {"apart": pairs_of(apart), "contacts": marks_of(contacts)}
    return cluster(list(records), edges_of(edges), marks_of(marks), **against, **settings)


def members(found: Clusters) -> set[frozenset[str]]:
    groups = defaultdict(set)
    for row in found.assignment.to_pylist():
        groups[row["cluster"]].add(row["record"])
    return {frozenset(group) for group in groups.values()}


def cut_edges(found: Clusters) -> set[tuple[str, ...]]:
    return {(*sorted((row["left"], row["right"])), row["rule"]) for row in found.cuts.to_pylist()}


def reasons(found: Clusters) -> list[str]:
    return [row["reason"] for row in found.cuts.to_pylist()]


def union_find(records: Iterable[str], edges: Iterable[Edge]) -> set[frozenset[str]]:
    """Sets in a dictionary, merged one edge after the other."""
    of = {record: {record} for record in records}
    for left, right, *_ in edges:
        if of[left] is not of[right]:
            of[left] |= of[right]
            for record in of[right]:
                of[record] = of[left]
    return {frozenset(group) for group in of.values()}
