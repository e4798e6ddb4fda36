"""Households: who lives with whom, how old they are and what they are called."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from snello.sandbox.draw import DAY_US, Draw, Ints, Mask
from snello.sandbox.names import first_names, surnames
from snello.sandbox.texts import choose, patch

SIZES = (0.36, 0.29, 0.18, 0.13, 0.04)
YOUNG_SINCE = 1975
HEAD, PARTNER, CHILD = 0, 1, 2

PARTNER_SHARE = 0.86
SAME_NAME_SHARE = 0.03
TWIN_SHARE = 0.06
HOMONYM_SHARE = 0.015
HOMONYM_SAME_DAY = 0.2
TAKES_MARRIED_NAME = 0.25


@dataclass(frozen=True)
class Homes:
    """Each person's place in a household.

    - ``home``: household of the person; members stand together
    - ``first``: row of the household's head
    - ``role``: HEAD, PARTNER or CHILD
    """

    home: Ints
    first: Ints
    position: Ints
    size: Ints
    role: Ints


def settle(people: int, draw: Draw) -> Homes:
    """Part ``people`` persons into households of one to five."""
    sizes = 1 + draw.index(SIZES, people)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    homes = int(np.searchsorted(starts, people))
    sizes = np.diff(np.minimum(starts[: homes + 1], people))
    home = np.repeat(np.arange(homes), sizes)
    first = starts[home]
    position = np.arange(people) - first
    couple = draw.chance(homes, PARTNER_SHARE)[home]
    role = np.where(position == 0, HEAD, np.where((position == 1) & couple, PARTNER, CHILD))
    return Homes(home, first, position, sizes[home], role)


def born(homes: Homes, draw: Draw) -> Ints:
    """Birth days since 1970; children are 24 to 38 years younger than the head, a few pairs of them are twins."""
    people = len(homes.home)
    parent = (homes.size > 2) | ((homes.size == 2) & (homes.role[np.minimum(homes.first + 1, people - 1)] == CHILD))
    alone = 20 + (68 * draw.rng.beta(1.7, 2.0, people)).astype(np.int64)
    head = np.where(parent, draw.ints(42, 72, people), alone)[homes.first]
    child = np.clip(head - draw.ints(24, 38, people), 15, 45)
    partner = np.clip(head - 3 + draw.ints(-6, 8, people), 20, 92)
    age = np.select([homes.role == HEAD, homes.role == PARTNER], [head, partner], child)
    born_on = draw.as_of_us // DAY_US - age * 365 - age // 4 - draw.ints(0, 364, people)
    twin = twins(homes, draw)
    born_on[twin] = born_on[np.flatnonzero(twin) - 1]
    return np.asarray(born_on)


def twins(homes: Homes, draw: Draw) -> Mask:
    """Persons born together with the person of the row before."""
    before = np.roll(homes.role, 1)
    together = (homes.role == CHILD) & (before == CHILD) & (homes.position > 0) & draw.chance(len(before), TWIN_SHARE)
    return np.asarray(together)


def sexes(homes: Homes, draw: Draw) -> Mask:
    """Who is a man; partners are of the other sex than the head."""
    man = draw.chance(len(homes.home), 0.5)
    man |= (homes.role == HEAD) & draw.chance(len(man), 0.3)
    return np.asarray(np.where(homes.role == PARTNER, ~man[homes.first], man))


def named(homes: Homes, man: Mask, born_on: Ints, draw: Draw) -> pl.DataFrame:
    """First, last and (for some married women) husband's surname; sons may bear their father's whole name."""
    people = len(man)
    pool = surnames()
    own = draw.pick(pool.values, people, pool.weights)
    partner = np.minimum(homes.first + 1, people - 1)
    partnered = (homes.size > 1) & (homes.role[partner] == PARTNER)
    father = np.where(man[homes.first] | ~partnered, homes.first, partner)
    last = own.gather(np.where(homes.role == CHILD, father, np.arange(people)))
    first = _first_names(man, born_on, draw)
    namesake = (homes.role == CHILD) & man & man[father] & draw.chance(people, SAME_NAME_SHARE)
    first = patch(first, namesake, first.gather(father[namesake]))
    husband = np.where(homes.role == HEAD, partner, homes.first)
    married = ~man & partnered & (homes.role != CHILD) & draw.chance(people, TAKES_MARRIED_NAME)
    nobody = pl.repeat(None, people, dtype=pl.String, eager=True)
    return pl.DataFrame(
        {"first_name": first, "last_name": last, "married_name": choose(married, last.gather(husband), nobody)}
    )


def _first_names(man: Mask, born_on: Ints, draw: Draw) -> pl.Series:
    young = born_on >= (YOUNG_SINCE - 1970) * 365
    names = pl.repeat("", len(man), dtype=pl.String, eager=True)
    for sex, of_sex in (("M", man), ("F", ~man)):
        for generation, of_age in ((True, young), (False, ~young)):
            pool, chosen = first_names(sex, generation), of_sex & of_age
            names = patch(names, chosen, draw.pick(pool.values, int(chosen.sum()), pool.weights))
    return names


def homonyms(homes: Homes, draw: Draw) -> tuple[Ints, Ints, Mask]:
    """Rows that take the name of another row, those other rows, and which of them take the birth date too.

    Only people who live alone are renamed, so that families keep their surname.
    """
    alone = np.flatnonzero(homes.size == 1)
    chosen = alone[draw.chance(len(alone), HOMONYM_SHARE)]
    others = np.roll(alone, len(alone) // 3)[np.searchsorted(alone, chosen)]
    return chosen, others, draw.chance(len(chosen), HOMONYM_SAME_DAY)
