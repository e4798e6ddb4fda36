"""The people of the severe set, and what each shares with relatives and strangers.

- 30 in 100 share address, telephone and surname with a relative
- in families: 1 son in 8 bears his father's whole name, 1 younger sibling in 6 is a twin, a fifth of the twins with
  names that differ by a letter or two; 3 families in 10 have one mailbox; 1 child in 6 has left home
- 9 partners in 10 live elsewhere: who shares a home shares a surname
- of those who live alone 12 in 100 share name and birth year with another, a fifth of them the birth day too
- 15 in 100 homes have moved, 1 wife in 4 is also known by her husband's surname
"""

from __future__ import annotations

import numpy as np
import polars as pl

from snello.sandbox import contacts, households
from snello.sandbox.atlas import STREETS, atlas
from snello.sandbox.draw import DAY_US, Draw, Ints, Mask, days
from snello.sandbox.households import CHILD, PARTNER, Homes
from snello.sandbox.taxcode import tax_codes
from snello.sandbox.texts import blank, choose, patch

NAMESAKES, TWINS, ALIKE_TWINS = 0.1, 0.12, 0.2
HOMONYMS, SAME_DAY = 0.12, 0.2
LEFT_HOME, PARTNERS_APART, MOVED, BORN_AT_HOME, SHARED_MOBILE, FAMILY_MAILBOX = 0.18, 0.9, 0.15, 0.6, 0.75, 0.1
ALIKE = {
    "M": (("Marco", "Mirco"), ("Gianluca", "Gianmarco"), ("Dario", "Mario"), ("Denis", "Dennis"), ("Mattia", "Mattea")),
    "F": (("Maria", "Mara"), ("Anna", "Annalisa"), ("Chiara", "Clara"), ("Silvia", "Silvana"), ("Marta", "Mirta")),
}
ADDRESS = ("street", "postcode", "city", "province")


def make_people(size: int, draw: Draw) -> pl.DataFrame:
    """One row a person; the row number is the ``person_id``."""
    homes = households.settle(size, draw)
    man, born_on = households.sexes(homes, draw), households.born(homes, draw)
    names = households.named(homes, man, born_on, draw)
    first, last = names["first_name"], names["last_name"]
    first = _namesakes(first, last, homes, man, draw)
    twin = _twins(homes, born_on, draw)
    man, first = _alike(twin, man, first, draw)
    town = draw.index(atlas().weights, int(homes.home[-1]) + 1)[homes.home]
    home_place = draw.chance(size, BORN_AT_HOME)
    place = atlas().towns["belfiore"].gather(np.where(home_place, town, draw.index(atlas().weights, size)))
    place = place.gather(np.where(twin, np.arange(size) - 1, np.arange(size)))
    left = draw.chance(size, np.select([homes.role == CHILD, homes.role == PARTNER], [LEFT_HOME, PARTNERS_APART], 0.0))
    rows = _homonyms(homes, born_on, draw)
    first, last, man = first.gather(rows), last.gather(rows), man[rows]
    birth, sex = days(born_on * DAY_US), pl.Series(np.where(man, "M", "F"))
    frame = pl.DataFrame(
        {
            "person_id": np.arange(size),
            "household_id": homes.home,
            "first_name": first,
            "last_name": last,
            "married_name": names["married_name"].set(pl.Series(man), None),
            "birth_date": birth,
            "sex": sex,
            "tax_code": tax_codes(last, first, birth, sex, place),
            "left_home": left,
            "prefix": atlas().towns["prefix"].gather(town),
        }
    )
    frame = frame.hstack(_reached(frame, homes, left, draw))
    return frame.drop("prefix").hstack(_addresses(homes.home, town, left, draw))


def _namesakes(first: pl.Series, last: pl.Series, homes: Homes, man: Mask, draw: Draw) -> pl.Series:
    """Sons who bear the name of the man of the house whose surname they have."""
    partner = np.minimum(homes.first + 1, len(man) - 1)
    father = np.where(man[homes.first], homes.first, partner)
    surname = (last == last.gather(father)).to_numpy()
    son = (homes.role == CHILD) & man & man[father] & surname & (father != np.arange(len(man)))
    son &= draw.chance(len(man), NAMESAKES)
    return patch(first, son, first.gather(father[son]))


def _twins(homes: Homes, born_on: Ints, draw: Draw) -> Mask:
    """Who was born together with the person of the row before; birth days are changed in place."""
    sibling = (homes.role == CHILD) & (np.roll(homes.role, 1) == CHILD) & (homes.position > 0)
    again = np.flatnonzero(sibling & draw.chance(len(born_on), TWINS))
    born_on[again] = born_on[again - 1]
    return np.asarray(sibling & (born_on == np.roll(born_on, 1)))


