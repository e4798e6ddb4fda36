"""Whole numbers in arrays: what stands for texts, expands runs and finds connected components."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Ints = npt.NDArray[np.int64]
# Of what is only looked up, or widened before it is reckoned with, there are too many to be wide.
Narrow = npt.NDArray[np.integer]
Bools = npt.NDArray[np.bool_]


def components(left: Ints, right: Ints, count: int) -> Ints:
    """The connected component of each of ``count`` nodes, numbered from 0."""
    # Not a small integer type: an edge listed 256 times would add up to none.
    joined = coo_array((np.ones(len(left), np.float32), (left, right)), shape=(count, count))
    return np.asarray(connected_components(joined, directed=False)[1], np.int64)


def coded(column: pa.ChunkedArray) -> tuple[Narrow, pa.Array]:
    """The number of each text (-1 for none), and the distinct texts; a column of a dictionary is not written out."""
    if pa.types.is_dictionary(column.type):
        found = column.unify_dictionaries().combine_chunks()
    else:
        found = column.cast(pa.string()).combine_chunks().dictionary_encode()
    numbers = pc.fill_null(found.indices.cast(pa.int32()), -1)
    return numbers.to_numpy(zero_copy_only=False), found.dictionary


def firsts(labels: Ints) -> Ints:
    """For each label from 0, the first place where it stands."""
    first = np.full(int(labels.max(initial=-1)) + 1, len(labels))
    first[labels[::-1]] = np.arange(len(labels) - 1, -1, -1)
    return first


def distinct(numbers: Ints) -> Ints:
    """The distinct numbers in order; by sorting, which for millions is faster than numpy's own way by hashes."""
    ordered = np.sort(numbers)
    return ordered[np.diff(ordered, prepend=-1) != 0] if len(ordered) else ordered


def runs(starts: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """Runs of places laid end to end: which run each element belongs to, and its place."""
    which = np.repeat(np.arange(len(counts)), counts)
    return which, np.arange(len(which)) + np.repeat(starts - (np.cumsum(counts) - counts), counts)


def places(keys: Ints, sorted_keys: Ints) -> Ints:
    """Where each key stands among sorted distinct keys; -1 for a stranger."""
    if not len(sorted_keys):
        return np.full(len(keys), -1)
    at = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return np.where(sorted_keys[at] == keys, at, -1)
