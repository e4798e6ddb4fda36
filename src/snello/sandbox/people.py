"""The people as they really are: names, tax codes, homes, addresses, and how they live as customers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from snello.sandbox import contacts, households
from snello.sandbox.atlas import STREETS, atlas
from snello.sandbox.draw import DAY_US, Draw, Floats, Ints, Mask, days
from snello.sandbox.taxcode import tax_codes
from snello.sandbox.texts import choose, patch

BORN_ABROAD, BORN_AT_HOME = 0.06, 0.55
HOME_MOVED, PERSON_MOVED = 0.07, 0.04

# Profile: share, days since the last sign of life (from, to), how busy.
PROFILES = {
    "loyal": (0.13, 0, 45, 3.2),
    "regular": (0.34, 5, 240, 1.4),
    "occasional": (0.24, 60, 540, 0.6),
    "absent": (0.21, 500, 1500, 0.9),
    "new": (0.08, 0, 60, 0.5),
}
ATTITUDES = {"warm": 0.48, "cold": 0.24, "silent": 0.28}
EARLIEST_DAYS = 2200


@dataclass(frozen=True)
class People:
    """Everybody in the world; the row number is the ``person_id``.

    - ``frame``: the columns of ``people.parquet``
    - ``joined_us``, ``active_us``: first and last sign of life, microseconds since 1970
    - ``busy``: how much each person does, around one
    """

    frame: pl.DataFrame
    joined_us: Ints
    active_us: Ints
    busy: Floats

    def __len__(self) -> int:
        return self.frame.height

    def is_(self, column: str, value: str) -> Mask:
        """Mask of the people whose ``column`` equals ``value``."""
        return (self.frame[column] == value).fill_null(False).to_numpy()


def make_people(size: int, seed: int, as_of: datetime) -> People:
    """Draw ``size`` people in households."""
    draw = Draw(seed, "people", as_of)
    homes = households.settle(size, draw)
    frame = _identity(homes, draw)
    frame = frame.hstack(_addresses(homes, frame["town"].to_numpy(), draw))
    frame = frame.hstack(contacts.reached(frame, homes, draw))
    return _lives(frame.drop("prefix", "town"), Draw(seed, "lives", as_of))


def _identity(homes: households.Homes, draw: Draw) -> pl.DataFrame:
    """Who they are: ids, names, birth, tax code."""
    size = len(homes.home)
    man, born_on = households.sexes(homes, draw), households.born(homes, draw)
    names = households.named(homes, man, born_on, draw)
    town = draw.index(atlas().weights, int(homes.home[-1]) + 1)[homes.home]
    place = _birthplaces(town, homes, born_on, draw)
    chosen, others, same_day = households.homonyms(homes, draw)
    rows = np.arange(size)
    rows[chosen] = others
    born_on[chosen[same_day]] = born_on[others[same_day]]
    sex = pl.Series(np.where(man, "M", "F")).gather(rows)
    first, last = names["first_name"].gather(rows), names["last_name"].gather(rows)
    birth = days(born_on * DAY_US)
    return pl.DataFrame(
        {
            "person_id": np.arange(size),
            "household_id": homes.home,
            "role": pl.Series(["head", "partner", "child"]).gather(homes.role),
            "first_name": first,
            "last_name": last,
            "married_name": names["married_name"],
            "birth_date": birth,
            "sex": sex,
            "birthplace": place,
            "tax_code": tax_codes(last, first, birth, sex, place),
            "town": town,
        }
    )


def _birthplaces(town: Ints, homes: households.Homes, born_on: Ints, draw: Draw) -> pl.Series:
    """Cadastral codes: half at home, some in another town, a few abroad; twins in one place."""
    places = atlas()
    size = len(town)
    elsewhere = np.where(draw.chance(size, BORN_AT_HOME), town, draw.index(places.weights, size))
    codes = places.towns["belfiore"].gather(elsewhere)
    abroad = draw.chance(size, BORN_ABROAD)
    codes = patch(codes, abroad, draw.pick(places.countries, int(abroad.sum())))
    twin = (born_on == np.roll(born_on, 1)) & (homes.home == np.roll(homes.home, 1)) & (homes.position > 0)
    return codes.gather(np.where(twin, np.arange(size) - 1, np.arange(size)))


def _addresses(homes: households.Homes, town: Ints, draw: Draw) -> pl.DataFrame:
    """Where they live, where those who moved lived before, and since when."""
    count, size = int(homes.home[-1]) + 1, len(homes.home)
    now = _places(town[homes.position == 0], draw)[homes.home]
    before_home = _places(draw.index(atlas().weights, count), draw)[homes.home]
    before_own = _places(draw.index(atlas().weights, size), draw)
    home_moved = draw.chance(count, HOME_MOVED)[homes.home]
    own_moved = draw.chance(size, PERSON_MOVED)
    moved = home_moved | own_moved
    nobody = pl.repeat(None, size, dtype=pl.String, eager=True)
    before = {
        f"old_{name}": choose(home_moved, before_home[name], choose(own_moved, before_own[name], nobody))
        for name in ("street", "postcode", "city", "province")
    }
    moved_on = pl.Series(days(draw.as_of_us - draw.ints(30, 1600, size) * DAY_US)).set(pl.Series(~moved), None)
    return now.with_columns(**before, moved_on=moved_on)


def _places(towns: Ints, draw: Draw) -> pl.DataFrame:
    size = len(towns)
    number = pl.Series(1 + (160 * draw.rng.random(size) ** 2).astype(np.int64)).cast(pl.String)
    letter = draw.pick(["", "/A", "/B", " bis"], size, (0.93, 0.03, 0.02, 0.02))
    street = pl.DataFrame({"s": draw.pick(STREETS, size), "n": number, "l": letter})
    rows = atlas().towns.select("postcode", "city", "province", "prefix")[towns]
    return rows.with_columns(street=street.select(pl.concat_str("s", pl.lit(" "), "n", "l")).to_series())


def _lives(frame: pl.DataFrame, draw: Draw) -> People:
    """When each person came and was last seen, how busy and how willing they are."""
    size = frame.height
    kinds = list(PROFILES)
    kind = draw.index([PROFILES[name][0] for name in kinds], size)
    table = np.array([PROFILES[name][1:] for name in kinds])[kind]
    ago = table[:, 0] + (table[:, 1] - table[:, 0]) * draw.rng.random(size)
    active = draw.as_of_us - (ago * DAY_US).astype(np.int64) - draw.ints(0, 80_000, size) * 1_000_000
    earliest = np.where(kind == kinds.index("new"), ago + 40, EARLIEST_DAYS)
    joined_ago = ago + 10 + (earliest - ago - 10) * draw.rng.random(size)
    frame = frame.with_columns(
        profile=pl.Series(kinds).gather(kind),
        attitude=draw.pick(list(ATTITUDES), size, list(ATTITUDES.values())),
    )
    busy = table[:, 2] * (0.5 + draw.rng.random(size))
    return People(frame, draw.as_of_us - (joined_ago * DAY_US).astype(np.int64), active, busy)
