"""How each stream writes people down: what it asks for, and how often it gets an answer.

- ``counter/customers`` knows most, ``counter/cards`` and ``web/accounts`` some; ``web/forms`` a name and a telephone,
  or a name and an address, and nothing else
- of the true pairs about half share neither tax code nor e-mail
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from snello.sandbox.draw import DAY_US, Draw, Floats, Ints, Mask, instants
from snello.sandbox.families import slips
from snello.sandbox.families.people import ADDRESS
from snello.sandbox.families.placeholders import place
from snello.sandbox.observe import written
from snello.sandbox.texts import blank, choose

HOW_MANY = {1: 0.28, 2: 0.3, 3: 0.2, 4: 0.12, 5: 0.06, 6: 0.03, 8: 0.01}
YEARS = 6
OWN_MOBILE, OLD_MOBILE, SECOND_EMAIL, FAMILY_EMAIL, STALE, SHOUTED = 0.75, 0.4, 0.3, 0.15, 0.2, 0.15


class Stream(NamedTuple):
    """The share of all records that a stream holds, and of its records those with each field."""

    source: str
    name: str
    share: float
    birth: float
    sex: float
    tax_code: float
    email: float
    phone: float
    address: float


STREAMS = (
    Stream("counter", "customers", 0.34, 0.92, 0.8, 0.88, 0.6, 0.85, 0.92),
    Stream("counter", "cards", 0.27, 0.8, 0.7, 0.65, 0.55, 0.85, 0.75),
    Stream("web", "accounts", 0.23, 0.5, 0.1, 0.45, 0.98, 0.7, 0.65),
    Stream("web", "forms", 0.16, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5),
)
FORMS = 3


def write_down(people: pl.DataFrame, draw: Draw) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Records in a random order under ids that say nothing, and of whom each speaks with what was bent in it."""
    counts = np.array(list(HOW_MANY))[draw.index(list(HOW_MANY.values()), people.height)]
    who = draw.rng.permutation(np.repeat(np.arange(people.height), counts))
    stream = draw.index([one.share for one in STREAMS], len(who))
    real = people[who]
    at = draw.as_of_us - draw.ints(1, YEARS * 365 * 86_400, len(who)) * (DAY_US // 86_400)
    names = slips.names(real, draw)
    birth, wrong_birth = slips.births(real["birth_date"], draw)
    code, wrong_code = slips.tax_codes(people, who, draw)
    address, moved = _address(real, at, draw)
    seen = pl.DataFrame(
        {
            "source": pl.Series([one.source for one in STREAMS]).gather(stream),
            "stream": pl.Series([one.name for one in STREAMS]).gather(stream),
            "record_key": _opaque(len(who), draw),
            "first_name": names["first_name"],
            "last_name": names["last_name"],
            "birth_date": birth,
            "sex": real["sex"],
            "tax_code": code,
            "email": _email(real, draw),
            "phone": _phone(real, draw),
        }
    ).hstack(address)
    seen = _left_out(seen, stream, draw)
    seen = place(seen.with_columns(observed_at=instants(at)), draw)
    shouted = pl.Series(draw.chance(len(who), SHOUTED))
    loud = ("first_name", "last_name", "street", "city")
    truth = seen.select("source", "stream", "record_key", "placeholder").with_columns(
        pl.Series("person_id", who),
        names["name_bent"],
        names["married"],
        pl.Series("wrong_birth", wrong_birth) & seen["birth_date"].is_not_null(),
        pl.Series("wrong_code", wrong_code) & seen["tax_code"].is_not_null(),
        pl.Series("moved", moved) & seen["street"].is_not_null(),
    )
    seen = seen.drop("placeholder").with_columns(
        seen[name].str.to_uppercase().zip_with(shouted, seen[name]) for name in loud
    )
    return seen, truth


def _opaque(size: int, draw: Draw) -> pl.Series:
    """Distinct ids in no order: a walk over forty bits with an odd stride."""
    start, stride = int(draw.ints(0, 2**40 - 1, 1)[0]), 0x9E3779B97F | 1
    numbers = (np.arange(size, dtype=np.uint64) * np.uint64(stride) + np.uint64(start)) & np.uint64(2**40 - 1)
    return pl.Series(np.char.mod("%010x", numbers), dtype=pl.String)


def _email(real: pl.DataFrame, draw: Draw) -> pl.Series:
    size = real.height
    email = real["email"]
    for share, other in ((SECOND_EMAIL, real["email_2"]), (FAMILY_EMAIL, real["family_email"])):
        email = choose(draw.chance(size, share) & other.is_not_null().to_numpy(), other, email)
    email = slips.mistyped(email, slips.EMAIL_TYPO, draw)
    return choose(draw.chance(size, 0.1), email.str.to_titlecase(), email)


def _phone(real: pl.DataFrame, draw: Draw) -> pl.Series:
    """The family's number or the own mobile, sometimes one that was given up."""
    size = real.height
    old = draw.chance(size, OLD_MOBILE) & real["old_mobile"].is_not_null().to_numpy()
    mobile = choose(old, real["old_mobile"], real["mobile"])
    own = draw.chance(size, OWN_MOBILE) | real["home_phone"].is_null().to_numpy()
    return written(slips.digits_slipped(choose(own, mobile, real["home_phone"]), slips.PHONE_TYPO, draw), draw)


def _address(real: pl.DataFrame, at_us: Ints, draw: Draw) -> tuple[pl.DataFrame, Mask]:
    """The address of then, or one out of date; and which are not of today."""
    had = real["old_street"].is_not_null().to_numpy()
    before = real["moved_on"].cast(pl.Int64).to_numpy() * DAY_US > at_us
    moved = had & (before | draw.chance(real.height, STALE))
    frame = pl.DataFrame({name: choose(moved, real[f"old_{name}"], real[name]) for name in ADDRESS})
    return frame.with_columns(street=slips.streets(frame["street"], draw)), moved


def _left_out(seen: pl.DataFrame, stream: Ints, draw: Draw) -> pl.DataFrame:
    """The records without what their stream did not ask for or was not told."""

    def asked(field: str) -> Floats:
        return np.array([getattr(one, field) for one in STREAMS])[stream]

    size = seen.height
    form = stream == FORMS
    telephone = draw.chance(size, asked("phone"))
    address = np.where(form, ~telephone, draw.chance(size, asked("address")))
    absent = {
        "birth_date": ~draw.chance(size, asked("birth")),
        "sex": ~draw.chance(size, asked("sex")),
        "tax_code": ~draw.chance(size, asked("tax_code")),
        "email": ~draw.chance(size, asked("email")),
        "phone": ~telephone,
        **dict.fromkeys(ADDRESS, ~address),
    }
    return seen.with_columns(blank(seen[name], gone).alias(name) for name, gone in absent.items())
