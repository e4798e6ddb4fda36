"""The marks of every record in columns, and the search for components whose marks disagree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from snello.identity.contradictions import KINDS, Profile, consistent, profile
from snello.errors import ContractError, choices
from snello.identifiers.agreement import plain_name

Ints = npt.NDArray[np.int64]
_FEW = 40  # with more distinct profiles in a component, rebuilding is cheaper than comparing them pairwise


def positions(names: pa.Array, *columns: pa.ChunkedArray) -> list[Ints]:
    """Where the values of each column stand among the records' names; raises ``ContractError`` for strangers."""
    # One search for all of them: most of its time goes into hashing the names.
    every = pa.chunked_array([chunk.cast(pa.string()) for column in columns for chunk in column.chunks], pa.string())
    found = pc.index_in(every, value_set=names)
    if found.null_count:
        what = f"{found.null_count:,} ends of edges or marks name no record"
        raise ContractError("identity", what, "pass every record that the edges and marks speak of")
    ends = np.cumsum([len(column) for column in columns])[:-1]
    return np.split(np.asarray(found.to_numpy(), np.int64), ends)


@dataclass(frozen=True)
class Profiles:
    """One profile a record: ``index[record]`` points into ``distinct``."""

    index: Ints
    distinct: list[Profile]

    @classmethod
    def of(cls, marks: pa.Table, names: pa.Array) -> Profiles:
        """From ``record, kind, value``; of several values of one kind on a record, the first in text order."""
        kinds = marks["kind"].cast(pa.string())
        for kind in pc.unique(kinds).to_pylist():
            if kind not in KINDS:
                what = f"unknown kind {kind!r}; {choices(str(kind), KINDS)}"
                raise ContractError("identity marks", what, "mend the model that lists the marks")
        index, raw = np.zeros(len(names), np.int64), [Profile()]
        [records] = positions(names, marks["record"])
        for kind in KINDS:
            chosen = np.flatnonzero(pc.equal(kinds, kind).to_numpy())
            given = marks["value"].cast(pa.string()).take(pa.array(chosen)).combine_chunks()
            codes, values = _coded(given, plain_name if kind == "name" else str, records[chosen], len(names))
            index, raw = _combined(index, raw, codes, kind, values)
        return cls(index, [profile(*one) for one in raw])

    def at(self, record: int) -> Profile:
        """The profile of one record."""
        return self.distinct[int(self.index[record])]

    def suspects(self, labels: Ints, count: int) -> npt.NDArray[np.bool_]:
        """For each of ``count`` components, whether two of its records contradict each other, or may."""
        found = np.zeros(count, bool)
        varied = np.zeros(count, bool)
        for position, kind in enumerate(KINDS):
            codes = _codes([_bare(one[position], kind) for one in self.distinct])[self.index]
            several = _several(labels, codes, count)
            found |= several if kind == "tax_code" else False
            varied |= several
        members = np.flatnonzero((varied & ~found)[labels])
        members = members[np.argsort(labels[members], kind="stable")]
        edges = np.flatnonzero(np.diff(labels[members])) + 1
        for group in np.split(members, edges) if len(members) else ():
            profiles = {self.distinct[i] for i in np.unique(self.index[group])}
            found[labels[group[0]]] = len(profiles) > _FEW or not consistent(profiles)
        return found


def _bare(value: str | None, kind: str) -> str | None:
    """Names in any order of their words are one value: they cannot contradict each other."""
    return " ".join(sorted(value.replace("|", " ").split())) if value and kind == "name" else value


def _coded(given: pa.Array, plain: Callable[[str], str | None], records: Ints, count: int) -> tuple[Ints, list[str]]:
    """The value of one kind for each of ``count`` records, as a number into the values in text order; -1 for none."""
    values = given.dictionary_encode()
    made = [None if value is None else plain(value) for value in values.dictionary.to_pylist()]
    distinct = sorted({value for value in made if value})
    rank = {value: number for number, value in enumerate(distinct)}
    nothing = len(distinct)
    lookup = np.array([*(rank.get(value or "", nothing) for value in made), nothing], np.int64)
    codes = np.full(count, nothing, np.int64)
    np.minimum.at(codes, records, lookup[values.indices.fill_null(len(made)).to_numpy()])
    return np.where(codes == nothing, -1, codes), distinct


def _combined(index: Ints, raw: list[Profile], codes: Ints, kind: str, values: list[str]) -> tuple[Ints, list[Profile]]:
    """The profiles with one more kind of mark filled in."""
    pairs = index * (len(values) + 1) + codes + 1
    distinct, index = np.unique(pairs, return_inverse=True)
    profiles = [
        raw[pair // (len(values) + 1)]._replace(**{kind: values[code - 1] if code else None})
        for pair in distinct.tolist()
        for code in [pair % (len(values) + 1)]
    ]
    return index.astype(np.int64), profiles


def _codes(values: list[str | None]) -> Ints:
    known: dict[str, int] = {}
    return np.array([-1 if value is None else known.setdefault(value, len(known)) for value in values], np.int64)


def _several(labels: Ints, codes: Ints, count: int) -> npt.NDArray[np.bool_]:
    """Which components have two different known values."""
    known = codes >= 0
    width = int(codes.max(initial=0)) + 1
    distinct = np.unique(labels[known] * width + codes[known])
    return np.bincount(distinct // width, minlength=count) > 1
