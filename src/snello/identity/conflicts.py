"""Which members of a set, and which pairs of groups, contradict each other: all sets of a round at once."""

from __future__ import annotations

import numpy as np

from snello.identity.arrays import Bools, Ints, distinct, firsts, runs
from snello.identity.profiles import Profiles

_SMALL = 48  # up to here every pair of a set is compared
_LARGE = 400  # beyond this many profiles of one set, or pairs of two groups' profiles, family names are left out
_AT_ONCE = 4_000_000
_WITNESSES = 6


def conflicted(sets: Ints, members: Ints, profiles: Profiles) -> Bools:
    """For each row (a profile in a set), whether another profile of its set contradicts it.

    In a set of more than 400 profiles names are compared without the family name: more may contradict, never less.
    """
    speaks = np.flatnonzero(~profiles.silent[members])
    found = np.zeros(len(sets), bool)
    if not len(speaks):
        return found
    width = len(profiles.lean)
    keys, where = np.unique(sets[speaks] * width + members[speaks], return_inverse=True)
    of, one = keys // width, keys % width
    starts = np.flatnonzero(np.diff(of, prepend=-1))
    counts = np.diff(starts, append=len(of))
    said = np.zeros(len(keys), bool)
    _small_sets(starts, counts, one, profiles, said)
    for start, count in zip(starts[counts > _SMALL].tolist(), counts[counts > _SMALL].tolist(), strict=True):
        said[start : start + count] = _one_set(one[start : start + count], profiles)
    found[speaks] = said[where]
    return found


def _small_sets(starts: Ints, counts: Ints, one: Ints, profiles: Profiles, said: Bools) -> None:
    ends = np.repeat(starts + counts, counts)
    small = np.repeat((counts > 1) & (counts <= _SMALL), counts)
    first = np.flatnonzero(small)
    ahead = ends[first] - 1 - first
    for part in _parts(ahead):
        which, second = runs(first[part] + 1, ahead[part])
        at = first[part][which]
        differ = profiles.between(one[at], one[second]) > 0
        said[at[differ]] = True
        said[second[differ]] = True


def _one_set(members: Ints, profiles: Profiles) -> Bools:
    """Which members contradict another; groups join from round to round, but the set is mostly what it was."""
    key = members.tobytes()
    if key not in profiles.answered:
        if len(members) > _LARGE:
            lean, where = np.unique(profiles.lean[members], return_inverse=True)
            profiles.answered[key] = _by_witnesses(lean, profiles)[where]
        else:
            profiles.answered[key] = _by_witnesses(members, profiles)
    return profiles.answered[key]


def _by_witnesses(members: Ints, profiles: Profiles) -> Bools:
    """A few that speak of each kind are asked first: in a set of many people they contradict nearly everybody."""
    found = np.zeros(len(members), bool)
    asked = []
    for codes in profiles.columns.values():
        known = np.flatnonzero(codes[members] >= 0)
        known = known[np.unique(codes[members[known]], return_index=True)[1]]
        asked.append(known[np.linspace(0, len(known) - 1, min(_WITNESSES, len(known))).astype(np.int64)])
    _ask(members, np.unique(np.concatenate(asked)), profiles, found)
    _ask(members, np.flatnonzero(~found), profiles, found)
    return found


def _ask(members: Ints, witnesses: Ints, profiles: Profiles, found: Bools) -> None:
    """Compare witnesses, given by their places, with every member, and note both sides of each contradiction."""
    for witness in witnesses.tolist():
        differ = profiles.between(np.full(len(members), members[witness]), members) > 0
        found |= differ
        found[witness] |= differ.any()


class Groups:
    """The distinct profiles of each group, as rows sorted by group."""

    def __init__(self, group: Ints, profiles: Profiles) -> None:
        self.profiles = profiles
        speaks = np.flatnonzero(~profiles.silent[profiles.index])
        self.group, self.member = group[speaks], profiles.index[speaks]
        self._sort()

    def _sort(self) -> None:
        width = len(self.profiles.lean)
        keys = distinct(self.group * width + self.member)
        self.group, self.member = keys // width, keys % width

    def relabel(self, group_of: Ints, live: Bools) -> None:
        """Take the new group of each old one, and forget the groups that are settled."""
        kept = np.flatnonzero(live[self.group])
        self.group, self.member = group_of[self.group[kept]], self.member[kept]
        self._sort()

    def rows(self, groups: Ints) -> tuple[Ints, Ints]:
        """For groups laid end to end: which of them each profile belongs to, and the profile."""
        starts = np.searchsorted(self.group, groups, "left")
        which, at = runs(starts, np.searchsorted(self.group, groups, "right") - starts)
        return which, self.member[at]

    def between(self, one: Ints, other: Ints) -> Ints:
        """For each pair of groups, the least number of a reason why they cannot be one person; 0 when they can."""
        low = np.searchsorted(self.group, one, "left"), np.searchsorted(self.group, other, "left")
        size = tuple(
            np.searchsorted(self.group, each, "right") - start for each, start in zip((one, other), low, strict=True)
        )
        found = np.zeros(len(one), np.int64)
        pairs = size[0] * size[1]
        for part in _parts(np.where(pairs > _LARGE * _LARGE, 0, pairs)):
            which, at = runs(np.zeros(len(part), np.int64), pairs[part])
            chosen = part[which]
            left = self.member[low[0][chosen] + at // np.maximum(size[1][chosen], 1)]
            right = self.member[low[1][chosen] + at % np.maximum(size[1][chosen], 1)]
            _least(found, chosen, self.profiles.between(left, right))
        for pair in np.flatnonzero(pairs > _LARGE * _LARGE).tolist():
            left, right = (
                np.unique(self.profiles.lean[self.member[low[side][pair] : low[side][pair] + size[side][pair]]])
                for side in (0, 1)
            )
            for each in left.tolist():
                reasons = self.profiles.between(np.full(len(right), each), right)
                _least(found, np.full(len(right), pair), reasons)
        return found


def _least(found: Ints, at: Ints, reasons: Ints) -> None:
    told = np.flatnonzero(reasons)
    most = np.iinfo(np.int64).max
    least = np.where(found == 0, most, found)
    np.minimum.at(least, at[told], reasons[told])
    found[:] = np.where(least == most, 0, least)


def _parts(counts: Ints) -> list[Ints]:
    """The places whose count is not 0, in parts whose counts add up to what fits in memory."""
    places = np.flatnonzero(counts)
    turn = np.cumsum(counts[places]) // _AT_ONCE
    return np.split(places, firsts(turn - turn[0])[1:]) if len(places) else []
