"""Components that hold a contradiction, taken apart and put together again from their strongest evidence."""

from __future__ import annotations

import numpy as np

from snello.identity.ambiguity import contested
from snello.identity.arrays import Bools, Ints, components, distinct, places
from snello.identity.conflicts import Groups, conflicted
from snello.identity.contradictions import AMBIGUOUS, APART
from snello.identity.evidence import Evidence, Links
from snello.identity.profiles import Profiles
from snello.identity.strangers import Contacts

Pairs = tuple[Ints, Ints]
Against = tuple[Pairs, Contacts]


class Rebuild:
    """Groups of records of many components at once, each component at its own pace.

    Groups begin as single records. In each round, of the links between groups that neither contradict each other nor
    are contested, the strongest of each component join, all at the same time, so that no order matters.

    - ``group``: the group of each record, named by its first
    - ``reason``: for each edge whose ends are not one group, a number above 0
    """

    def __init__(self, component: Ints, ends: Pairs, evidence: Evidence, profiles: Profiles, against: Against) -> None:
        self.component, self.evidence, self.profiles = component, evidence, profiles
        self.apart, self.contacts = against
        told = (profiles.columns["tax_code"] >= 0) | (profiles.columns["birth_date"] >= 0)
        self.doubted = np.zeros(len(component), bool)
        self.doubted[self.contacts.doubted] = True
        self.sure = told[profiles.index] & ~self.doubted
        self.left, self.right = ends
        self.group = np.arange(len(component))
        self.groups = Groups(self.group, profiles)
        self.reason = np.zeros(len(self.left), np.int64)
        self.stuck = np.zeros(len(self.left), bool)
        self.texts = (*profiles.reasons, APART, AMBIGUOUS)

    def run(self, ahead: int) -> None:
        """Join what can be joined; evidence is clearly stronger than another's when ``ahead`` levels above it."""
        live = np.flatnonzero(self.left != self.right)
        while len(live):
            live = live[self.group[self.left[live]] != self.group[self.right[live]]]
            live, links = self._consistent(live, self._links(live))
            chosen = self._strongest(links, max(ahead, 1))
            # an edge of a component in which nothing can join any more is settled
            moving = np.zeros(len(self.component), bool)
            moving[self.component[links.low[chosen]]] = True
            goes_on = moving[self.component[self.left[live]]]
            self.reason[live[~goes_on]] = len(self.texts) - 1
            self._join(live, links, chosen, moving[self.component])
            live = live[goes_on]

    def reasons(self) -> list[str]:
        """The reason of each edge that was refused."""
        return [self.texts[number] for number in self.reason[self.reason > 0].tolist()]

    def _links(self, live: Ints) -> Links:
        one, other = self.group[self.left[live]], self.group[self.right[live]]
        return Links.between(one, other, self.evidence.at(live), self.stuck[live])

    def _consistent(self, live: Ints, links: Links) -> tuple[Ints, Links]:
        """Without the links between groups that contradict each other: that will never change."""
        reason = self.groups.between(links.low, links.high)
        reason = np.where(self._set_apart(links.low, links.high), len(self.texts) - 2, reason)
        self.reason[live] = reason[links.of_edge]
        kept = links.where(reason == 0)
        return live[kept.of_edge >= 0], Links(
            kept.low, kept.high, kept.level, kept.open, kept.firm, kept.of_edge[kept.of_edge >= 0]
        )

    def _apart_groups(self) -> Pairs:
        """Pairs of groups that a person has set apart, both ways."""
        one, other = self.group[self.apart[0]], self.group[self.apart[1]]
        width = len(self.group)
        keys = distinct(np.concatenate([one * width + other, other * width + one]))
        return keys // width, keys % width

    def _set_apart(self, low: Ints, high: Ints) -> Bools:
        one, other = self._apart_groups()
        width = len(self.group)
        return np.asarray(places(low * width + high, one * width + other) >= 0)

    def _strongest(self, links: Links, ahead: int) -> Bools:
        """The strongest links of each component that are open and not contested."""
        weak = np.flatnonzero(~links.firm)
        links.open[weak] &= ~self.contacts.strangers(links.low[weak], links.high[weak])
        against = self._apart_groups(), self.contacts, self._in_doubt()
        free = links.open & ~contested(links, self.groups, against, ahead)
        best = np.full(len(self.component), -1)
        where = self.component[links.low]
        np.maximum.at(best, where[free], links.level[free])
        return np.asarray(free & (links.level == best[where]))

    def _in_doubt(self) -> Bools:
        """The groups whose only code or birth date is that of a record with somebody else's code."""
        found = np.zeros(len(self.group), bool)
        found[self.group[self.doubted]] = True
        found[self.group[self.sure]] = False
        return found

    def _join(self, live: Ints, links: Links, chosen: Bools, moving: Bools) -> None:
        """Join along the chosen links; where all of them together would hold a contradiction, only what is safe."""
        at = np.flatnonzero(chosen)
        nodes, ends = np.unique(np.concatenate([links.low[at], links.high[at]]), return_inverse=True)
        low, high = ends[: len(at)], ends[len(at) :]
        union = components(low, high, len(nodes))
        marked = self._marked(nodes, union)
        bad = np.zeros(int(union.max(initial=-1)) + 1, bool)
        bad[union[marked]] = True
        degree = np.bincount(ends, minlength=len(nodes))
        free = ~marked
        # who contradicts nobody here may join its like, or the only one it is linked to
        safe = ~bad[union[low]] | (free[low] & free[high]) | (free[low] & (degree[low] == 1))
        safe |= free[high] & (degree[high] == 1)
        helped = np.zeros(len(bad), bool)
        helped[union[low[safe]]] = True
        hopeless = np.zeros(len(chosen), bool)
        hopeless[at[~helped[union[low]]]] = True
        self.stuck[live[hopeless[links.of_edge]]] = True
        merged = components(low[safe], high[safe], len(nodes))
        first = np.full(int(merged.max(initial=-1)) + 1, len(self.group))
        np.minimum.at(first, merged, nodes)
        group_of = np.arange(len(self.group))
        group_of[nodes] = first[merged]
        self.group = group_of[self.group]
        self.groups.relabel(group_of, moving)
        self.contacts = self.contacts.relabel(group_of, moving)

    def _marked(self, nodes: Ints, union: Ints) -> Bools:
        """Which groups contradict another group of their union."""
        found = np.zeros(len(nodes), bool)
        of, member = self.groups.rows(nodes)
        found[of[conflicted(union[of], member, self.profiles)]] = True
        one, other = (places(groups, nodes) for groups in self._apart_groups())
        both = (one >= 0) & (other >= 0)
        one, other = one[both], other[both]
        found[one[union[one] == union[other]]] = True
        return found