def _alike(twin: Mask, man: Mask, first: pl.Series, draw: Draw) -> tuple[Mask, pl.Series]:
    """Twins of one sex whose names differ little; one pair in two of them has names of the list by chance alone."""
    chosen = np.flatnonzero(twin & draw.chance(len(twin), ALIKE_TWINS))
    chosen = chosen[np.diff(chosen, prepend=-2) > 1]
    before = chosen - 1
    man = man.copy()
    man[chosen] = man[before]
    number = draw.ints(0, len(ALIKE["M"]) - 1, len(chosen))
    pairs = [ALIKE["M" if one else "F"][n] for one, n in zip(man[chosen].tolist(), number.tolist(), strict=True)]
    mask = np.zeros(len(twin), bool)
    for rows, names in ((chosen, [pair[0] for pair in pairs]), (before, [pair[1] for pair in pairs])):
        mask[:] = False
        mask[rows] = True
        first = patch(first, mask, pl.Series(names, dtype=pl.String))
    return man, first


def _homonyms(homes: Homes, born_on: Ints, draw: Draw) -> Ints:
    """Whose name and sex each person has: mostly their own; birth days of homonyms are changed in place."""
    rows = np.arange(len(born_on))
    alone = np.flatnonzero(homes.size == 1)
    chosen = alone[draw.chance(len(alone), HOMONYMS)]
    chosen = chosen[: len(chosen) // 2 * 2].reshape(-1, 2)
    chosen = chosen if chosen.size else np.zeros((0, 2), np.int64)
    copies, others = chosen[:, 0], chosen[:, 1]
    rows[copies] = others
    same = draw.chance(len(copies), SAME_DAY)
    year = (born_on[others] + 719_528) // 365.2425
    within = draw.ints(3, 361, len(copies))
    moved = (year * 365.2425).astype(np.int64) - 719_528 + within
    born_on[copies] = np.where(same, born_on[others], moved)
    return rows


def _reached(frame: pl.DataFrame, homes: Homes, left: Mask, draw: Draw) -> pl.DataFrame:
    """E-mails and telephones; where there is no landline, some families answer at the mobile of the head."""
    reach = contacts.reached(frame, homes, draw)
    count = int(homes.home[-1]) + 1
    several = homes.size > 1
    lends = draw.chance(count, SHARED_MOBILE)[homes.home] & several
    head = blank(reach["mobile"].gather(homes.first), ~lends)
    more = draw.chance(count, FAMILY_MAILBOX)[homes.home] & several
    mailbox = blank(reach["email"].gather(homes.first), ~more)
    older = contacts.mobiles(np.arange(len(frame)) + len(frame), draw)
    return reach.select(
        "email",
        "email_2",
        blank(pl.select(pl.coalesce(reach["family_email"], mailbox)).to_series(), left).alias("family_email"),
        "mobile",
        pl.Series("old_mobile", blank(older, ~draw.chance(len(frame), MOVED))),
        blank(pl.select(pl.coalesce(reach["landline"], head)).to_series(), left).alias("home_phone"),
    )


def _addresses(home: Ints, town: Ints, left: Mask, draw: Draw) -> pl.DataFrame:
    """Where they live, where those who moved lived before, and when they moved; who left home lives elsewhere."""
    size = len(home)
    dwelling = np.unique(np.where(left, size + np.arange(size), home), return_inverse=True)[1]
    count = int(dwelling.max()) + 1
    towns = draw.index(atlas().weights, count)
    towns[dwelling[~left]] = town[~left]
    now, before = _places(towns, draw)[dwelling], _places(draw.index(atlas().weights, count), draw)[dwelling]
    moved = draw.chance(count, MOVED)[dwelling]
    nobody = pl.repeat(None, size, dtype=pl.String, eager=True)
    old = {f"old_{name}": choose(moved, before[name], nobody) for name in ADDRESS}
    when = draw.as_of_us - draw.ints(30, 1600, count)[dwelling] * DAY_US
    return now.with_columns(**old, moved_on=days(np.where(moved, when, 0)))


def _places(towns: Ints, draw: Draw) -> pl.DataFrame:
    size = len(towns)
    number = pl.Series(1 + (160 * draw.rng.random(size) ** 2).astype(np.int64)).cast(pl.String)
    rows = atlas().towns.select("postcode", "city", "province")[towns]
    return rows.with_columns(street=draw.pick(STREETS, size) + " " + number)
