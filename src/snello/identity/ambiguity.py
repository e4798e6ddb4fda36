"""Who could be either of two people: evidence of about equal strength for two groups that contradict each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from snello.identity.arrays import Bools, Ints, places, runs
from snello.identity.conflicts import Groups, conflicted
from snello.identity.evidence import Links
from snello.identity.strangers import Contacts

_CROWD = 64  # rivals of one link that are looked at as strangers to its end, the strongest first


@dataclass(frozen=True)
class _Ways:
    """Every link from both its ends, those of one node together and the strongest first."""

    node: Ints
    nbr: Ints
    level: Ints


def contested(links: Links, groups: Groups, against: tuple[tuple[Ints, Ints], Contacts, Bools], ahead: int) -> Bools:
    """For each link, whether one of its ends has a rival for the other end.

    A rival contradicts the other end, and its evidence is stronger, or weaker by less than ``ahead`` levels; where the
    link is weak, a stranger to the other end is a rival too. ``against``: pairs of groups, both ways, that a person
    has set apart; contacts; and which groups are doubted, whom nobody need fear as rivals.
    """
    apart, contacts, doubted = against
    count = len(links.low)
    node, nbr = np.concatenate([links.low, links.high]), np.concatenate([links.high, links.low])
    level = np.concatenate([links.level, links.level])
    order = np.lexsort((-level, node))
    ways = _Ways(node[order], nbr[order], level[order])
    link = np.concatenate([np.arange(count), np.arange(count)])[order]
    found = np.zeros(count, bool)
    found[link[_by_marks(ways, links.open[link], (groups, doubted), ahead)]] = True
    found[link[_by_decision(ways, apart, ahead)]] = True
    found[link[_by_contacts(ways, (links.open & ~links.firm)[link], contacts, ahead)]] = True
    return found


def _by_marks(ways: _Ways, open_: Bools, rivals: tuple[Groups, Bools], ahead: int) -> Bools:
    """The sets: for each node and level of a link of it, all its neighbours whose evidence is not clearly behind."""
    node, nbr, level = ways.node, ways.nbr, ways.level
    groups, doubted = rivals
    found = np.zeros(len(node), bool)
    starts = np.flatnonzero(np.diff(node, prepend=-1))
    sizes = np.diff(starts, append=len(node))
    several = np.repeat(sizes > 1, sizes)
    start = np.repeat(starts, sizes)
    width = int(level.max(initial=0)) + 1
    falling = node * width + width - 1 - level
    heads = np.flatnonzero(several & (np.diff(falling, prepend=-1) != 0))
    last = np.searchsorted(falling, falling[heads], "right")
    # one open link of the level is reason enough to ask
    asked = np.add.reduceat(open_.astype(np.int64), heads) > 0 if len(heads) else np.array([], bool)
    # reduceat runs to the next head, past nodes with one link only: asking once too often does no harm
    heads, last = heads[asked], last[asked]
    reach = node[heads] * width + width - 1 - np.maximum(level[heads] - ahead + 1, 0)
    ends = np.searchsorted(falling, reach, "right")
    which, at = runs(start[heads], ends - start[heads])
    of, member = groups.rows(nbr[at])
    differ = _in_earnest(which[of], member, doubted[nbr[at]][of], groups)
    rows = of[differ]
    own = (at[rows] >= heads[which[rows]]) & (at[rows] < last[which[rows]])
    found[at[rows[own]]] = True
    return found


def _in_earnest(sets: Ints, members: Ints, doubted: Bools, groups: Groups) -> Bools:
    """Which members are contradicted in their sets: those in doubt by any other, the rest by each other alone."""
    if not doubted.any():
        return conflicted(sets, members, groups.profiles)
    found = np.zeros(len(sets), bool)
    unsure = np.zeros(int(sets.max(initial=-1)) + 1, bool)
    unsure[sets[doubted]] = True
    mixed, sure = np.flatnonzero(unsure[sets]), np.flatnonzero(~doubted)
    found[mixed] = conflicted(sets[mixed], members[mixed], groups.profiles)
    found[sure] = conflicted(sets[sure], members[sure], groups.profiles)
    return found


def _by_contacts(ways: _Ways, weak: Bools, contacts: Contacts, ahead: int) -> Ints:
    """The weak ways with a rival, not clearly behind, that is a stranger to where they lead."""
    node, nbr, level = ways.node, ways.nbr, ways.level
    width = int(level.max(initial=0)) + 1
    falling = node * width + width - 1 - level
    asked = np.flatnonzero(weak)
    start = np.searchsorted(node, node[asked], "left")
    reach = node[asked] * width + width - 1 - np.maximum(level[asked] - ahead + 1, 0)
    count = np.minimum(np.searchsorted(falling, reach, "right") - start, _CROWD)
    several = count > 1
    which, rival = runs(start[several], count[several])
    way = asked[several][which]
    return np.unique(way[contacts.strangers(nbr[way], nbr[rival])])


def _by_decision(ways: _Ways, apart: tuple[Ints, Ints], ahead: int) -> Bools:
    """For each two groups set apart, the nodes that have both as neighbours."""
    node, nbr, level = ways.node, ways.nbr, ways.level
    found = np.zeros(len(node), bool)
    one, other = apart
    if not len(one):
        return found
    by_nbr = np.argsort(nbr, kind="stable")
    begin = np.searchsorted(nbr[by_nbr], one, "left")
    which, at = runs(begin, np.searchsorted(nbr[by_nbr], one, "right") - begin)
    links = by_nbr[at]
    width = int(max(node.max(initial=0), nbr.max(initial=0), other.max(initial=0))) + 1
    keys = node * width + nbr
    sorting = np.argsort(keys)
    rival = places(node[links] * width + other[which], keys[sorting])
    both = rival >= 0
    strong = level[sorting[rival[both]]] > level[links[both]] - ahead
    found[links[both][strong]] = True
    return found
