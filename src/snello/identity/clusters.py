"""Records to people: connected components, rebuilt from their strongest evidence where they hold a contradiction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snello.identity.arrays import Bools, Ints, components, firsts
from snello.identity.conflicts import conflicted
from snello.identity.contradictions import ITALIAN, Contradictions
from snello.identity.evidence import Evidence, read_evidence, steps
from snello.identity.marks import Marks, positions, sorted_names
from snello.identity.profiles import Profiles
from snello.identity.rebuild import Against, Pairs, Rebuild
from snello.identity.strangers import Contacts

__all__ = ["Clusters", "cluster"]

MARGIN = 2.0
# What reads a table when its turn comes holds it no longer than that.
Rows: TypeAlias = "pa.Table | Callable[[], pa.Table]"


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
    edges: Rows,
    marks: Rows,
    *,
    apart: pa.Table | None = None,
    contacts: Rows | None = None,
    contradictions: Contradictions = ITALIAN,
    margin: float = MARGIN,
) -> Clusters:
    """Join records along edges, and never two that contradict each other, whatever the chain.

    - ``records``: names, or whole numbers from 0 up without a gap; edges, marks and the answer speak of them likewise
    - ``edges``: ``left, right, strength, rule`` and, if known, ``identifier_kind``; strengths from 0 to 1 are added up
      over kinds (else rules) as if independent, 1 is a person's decision
    - ``marks``: ``record, kind, value`` with the kinds that ``contradictions`` speaks of; names are ``given|family``
    - ``apart``: ``left, right``, records that a person has set apart; records that are gone are passed over
    - ``contacts``: ``record, kind, value`` with the kinds of ``snello.identity.strangers``: what speaks against weak
      evidence, and records whose code is ``doubted``
    - ``margin``: evidence is clearly ahead of a rival's when it leaves this many times less doubt; a group that could
      be either of two that contradict each other joins neither
    - the answer does not depend on the order of rows, nor on which end of an edge is ``left``

    Raises ``ContractError`` when an edge or mark names no record, a kind is unknown or a strength is not from 0 to 1.
    """
    given = records if isinstance(records, pa.Array | pa.ChunkedArray) else pa.array(list(records), pa.string())
    names = sorted_names(given)
    (left, right), evidence, said = _read_edges(names, edges, contradictions)
    reached = Contacts.read(_table(contacts), names)
    marked = Marks.read(_table(marks), names, contradictions)
    seen = _Given((left, right), evidence, marked, (_known_pairs(names, apart), reached))
    component = components(left, right, len(names))
    people, cut, reasons = seen.rebuilt(component, steps(margin))
    assignment = {"record": names, "cluster": _named(names, people), "component": _named(names, component)}
    ends = {side: names.take(pa.array(end[cut])) for side, end in (("left", left), ("right", right))}
    told = {name: said[name].take(pa.array(cut, pa.int64())) for name in said.column_names}
    return Clusters(pa.table(assignment), pa.table({**ends, **told, "reason": pa.array(reasons, pa.string())}))


def _table(rows: Rows | None) -> pa.Table:
    return rows() if callable(rows) else rows


def _read_edges(names: pa.Array, rows: Rows, contradictions: Contradictions) -> tuple[Pairs, Evidence, pa.Table]:
    """The ends of each edge, what it says, and of its columns what a refused one is told by."""
    edges = _table(rows)
    left, right = positions(names, edges["left"], edges["right"])
    return (left, right), read_evidence(edges, contradictions.weak), edges.select(["strength", "rule"])


@dataclass(frozen=True)
class _Given:
    """Edges by their ends, what they say, and what speaks against them; records are places among the sorted names."""

    ends: Pairs
    evidence: Evidence
    marks: Marks
    against: Against

    def rebuilt(self, component: Ints, ahead: int) -> tuple[Ints, Ints, list[str]]:
        """The label of each record's cluster; the edges that are cut, and why."""
        doubtful = self._doubtful(component)
        asked = np.flatnonzero((doubtful | self.marks.varied(component))[component])
        profiles = Profiles.of(self.marks, asked)
        doubtful[component[asked[conflicted(component[asked], profiles.index, profiles)]]] = True
        if not doubtful.any():
            return component, np.array([], np.int64), []
        (one, other), contacts = self.against
        inside = np.flatnonzero(doubtful[component])
        local = np.full(len(component), -1)
        local[inside] = np.arange(len(inside))
        edge = np.flatnonzero(local[self.ends[0]] >= 0)
        pair = np.flatnonzero(component[one] == component[other])
        rebuild = Rebuild(
            np.unique(component[inside], return_inverse=True)[1],
            (local[self.ends[0][edge]], local[self.ends[1][edge]]),
            self.evidence.at(edge),
            profiles.among(np.searchsorted(asked, inside)),
            ((local[one[pair]], local[other[pair]]), contacts.of(local)),
        )
        rebuild.run(ahead)
        people = component + len(component)
        people[inside] = rebuild.group
        return np.unique(people, return_inverse=True)[1], edge[np.flatnonzero(rebuild.reason)], rebuild.reasons()

    def _doubtful(self, component: Ints) -> Bools:
        """For each component, whether something in it may have to stay apart though no marks differ."""
        (one, other), contacts = self.against
        found = np.zeros(int(component.max(initial=-1)) + 1, bool)
        found[component[self.ends[0][self.evidence.weak]]] = True
        found &= contacts.several(component, len(found))
        found[component[one[component[one] == component[other]]]] = True
        return found


def _named(names: pa.Array, labels: Ints) -> pa.Array:
    return names.take(pa.array(firsts(labels)[labels]))


def _known_pairs(names: pa.Array, apart: pa.Table | None) -> Pairs:
    if apart is None or not apart.num_rows:
        return np.array([], np.int64), np.array([], np.int64)
    left, right = (
        pc.index_in(apart[side].cast(names.type), value_set=names).fill_null(-1).to_numpy().astype(np.int64)
        for side in ("left", "right")
    )
    known = (left >= 0) & (right >= 0) & (left != right)
    return left[known], right[known]
