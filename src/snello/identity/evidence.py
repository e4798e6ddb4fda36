"""How strong the evidence between two groups of records is: what is said twice counts once, what differs adds up."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from snello.errors import ContractError
from snello.identity.arrays import Bools, Ints

_UNIT = 1024  # of a bit: whole numbers add up to the same in any order
STEPS = 4  # in a bit: evidence within a quarter of a bit is one level
_MOST = 10 * _UNIT  # of one kind of evidence, but for a person's decision
_CERTAIN = 1000 * _UNIT


def weights(edges: pa.Table) -> tuple[Ints, Ints]:
    """The weight of each edge, in units of doubt halved, and the number of its kind of evidence.

    The kind is the identifier when ``edges`` has ``identifier_kind``, else the rule. Raises ``ContractError`` when
    a strength is missing or not from 0 to 1.
    """
    strength = edges["strength"].cast(pa.float64()).combine_chunks()
    if strength.null_count:
        raise ContractError("identity edges", "an edge has no strength", "give each rule a number")
    given = strength.to_numpy()
    if not ((given >= 0) & (given <= 1)).all():
        raise ContractError("identity edges", "a strength is not from 0 to 1", "mend the strength of the rule")
    bits = np.minimum(-np.log2(np.maximum(1 - given, 2.0**-12)) * _UNIT, _MOST)
    kinds = edges["identifier_kind" if "identifier_kind" in edges.column_names else "rule"]
    coded = kinds.cast(pa.string()).combine_chunks().fill_null("").dictionary_encode()
    rank = np.argsort(np.argsort(np.array(coded.dictionary.to_pylist(), dtype=object)))
    numbers = rank[coded.indices.to_numpy()] if len(given) else np.array([], np.int64)
    return np.where(given == 1, _CERTAIN, np.rint(bits)).astype(np.int64), numbers.astype(np.int64)


def steps(margin: float) -> int:
    """How many levels evidence must be ahead to leave ``margin`` times less doubt."""
    return round(math.log2(margin) * STEPS)


@dataclass(frozen=True)
class Links:
    """The evidence between pairs of groups, ``low < high``, and the links that each edge is part of.

    ``level`` is the evidence in quarters of a bit; ``open`` is whether any edge of the link may still join.
    """

    low: Ints
    high: Ints
    level: Ints
    open: Bools
    of_edge: Ints

    @classmethod
    def between(cls, one: Ints, other: Ints, kind: Ints, weight: Ints, stuck: Bools) -> Links:
        """Add up edges between groups: the strongest of each kind of evidence."""
        width = int(max(one.max(initial=0), other.max(initial=0))) + 1
        keys = np.minimum(one, other) * width + np.maximum(one, other)
        order = np.lexsort((-weight, kind, keys))
        sorted_keys, sorted_kinds = keys[order], kind[order]
        new_key = np.diff(sorted_keys, prepend=-1) != 0
        strongest = new_key | (np.diff(sorted_kinds, prepend=-1) != 0)
        starts = np.flatnonzero(new_key)
        total = np.add.reduceat(np.where(strongest, weight[order], 0), starts) if len(starts) else starts
        of_edge = np.empty(len(keys), np.int64)
        of_edge[order] = np.cumsum(new_key) - 1
        open_ = np.zeros(len(starts), bool)
        open_[of_edge[~stuck]] = True
        found = sorted_keys[starts]
        return cls(found // width, found % width, total * STEPS // _UNIT, open_, of_edge)

    def where(self, kept: Bools) -> Links:
        """Some of the links; ``of_edge`` is -1 for edges of the others."""
        number = np.where(kept, np.cumsum(kept) - 1, -1)
        return Links(self.low[kept], self.high[kept], self.level[kept], self.open[kept], number[self.of_edge])
