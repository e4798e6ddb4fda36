"""How strong the evidence between two groups of records is: what is said twice counts once, what differs adds up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from snello.errors import ContractError
from snello.identity.arrays import Bools, Ints, Narrow, coded

_UNIT = 1024  # of a bit: whole numbers add up to the same in any order
STEPS = 4  # in a bit: evidence within a quarter of a bit is one level
_MOST = 10 * _UNIT  # of one kind of evidence, but for a person's decision
_CERTAIN = 1000 * _UNIT


@dataclass(frozen=True)
class Evidence:
    """What each edge says: its weight in parts of a bit, the number of its kind, whether it is weak alone.

    ``homonym``: whether it is weak because strangers may share it, not because a home may.
    """

    weight: Narrow
    kind: Narrow
    weak: Bools
    homonym: Bools

    def at(self, chosen: Ints) -> Evidence:
        """Some of the edges, as numbers wide enough to reckon with."""
        weight, kind = (column[chosen].astype(np.int64) for column in (self.weight, self.kind))
        return Evidence(weight, kind, self.weak[chosen], self.homonym[chosen])


def read_evidence(edges: pa.Table, weak: Mapping[str, str]) -> Evidence:
    """The evidence of each edge; ``weak`` names the kinds that are, and those that strangers share as ``homonym``.

    The kind is the identifier when ``edges`` has ``identifier_kind``, else the rule. Raises ``ContractError`` when
    a strength is missing or not from 0 to 1.
    """
    strength = edges["strength"].cast(pa.float64())
    if strength.null_count:
        raise ContractError("identity edges", "an edge has no strength", "give each rule a number")
    # Part by part: on the way to its weight each strength is several numbers.
    weight = np.concatenate([np.array([], np.int32), *(_weights(part.to_numpy()) for part in strength.chunks)])
    kinds = edges["identifier_kind" if "identifier_kind" in edges.column_names else "rule"]
    codes, said = coded(kinds)
    texts = [*said.to_pylist(), ""]
    rank = np.argsort(np.argsort(np.array(texts, dtype=object))).astype(np.int16)
    # who shares a home shares its address and its line: said twice
    alone = np.array([text in weak for text in texts], bool)
    strangers = np.array([weak.get(text) == "homonym" for text in texts], bool)
    home = alone & ~strangers
    rank[home] = rank[home].min(initial=len(texts))
    return Evidence(weight, rank[codes], alone[codes], strangers[codes])


def _weights(given: npt.NDArray[np.float64]) -> Narrow:
    if not ((given >= 0) & (given <= 1)).all():
        raise ContractError("identity edges", "a strength is not from 0 to 1", "mend the strength of the rule")
    bits = np.minimum(-np.log2(np.maximum(1 - given, 2.0**-12)) * _UNIT, _MOST)
    return np.where(given == 1, _CERTAIN, np.rint(bits)).astype(np.int32)


def steps(margin: float) -> int:
    """How many levels evidence must be ahead to leave ``margin`` times less doubt."""
    return round(math.log2(margin) * STEPS)


@dataclass(frozen=True)
class Links:
    """The evidence between pairs of groups, ``low < high``, and the links that each edge is part of.

    ``level`` is the evidence in quarters of a bit; ``open``: whether the link may join its ends; ``firm``: whether any
    of its edges is more than weak, or a home and what strangers share speak together: no namesake of a home is born on
    the same day, no homonym of a day lives there.
    """

    low: Ints
    high: Ints
    level: Ints
    open: Bools
    firm: Bools
    of_edge: Ints

    @classmethod
    def between(cls, one: Ints, other: Ints, evidence: Evidence, stuck: Bools) -> Links:
        """Add up edges between groups: the strongest of each kind of evidence."""
        width = int(max(one.max(initial=0), other.max(initial=0))) + 1
        keys = np.minimum(one, other) * width + np.maximum(one, other)
        order = np.lexsort((-evidence.weight, evidence.kind, keys))
        sorted_keys, sorted_kinds = keys[order], evidence.kind[order]
        new_key = np.diff(sorted_keys, prepend=-1) != 0
        strongest = new_key | (np.diff(sorted_kinds, prepend=-1) != 0)
        starts = np.flatnonzero(new_key)
        total = np.add.reduceat(np.where(strongest, evidence.weight[order], 0), starts) if len(starts) else starts
        of_edge = np.empty(len(keys), np.int64)
        of_edge[order] = np.cumsum(new_key) - 1
        open_, firm = np.zeros(len(starts), bool), np.zeros(len(starts), bool)
        open_[of_edge[~stuck]] = True
        firm[of_edge[~evidence.weak]] = True
        home, homonym = np.zeros(len(starts), bool), np.zeros(len(starts), bool)
        home[of_edge[evidence.weak & ~evidence.homonym]] = True
        homonym[of_edge[evidence.homonym]] = True
        firm |= home & homonym
        found = sorted_keys[starts]
        return cls(found // width, found % width, total * STEPS // _UNIT, open_, firm, of_edge)

    def where(self, kept: Bools) -> Links:
        """Some of the links; ``of_edge`` is -1 for edges of the others."""
        number = np.where(kept, np.cumsum(kept) - 1, -1)
        return Links(
            self.low[kept], self.high[kept], self.level[kept], self.open[kept], self.firm[kept], number[self.of_edge]
        )
