"""Under one roof: two groups who each have a mailbox that bears their name are not joined by the home alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snello.identity.arrays import Bools, Ints, distinct, places, runs
from snello.identity.marks import positions

KINDS = ("own_email",)


@dataclass(frozen=True)
class Contacts:
    """What each record, later each group, is reached by: for each kind rows of owner and value, sorted by owner."""

    rows: tuple[tuple[Ints, Ints], ...]
    width: int

    @classmethod
    def read(cls, contacts: pa.Table | None, names: pa.Array) -> Contacts:
        """From ``record, kind, value`` with the kinds of ``KINDS``; others say nothing here."""
        if contacts is None:
            return cls(tuple((np.array([], np.int64),) * 2 for _ in KINDS), 1)
        values = contacts["value"].combine_chunks().cast(pa.string()).dictionary_encode()
        codes = values.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        [records] = positions(names, contacts["record"])
        kinds = [np.flatnonzero(pc.equal(contacts["kind"], kind).to_numpy()) for kind in KINDS]
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
        """For each pair of groups, whether both have contacts of a kind and share none."""
        return np.asarray(np.any([self._differ(kind, one, other) for kind in range(len(KINDS))], axis=0), bool)

    def _differ(self, kind: int, one: Ints, other: Ints) -> Bools:
        """Which pairs both have contacts of a kind and share none."""
        owner, value = self.rows[kind]
        starts, ends = np.searchsorted(owner, one, "left"), np.searchsorted(owner, one, "right")
        which, at = runs(starts, ends - starts)
        found = (ends > starts) & (places(other, distinct(owner)) >= 0)
        shared = places(other[which] * self.width + value[at], owner * self.width + value) >= 0
        found[which[shared]] = False
        return np.asarray(found, bool)

    def several(self, labels: Ints, count: int) -> Bools:
        """Which components may hold such a pair of groups."""
        return np.asarray(np.any([_several(labels[owner], value, count) for owner, value in self.rows], axis=0), bool)


def _several(where: Ints, value: Ints, count: int) -> Bools:
    one = np.zeros(count, np.int64)
    one[where] = value
    two = np.zeros(count, bool)
    two[where[value != one[where]]] = True
    return two
