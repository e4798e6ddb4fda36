"""The marks of every record by kind, and the components that could hold a contradiction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snello.errors import ContractError, choices
from snello.identity.arrays import Bools, Ints, Narrow, coded
from snello.identity.contradictions import KINDS, Contradictions


def sorted_names(records: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The distinct records in order: as text, or as they are where they are numbered from 0 up already."""
    if pa.types.is_integer(records.type):
        return pa.array(np.arange(len(records)), records.type)
    distinct = pc.unique(records.cast(pa.string()))
    return distinct.take(pc.sort_indices(distinct))


def positions(names: pa.Array, *columns: pa.ChunkedArray) -> list[Ints]:
    """Where the values of each column stand among the sorted names; raises ``ContractError`` for strangers.

    Numbers stay as wide, or as narrow, as the names are.
    """
    if pa.types.is_integer(names.type):
        ends = [column.cast(names.type) for column in columns]
        strangers = sum(len(end) - (pc.sum(pc.less(end, len(names))).as_py() or 0) for end in ends)
        places = [end.to_numpy() for end in ends]
    else:
        # One search for all of them: most of its time goes into hashing the names.
        every = [chunk.cast(pa.string()) for column in columns for chunk in column.chunks]
        found = pc.index_in(pa.chunked_array(every, pa.string()), value_set=names)
        strangers = found.null_count
        known = np.asarray(found.fill_null(-1).to_numpy(), np.int64)
        places = np.split(known, np.cumsum([len(column) for column in columns])[:-1])
    if strangers:
        what = f"{strangers:,} ends of edges or marks name no record"
        raise ContractError("identity", what, "pass every record that the edges and marks speak of")
    return places


@dataclass(frozen=True)
class Marks:
    """One value a record and kind: ``numbers[kind][record]`` points into ``values[kind]``; -1 for none."""

    numbers: dict[str, Narrow]
    values: dict[str, pa.Array]
    contradictions: Contradictions

    @classmethod
    def read(cls, marks: pa.Table, names: pa.Array, contradictions: Contradictions) -> Marks:
        """From ``record, kind, value``; of several values of one kind on a record, the first in text order."""
        given, told = coded(marks["kind"])
        numbered = {kind: number for number, kind in enumerate(told.to_pylist())}
        kinds = (*KINDS, *contradictions.others)
        for kind in pc.unique(marks["kind"]).to_pylist():
            if kind not in kinds:
                what = f"unknown kind {kind!r}; {choices(str(kind), kinds)}"
                raise ContractError("identity marks", what, "mend the model that lists the marks")
        numbers, values = {}, dict[str, pa.Array]()
        [records] = positions(names, marks["record"])
        for kind in kinds:
            chosen = np.flatnonzero(given == numbered.get(kind, len(told)))
            codes, values[kind] = coded(marks["value"].take(pa.array(chosen)))
            known = codes >= 0
            numbers[kind] = _one_each(records[chosen][known], codes[known], values[kind], len(names))
        return cls(numbers, values, contradictions)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Every kind of mark."""
        return tuple(self.numbers)

    def of(self, kind: str, records: Ints) -> tuple[Ints, list[str | None]]:
        """The values of some records: a number for each, and what the numbers stand for."""
        distinct, index = np.unique(self.numbers[kind][records], return_inverse=True)
        nothing = int(len(distinct) > 0 and distinct[0] < 0)
        return index - nothing, self.values[kind].take(pa.array(distinct[nothing:])).to_pylist()

    def varied(self, labels: Ints) -> Bools:
        """For each component, whether its marks differ at all: those of the others cannot contradict each other."""
        count = int(labels.max(initial=-1)) + 1
        found = np.zeros(count, bool)
        contradictions, says = self.contradictions, self.contradictions.says
        telling = {
            "tax_code": says("tax_code", "differ"),
            "birth_date": contradictions.dates,
            "sex": contradictions.sexes,
            "name": says("name", "unlike"),
        }
        for kind in self.kinds:
            found |= _several(labels, self.numbers[kind], count) if telling.get(kind, True) else False
        if says("tax_code", "decoded") and (contradictions.dates or contradictions.sexes):
            taxed = self.numbers["tax_code"] >= 0
            plain = ~taxed & ((self.numbers["birth_date"] >= 0) | (self.numbers["sex"] >= 0))
            found |= _several(labels, self.numbers["tax_code"], count)
            found |= _any(labels, taxed, count) & _any(labels, plain, count)
        return found


def _one_each(records: Ints, codes: Narrow, values: pa.Array, count: int) -> Narrow:
    if len(records) and np.bincount(records).max() > 1:
        rank = np.empty(len(values), np.int64)
        rank[pc.sort_indices(values).to_numpy()] = np.arange(len(values))
        order = np.argsort(-rank[codes], kind="stable")
        records, codes = records[order], codes[order]
    found = np.full(count, -1, np.int32)
    found[records] = codes
    return found


def _any(labels: Ints, which: Bools, count: int) -> Bools:
    found = np.zeros(count, bool)
    found[labels[which]] = True
    return found


def _several(labels: Ints, numbers: Narrow, count: int) -> Bools:
    """Which components have two different known values."""
    known = np.flatnonzero(numbers >= 0)
    where, said = labels[known], numbers[known]
    one = np.zeros(count, np.int64)
    one[where] = said
    return _any(where, said != one[where], count)
