"""Under one roof: two groups who each have an e-mail and a mobile of their own are not joined by the home alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snello.identity.arrays import Bools, Ints, distinct, places, runs
from snello.identity.marks import positions

OWN = ("email", "mobile")


@dataclass(frozen=True)
class Contacts:
    """What each record, later each group, is reached by: for each kind rows of owner and value, sorted by owner."""

    rows: tuple[tuple[Ints, Ints], ...]
    width: int

    @classmethod
    def read(cls, contacts: pa.Table | None, names: pa.Array) -> Contacts:
        """From ``record, kind, value`` with the kinds ``email`` and ``mobile``; others say nothing here."""
        if contacts is None:
            return cls(tuple((np.array([], np.int64),) * 2 for _ in OWN), 1)
        values = contacts["value"].combine_chunks().cast(pa.string()).dictionary_encode()
        codes = values.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        [records] = positions(names, contacts["record"])
        kinds = [np.flatnonzero(pc.equal(contacts["kind"], kind).to_numpy()) for kind in OWN]
        return cls(tuple((records[kind], codes[kind]) for kind in kinds), len(values.dictionary) + 1)

    def of(self, local: Ints) -> Contacts:
        """The rows of some records, under other numbers; -1 leaves a record out."""
        kept = [np.flatnonzero(local[owner] >= 0) for owner, _ in self.rows]
        rows = ((local[owner[at]], value[at]) for (owner, value), at in zip(self.rows, kept, strict=True))
        return Contacts(tuple(rows), self.width)._sorted()

    def relabel(self, group_of: Ints, live: Bools) -> Contacts:
        """Take the new group of each old one, and forget the groups that are settled."""
        kept = [np.flatnonzero(live[owner]) for owner, _ in self.rows]
        rows = ((group_of[owner[at]], value[at]) for (owner, value), at in zip(self.rows, kept, strict=True))
        return Contacts(tuple(rows), self.width)._sorted()

    def _sorted(self) -> Contacts:
        keys = [distinct(owner * self.width + value) for owner, value in self.rows]
        return Contacts(tuple((key // self.width, key % self.width) for key in keys), self.width)

    def strangers(self, one: Ints, other: Ints) -> Bools:
        """For each pair of groups, whether both have contacts of every kind and share none."""
        found = np.ones(len(one), bool)
        for owner, value in self.rows:
            starts, ends = np.searchsorted(owner, one, "left"), np.searchsorted(owner, one, "right")
            which, at = runs(starts, ends - starts)
            has = (ends > starts) & (places(other, distinct(owner)) >= 0)
            shared = places(other[which] * self.width + value[at], owner * self.width + value) >= 0
            has[which[shared]] = False
            found &= has
        return found

    def several(self, labels: Ints, count: int) -> Bools:
        """Which components have two contacts of every kind."""
        found = np.ones(count, bool)
        for owner, value in self.rows:
            where = labels[owner]
            one = np.zeros(count, np.int64)
            one[where] = value
            two = np.zeros(count, bool)
            two[where[value != one[where]]] = True
            found &= two
        return found
