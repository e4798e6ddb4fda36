"""Under one roof: two groups who each have a mailbox or mobile of their own are not joined by the home alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from snello.identity.arrays import Bools, Ints, Narrow, coded, distinct, places, runs
from snello.identity.contact_slips import one_slip
from snello.identity.marks import positions

KINDS = ("own_email", "own_mobile", "mail_year", "year", "doubted")
# What one group says of a kind, and what the other says that must not be all different from it. Years alone, as birth
# dates give them, are judged as contradictions are: with their slips.
ASKED = (("own_email", "own_email"), ("own_mobile", "own_mobile"), ("mail_year", "year"))
_SEVERAL = 64  # pairs of values of two groups that are looked at for slips


@dataclass(frozen=True)
class Contacts:
    """What is one person's own of each record, later each group: for each of ``KINDS`` rows of owner and value.

    - rows are sorted by owner; ``mail_year`` are birth years that mailboxes bear, ``year`` these and the known ones
    - ``texts``: what the values stand for; ``slips``: of two values asked about, whether they are one but for a slip
    """

    rows: tuple[tuple[Ints, Narrow], ...]
    texts: pa.Array
    slips: dict[tuple[int, int], bool] = field(default_factory=dict)

    @classmethod
    def read(cls, contacts: pa.Table | None, names: pa.Array) -> Contacts:
        """From ``record, kind, value`` with the kinds of ``KINDS``; others say nothing here."""
        if contacts is None:
            return cls(((np.array([], np.int64),) * 2,) * len(KINDS), pa.array([], pa.string()))
        codes, values = coded(contacts["value"])
        given, told = coded(contacts["kind"])
        [records] = positions(names, contacts["record"])
        kinds = (np.flatnonzero(given == told.index(kind).as_py()) for kind in KINDS)
        return cls(tuple((records[rows], codes[rows]) for rows in kinds), values)

    @property
    def width(self) -> int:
        """A number above that of every value."""
        return len(self.texts) + 1

    def of(self, local: Ints) -> Contacts:
        """The rows of some records, under other numbers; -1 leaves a record out."""
        kept = [np.flatnonzero(local[owner] >= 0) for owner, _ in self.rows]
        rows = ((local[owner[at]], value[at]) for (owner, value), at in zip(self.rows, kept, strict=True))
        return Contacts(tuple(rows), self.texts, self.slips)._sorted()

    def relabel(self, group_of: Ints, live: Bools) -> Contacts:
        """Take the new group of each old one, and forget the groups that are settled."""
        kept = [np.flatnonzero(live[owner]) for owner, _ in self.rows]
        rows = ((group_of[owner[at]], value[at]) for (owner, value), at in zip(self.rows, kept, strict=True))
        return Contacts(tuple(rows), self.texts, self.slips)._sorted()

    def _sorted(self) -> Contacts:
        keys = [distinct(owner * self.width + value) for owner, value in self.rows]
        rows = tuple((key // self.width, key % self.width) for key in keys)
        return Contacts(rows, self.texts, self.slips)

    @property
    def doubted(self) -> Ints:
        """Whose code or birth date is not believed."""
        return self.rows[KINDS.index("doubted")][0]

    def strangers(self, one: Ints, other: Ints) -> Bools:
        """For each pair of groups, whether both say something of what is asked and nothing in common, or nearly."""
        found = np.zeros(len(one), bool)
        for said, heard in ASKED:
            found |= self._differ(said, heard, one, other)
            if said != heard:
                found |= self._differ(said, heard, other, one)
        return found

    def _differ(self, said: str, heard: str, one: Ints, other: Ints) -> Bools:
        """Which groups say something of one kind to which all that the other says of a kind is different."""
        owner, value = self.rows[KINDS.index(said)]
        listener, known = self.rows[KINDS.index(heard)]
        starts, ends = np.searchsorted(owner, one, "left"), np.searchsorted(owner, one, "right")
        which, at = runs(starts, ends - starts)
        found = (ends > starts) & (places(other, distinct(listener)) >= 0)
        shared = places(other[which] * self.width + value[at], listener * self.width + known) >= 0
        found[which[shared]] = False
        if said == heard and said != "year":
            self._forgive(said, found, one, other)
        return np.asarray(found, bool)

    def _forgive(self, kind: str, found: Bools, one: Ints, other: Ints) -> None:
        """Take back what may be a slip: a mailbox or mobile of the one that is one of the other's but for a letter."""
        owner, value = self.rows[KINDS.index(kind)]
        pairs = np.flatnonzero(found)
        low = [np.searchsorted(owner, side[pairs], "left") for side in (one, other)]
        size = [np.searchsorted(owner, side[pairs], "right") - at for side, at in zip((one, other), low, strict=True)]
        few = np.flatnonzero(size[0] * size[1] <= _SEVERAL)
        which, at = runs(np.zeros(len(few), np.int64), size[0][few] * size[1][few])
        chosen = few[which]
        left = value[low[0][chosen] + at // size[1][chosen]]
        right = value[low[1][chosen] + at % size[1][chosen]]
        keys, where = np.unique(np.minimum(left, right) * self.width + np.maximum(left, right), return_inverse=True)
        alike = np.array([self._slip(int(key) // self.width, int(key) % self.width) for key in keys], bool)
        if len(keys):
            found[pairs[chosen[alike[where]]]] = False

    def _slip(self, one: int, other: int) -> bool:
        """Whether two values are one but for a slip, asked once."""
        if (one, other) not in self.slips:
            self.slips[one, other] = one_slip(self.texts[one].as_py(), self.texts[other].as_py())
        return self.slips[one, other]

    def several(self, labels: Ints, count: int) -> Bools:
        """Which components may hold such a pair of groups."""
        found = np.zeros(count, bool)
        for asked in ASKED:
            told = [self.rows[KINDS.index(kind)] for kind in dict.fromkeys(asked)]
            owner, value = (np.concatenate(column) for column in zip(*told, strict=True))
            found |= _several(labels[owner], value, count)
        return found


def _several(where: Ints, value: Ints, count: int) -> Bools:
    one = np.zeros(count, np.int64)
    one[where] = value
    two = np.zeros(count, bool)
    two[where[value != one[where]]] = True
    return two
