"""Records to people: connected components, and where one holds a contradiction, its strongest evidence first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from snello.identity.contradictions import Group
from snello.identity.profiles import Ints, Profiles, positions
from snello.errors import ContractError

__all__ = ["Clusters", "cluster"]


@dataclass(frozen=True)
class Clusters:
    """Who is one person.

    - ``assignment``: ``record, cluster``, one row a record; a cluster is named by its first record in text order
    - ``cuts``: ``left, right, strength, rule, reason``, one row an edge that would have joined a contradiction
    """

    assignment: pa.Table
    cuts: pa.Table


def cluster(records: Iterable[str] | pa.Array | pa.ChunkedArray, edges: pa.Table, marks: pa.Table) -> Clusters:
    """Join records along edges, the strongest first, and never two records whose marks contradict each other.

    - ``edges``: ``left, right, strength, rule``; a greater strength is stronger evidence
    - ``marks``: ``record, kind, value`` with kind ``tax_code``, ``birth_date``, ``sex`` or ``name`` (``given|family``)
    - the answer does not depend on the order of rows, nor on which end of an edge is ``left``

    Raises ``ContractError`` when an edge or mark names no record, a kind is unknown or a strength is missing.
    """
    names = _sorted_distinct(records)
    left, right = positions(names, edges["left"], edges["right"])
    if edges["strength"].null_count:
        raise ContractError("identity edges", "an edge has no strength", "give each rule a number")
    labels = _components(left, right, len(names))
    profiles = Profiles.of(marks, names)
    suspect = profiles.suspects(labels, int(labels.max(initial=-1)) + 1)
    inside = np.flatnonzero(suspect[labels[left]] & (left != right))
    order = inside[_strongest_first(edges, inside, left, right)]
    refused = _rebuild(order, left, right, profiles)
    if refused:
        kept = np.ones(len(left), bool)
        kept[list(refused)] = False
        labels = _components(left[kept], right[kept], len(names))
    first = np.full(int(labels.max(initial=-1)) + 1, len(names))
    np.minimum.at(first, labels, np.arange(len(names)))
    cuts = edges.select(["left", "right", "strength", "rule"]).take(pa.array(list(refused), pa.int64()))
    return Clusters(
        pa.table({"record": names, "cluster": names.take(pa.array(first[labels]))}),
        cuts.append_column("reason", pa.array(list(refused.values()), pa.string())),
    )


def _sorted_distinct(records: Iterable[str] | pa.Array | pa.ChunkedArray) -> pa.Array:
    given = records if isinstance(records, pa.Array | pa.ChunkedArray) else pa.array(list(records), pa.string())
    distinct = pc.unique(given.cast(pa.string()))
    return distinct.take(pc.sort_indices(distinct))


def _components(left: Ints, right: Ints, count: int) -> Ints:
    # Not a small integer type: an edge listed 256 times would add up to none.
    joined = coo_array((np.ones(len(left)), (left, right)), shape=(count, count))
    return np.asarray(connected_components(joined, directed=False)[1], np.int64)


def _strongest_first(edges: pa.Table, inside: Ints, left: Ints, right: Ints) -> Ints:
    """The order in which evidence is taken; ties are settled by rule and by the records' names."""
    taken = edges.select(["strength", "rule"]).take(pa.array(inside))
    rules = taken["rule"].cast(pa.string()).combine_chunks().fill_null("").dictionary_encode()
    rank = np.argsort(np.argsort(np.array(rules.dictionary.to_pylist(), dtype=object)))
    ends = np.sort(np.stack([left[inside], right[inside]]), axis=0)
    strength = taken["strength"].cast(pa.float64()).to_numpy()
    rule = rank[rules.indices.to_numpy()] if len(inside) else np.array([], np.int64)
    return np.asarray(np.lexsort((ends[1], ends[0], rule, -strength)), np.int64)


def _rebuild(order: Ints, left: Ints, right: Ints, profiles: Profiles) -> dict[int, str]:
    """Edges refused, with the reason, in the order of their strength."""
    parent: dict[int, int] = {}
    groups: dict[int, Group] = {}
    refused: dict[int, str] = {}

    def root(record: int) -> int:
        if record not in parent:
            parent[record] = record
            groups[record] = Group(profiles.at(record))
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    for edge in order.tolist():
        one, other = root(int(left[edge])), root(int(right[edge]))
        if one == other:
            continue
        reason = groups[one].contradicts(groups[other])
        if reason:
            refused[edge] = reason
            continue
        if len(groups[one].plain) + len(groups[one].coded) < len(groups[other].plain) + len(groups[other].coded):
            one, other = other, one
        parent[other] = one
        groups[one].absorb(groups.pop(other))
    return refused
