"""How a source writes a person down: the truth bent by that source's own habits and slips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from snello.sandbox.draw import DAY_US, Draw, Ints, Mask
from snello.sandbox.people import People
from snello.sandbox.taxcode import homocoded
from snello.sandbox.texts import apostrophised, blank, choose, mapped, patch, typos

PLACEHOLDER_EMAILS = ("info@aurora.example", "nd@nd.example", "noemail@aurora.example", "n/d")
PLACEHOLDER_PHONES = ("0000000000", "3333333333", "n/d", "-", "9999999999")
ADDRESS = ("street", "postcode", "city", "province")


@dataclass(frozen=True)
class Habits:
    """Shares of records that a source leaves wanting in each way; all faults are independent of each other."""

    typo: float = 0.02
    swapped: float = 0.008
    married: float = 0.3
    short_name: float = 0.3
    shouted: float = 0.2
    no_birth: float = 0.15
    birth_slip: float = 0.008
    no_sex: float = 0.1
    no_tax_code: float = 0.3
    wrong_check: float = 0.008
    homocody: float = 0.003
    no_email: float = 0.15
    second_email: float = 0.12
    family_email: float = 0.3
    bad_email: float = 0.006
    odd_email: float = 0.006
    email_typo: float = 0.004
    no_phone: float = 0.15
    placeholder: float = 0.012
    stale_address: float = 0.12
    no_address: float = 0.05
    wrong_postcode: float = 0.01
    abbreviated: float = 0.2


def observe(people: People, who: Ints, at_us: Ints, habits: Habits, draw: Draw) -> pl.DataFrame:
    """One row a record about the persons ``who``, written down at the moments ``at_us``."""
    real = people.frame[who]
    names = _names(real, habits, draw)
    size = len(who)
    seen = names.with_columns(
        birth_date=_births(real["birth_date"], habits, draw),
        sex=blank(real["sex"], draw.chance(size, habits.no_sex)),
        tax_code=_tax_codes(real["tax_code"], habits, draw),
        email=_emails(real, habits, draw),
        phone=_phones(real["landline"], habits, draw),
        mobile=_phones(real["mobile"], habits, draw),
    )
    seen = seen.hstack(_addresses(real, at_us, habits, draw))
    shouted = pl.Series(draw.chance(size, habits.shouted))
    return seen.with_columns(
        seen[name].str.to_uppercase().zip_with(shouted, seen[name])
        for name in ("first_name", "last_name", "street", "city")
    )


def _names(real: pl.DataFrame, habits: Habits, draw: Draw) -> pl.DataFrame:
    size = real.height
    first, last = real["first_name"], real["last_name"]
    cut = draw.chance(size, habits.short_name)
    first = choose(cut, first.str.extract(r"^(\S+)"), first)
    married = draw.chance(size, habits.married) & real["married_name"].is_not_null().to_numpy()
    last = choose(married, real["married_name"], last)
    old_style = draw.chance(size, 0.5)
    first, last = (choose(old_style, mapped(name, apostrophised), name) for name in (first, last))
    first, last = (typos(name, draw.chance(size, habits.typo), draw) for name in (first, last))
    swapped = draw.chance(size, habits.swapped)
    return pl.DataFrame({"first_name": choose(swapped, last, first), "last_name": choose(swapped, first, last)})


def _births(birth: pl.Series, habits: Habits, draw: Draw) -> pl.Series:
    """Missing now and then; a slip swaps day and month where that is a date, else moves the year by ten."""
    size = len(birth)
    day, month, year = (getattr(birth.dt, part)().cast(pl.Int32) for part in ("day", "month", "year"))
    swap = day <= 12
    frame = pl.DataFrame({"d": day.clip(1, 28), "m": month, "y": year, "swap": swap})
    slipped = frame.select(
        pl.when("swap").then(pl.date("y", "d", "m")).otherwise(pl.date(pl.col("y") - 10, "m", "d")).alias("b")
    )["b"]
    birth = choose(draw.chance(size, habits.birth_slip), slipped, birth)
    return blank(birth, draw.chance(size, habits.no_birth))


def _tax_codes(codes: pl.Series, habits: Habits, draw: Draw) -> pl.Series:
    size = len(codes)
    homocody = draw.chance(size, habits.homocody)
    count = int(homocody.sum())
    codes = patch(codes, homocody, homocoded(codes.filter(pl.Series(homocody)), draw.ints(0, 2, count)))
    wrong = draw.chance(size, habits.wrong_check)
    hurt = codes.filter(pl.Series(wrong))
    off_by_one = hurt.str.slice(15).str.replace_many(
        list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), list("BCDEFGHIJKLMNOPQRSTUVWXYZA")
    )
    codes = patch(codes, wrong, hurt.str.slice(0, 15) + off_by_one)
    codes = choose(draw.chance(size, 0.06), codes.str.to_lowercase(), codes)
    codes = blank(codes, draw.chance(size, habits.no_tax_code))
    vague = draw.chance(size, habits.placeholder)
    return patch(codes, vague, draw.pick(["n/d", "XXXXXXXXXXXXXXXX", "", "ND"], int(vague.sum())))


def _emails(real: pl.DataFrame, habits: Habits, draw: Draw) -> pl.Series:
    size = real.height
    email = real["email"]
    second = draw.chance(size, habits.second_email) & real["email_2"].is_not_null().to_numpy()
    email = choose(second, real["email_2"], email)
    family = draw.chance(size, habits.family_email) & real["family_email"].is_not_null().to_numpy()
    email = choose(family, real["family_email"], email)
    email = typos(email, draw.chance(size, habits.email_typo) & email.is_not_null().to_numpy(), draw)
    # Right by the standard, and refused by some channels all the same.
    odd = pl.Series(draw.chance(size, habits.odd_email))
    email = email.str.replace("@", "#@", literal=True).zip_with(odd, email)
    email = _broken(email, draw.chance(size, habits.bad_email) & email.is_not_null().to_numpy(), draw)
    email = choose(draw.chance(size, 0.08), email.str.to_titlecase(), email)
    email = blank(email, draw.chance(size, habits.no_email))
    vague = draw.chance(size, habits.placeholder)
    return patch(email, vague, draw.pick(PLACEHOLDER_EMAILS, int(vague.sum())))


def _broken(email: pl.Series, where: Mask, draw: Draw) -> pl.Series:
    """Addresses that no mail server takes: no domain, two at signs, a blank, a comma for the dot."""
    frame = pl.DataFrame({"e": email.filter(pl.Series(where)), "k": draw.ints(0, 3, int(where.sum()))})
    e, k = pl.col("e"), pl.col("k")
    broken = (
        pl.when(k == 0).then(e.str.replace(r"@.*", "@"))
        .when(k == 1).then(e.str.replace("@", "@@", literal=True))
        .when(k == 2).then(e.str.replace("@", " @", literal=True))
        .otherwise(e.str.replace(r"\.example$", ",example"))
    )  # fmt: skip
    return patch(email, where, frame.select(broken.alias("e"))["e"])


def _phones(numbers: pl.Series, habits: Habits, draw: Draw) -> pl.Series:
    """Numbers in the many spellings that people type."""
    size = len(numbers)
    numbers = blank(written(numbers, draw), draw.chance(size, habits.no_phone))
    vague = draw.chance(size, habits.placeholder)
    return patch(numbers, vague, draw.pick(PLACEHOLDER_PHONES, int(vague.sum())))


def written(numbers: pl.Series, draw: Draw) -> pl.Series:
    """National numbers with country codes, blanks, slashes and hyphens, or as they are."""
    frame = pl.DataFrame({"p": numbers, "k": draw.index((0.52, 0.15, 0.06, 0.13, 0.07, 0.07), len(numbers))})
    number, kind = pl.col("p"), pl.col("k")
    head, tail = number.str.slice(0, 3), number.str.slice(3)
    shape = (
        pl.when(kind == 0).then(number)
        .when(kind == 1).then("+39 " + head + " " + tail)
        .when(kind == 2).then("0039" + number)
        .when(kind == 3).then(head + " " + tail)
        .when(kind == 4).then(head + "/" + tail)
        .otherwise("+39" + number)
    )  # fmt: skip
    return frame.select(shape.alias("p"))["p"]


def _addresses(real: pl.DataFrame, at_us: Ints, habits: Habits, draw: Draw) -> pl.DataFrame:
    """The address of then; for some who moved still the old one; for some none."""
    size = real.height
    moved_on = real["moved_on"]
    before = (moved_on.cast(pl.Int64) * DAY_US > pl.Series(at_us)).fill_null(False).to_numpy()
    stale = (before | draw.chance(size, habits.stale_address)) & moved_on.is_not_null().to_numpy()
    place = pl.DataFrame({name: choose(stale, real[f"old_{name}"], real[name]) for name in ADDRESS})
    street = place["street"]
    short = street.str.replace_many(["Via ", "Viale ", "Piazza ", "Corso "], ["V. ", "V.le ", "P.zza ", "C.so "])
    street = choose(draw.chance(size, habits.abbreviated), short, street)
    street = choose(draw.chance(size, 0.2), street.str.replace(r" (\d)", ", $1"), street)
    elsewhere = place["postcode"].gather((np.arange(size) + 7) % max(size, 1))
    postcode = choose(draw.chance(size, habits.wrong_postcode), elsewhere, place["postcode"])
    place = place.with_columns(street=street, postcode=blank(postcode, draw.chance(size, habits.no_address)))
    none = draw.chance(size, habits.no_address)
    return pl.DataFrame({name: blank(place[name], none) for name in ADDRESS})


def doubled(size: int, share: float, draw: Draw) -> Ints:
    """Positions of subjects with some of them twice: the same person entered anew."""
    return np.concatenate([np.arange(size), np.flatnonzero(draw.chance(size, share))])
