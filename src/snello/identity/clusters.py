"""Records to people: connected components, rebuilt from their strongest evidence where they hold a contradiction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snello.identity.arrays import Bools, Ints, components, firsts
from snello.identity.conflicts import conflicted
from snello.identity.contradictions import ITALIAN, Contradictions
from snello.identity.evidence import read_evidence, steps
from snello.identity.marks import Marks, positions
from snello.identity.profiles import Profiles
from snello.identity.rebuild import Pairs, Rebuild
from snello.identity.strangers import Contacts

__all__ = ["Clusters", "cluster"]

MARGIN = 2.0
_CUTS = ("left", "right", "strength", "rule")


@dataclass(frozen=True)
class Clusters:
    """Who is one person.

    - ``assignment``: ``record, cluster, component``, one row a record; a cluster and a component (all that any evidence
      connects, refused or not) are named by their first record in text order
    - ``cuts``: ``left, right, strength, rule, reason``, one row an edge whose ends are not one person
    """

    assignment: pa.Table
    cuts: pa.Table


def cluster(
    records: Iterable[str] | pa.Array | pa.ChunkedArray,
    edges: pa.Table,
    marks: pa.Table,
    *,
    apart: pa.Table | None = None,
    contacts: pa.Table | None = None,
    contradictions: Contradictions = ITALIAN,
    margin: float = MARGIN,
) -> Clusters:
    """Join records along edges, and never two that contradict each other, whatever the chain.

    - ``edges``: ``left, right, strength, rule`` and, if known, ``identifier_kind``; strengths from 0 to 1 are added up
      over kinds (else rules) as if independent, 1 is a person's decision
    - ``marks``: ``record, kind, value`` with the kinds that ``contradictions`` speaks of; names are ``given|family``
    - ``apart``: ``left, right``, records that a person has set apart; records that are gone are passed over
    - ``contacts``: ``record, kind, value`` of kinds ``email`` and ``mobile``, against weak evidence
    - ``margin``: evidence is clearly ahead of a rival's when it leaves this many times less doubt; a group that could
      be either of two that contradict each other joins neither
    - the answer does not depend on the order of rows, nor on which end of an edge is ``left``

    Raises ``ContractError`` when an edge or mark names no record, a kind is unknown or a strength is not from 0 to 1.
    """
    names = _sorted_distinct(records)
    ends = _ends(names, edges)
    evidence = read_evidence(edges, contradictions.weak)
    set_apart = _known_pairs(names, apart)
    component = components(*ends, len(names))
    marked = Marks.read(marks, names, contradictions)
    suspect = _suspects(component, marked, set_apart)
    reached = Contacts.read(contacts if evidence.weak.any() else None, names)
    roofs = np.zeros(len(suspect), bool)
    roofs[component[ends[0][evidence.weak]]] = True
    suspect |= roofs & reached.several(component, len(suspect))
    people, cut, reasons = component, np.array([], np.int64), []
    if suspect.any():
        inside = np.flatnonzero(suspect[component])
        local = np.full(len(names), -1)
        local[inside] = np.arange(len(inside))
        edge = np.flatnonzero(local[ends[0]] >= 0)
        pair = np.flatnonzero(component[set_apart[0]] == component[set_apart[1]])
        rebuilt = Rebuild(
            np.unique(component[inside], return_inverse=True)[1],
            _at(local, ends, edge),
            evidence.at(edge),
            Profiles.of(marked, inside),
            (_at(local, set_apart, pair), reached.of(local)),
        )
        rebuilt.run(steps(margin))
        people = component + len(names)
        people[inside] = rebuilt.group
        people = np.unique(people, return_inverse=True)[1]
        cut, reasons = edge[np.flatnonzero(rebuilt.reason)], rebuilt.reasons()
    assignment = {"record": names, "cluster": _named(names, people), "component": _named(names, component)}
    cuts = edges.select(list(_CUTS)).take(pa.array(cut, pa.int64()))
    return Clusters(pa.table(assignment), cuts.append_column("reason", pa.array(reasons, pa.string())))


def _ends(names: pa.Array, edges: pa.Table) -> Pairs:
    left, right = positions(names, edges["left"], edges["right"])
    return left, right


def _at(local: Ints, pairs: Pairs, chosen: Ints) -> Pairs:
    return local[pairs[0][chosen]], local[pairs[1][chosen]]


def _sorted_distinct(records: Iterable[str] | pa.Array | pa.ChunkedArray) -> pa.Array:
    given = records if isinstance(records, pa.Array | pa.ChunkedArray) else pa.array(list(records), pa.string())
    distinct = pc.unique(given.cast(pa.string()))
    return distinct.take(pc.sort_indices(distinct))


def _named(names: pa.Array, labels: Ints) -> pa.Array:
    return names.take(pa.array(firsts(labels)[labels]))


def _known_pairs(names: pa.Array, apart: pa.Table | None) -> Pairs:
    if apart is None or not apart.num_rows:
        return np.array([], np.int64), np.array([], np.int64)
    left, right = (
        pc.index_in(apart[side].cast(pa.string()), value_set=names).fill_null(-1).to_numpy().astype(np.int64)
        for side in ("left", "right")
    )
    known = (left >= 0) & (right >= 0) & (left != right)
    return left[known], right[known]


def _suspects(component: Ints, marks: Marks, apart: Pairs) -> Bools:
    """For each component, whether two of its records contradict each other, or may."""
    varied = marks.varied(component)
    inside = np.flatnonzero(varied[component])
    profiles = Profiles.of(marks, inside)
    differ = conflicted(component[inside], profiles.index, profiles)
    suspect = np.zeros(len(varied), bool)
    suspect[component[inside[differ]]] = True
    one, other = (component[ends] for ends in apart)
    suspect[one[one == other]] = True
    return suspect
