"""How names, dates, codes and addresses go wrong on their way into a record; each share is of the records.

Names: 10 in 100 mistyped, 20 a nickname where the name has one, 8 with their halves turned, 6 an initial. Birth dates:
2.5 in 100 with day and month turned where that is a date, 2.5 with one part wrong. Tax codes: 1.5 in 100 fail their
check, 1.2 are those of a relative or of a stranger, 1 is a homocody. E-mails: 2 in 100 mistyped. Telephones: 1.5.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from snello.sandbox.draw import Draw, Ints, Mask
from snello.sandbox.taxcode import homocoded
from snello.sandbox.texts import apostrophised, choose, mapped, patch, typos

TYPO, NICKNAME, SWAPPED, INITIAL, SHORT = 0.1, 0.2, 0.08, 0.06, 0.4
MARRIED = 0.5
DAY_MONTH, WRONG_DIGIT = 0.025, 0.025
BAD_CHECK, SOMEBODY_ELSE, HOMOCODY = 0.015, 0.012, 0.01
EMAIL_TYPO, PHONE_TYPO = 0.02, 0.015
NICKNAMES = {
    "Giuseppe": "Beppe", "Francesco": "Franco", "Giovanni": "Gianni", "Antonio": "Tonino", "Salvatore": "Totò",
    "Luigi": "Gigi", "Vincenzo": "Enzo", "Alessandro": "Sandro", "Domenico": "Mimmo", "Pasquale": "Lino",
    "Roberto": "Robi", "Stefano": "Ste", "Federico": "Fede", "Tommaso": "Tom", "Leonardo": "Leo", "Edoardo": "Edo",
    "Raffaele": "Lello", "Lorenzo": "Renzo", "Massimiliano": "Max", "Daniele": "Dani", "Andrea": "Andy",
    "Giuseppina": "Pina", "Francesca": "Franca", "Giovanna": "Gianna", "Antonietta": "Tonia", "Elisabetta": "Betta",
    "Caterina": "Rina", "Alessandra": "Sandra", "Valentina": "Vale", "Federica": "Fede", "Margherita": "Rita",
    "Teresa": "Resi", "Michela": "Miky", "Martina": "Marti", "Loredana": "Lory", "Elena": "Lena", "Barbara": "Barbi",
    "Patrizia": "Patty", "Concetta": "Tina", "Graziella": "Lella", "Beatrice": "Bea", "Maria": "Mary",
}  # fmt: skip


def names(real: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """``first_name, last_name`` as written, and which of them were not the person's own: ``name_bent``, ``married``."""
    size = real.height
    first, last = real["first_name"], real["last_name"]
    first = choose(draw.chance(size, SHORT), first.str.extract(r"^(\S+)"), first)
    nick = draw.chance(size, NICKNAME) & first.is_in(list(NICKNAMES)).to_numpy()
    first = choose(nick, mapped(first, lambda name: NICKNAMES.get(name, name)), first)
    married = draw.chance(size, MARRIED) & real["married_name"].is_not_null().to_numpy()
    last = choose(married, real["married_name"], last)
    old_style = draw.chance(size, 0.5)
    first, last = (choose(old_style, mapped(name, apostrophised), name) for name in (first, last))
    slipped = draw.chance(size, TYPO)
    half = draw.chance(size, 0.5)
    first, last = typos(first, slipped & half, draw), typos(last, slipped & ~half, draw)
    initial = draw.chance(size, INITIAL)
    first = choose(initial, first.str.slice(0, 1) + ".", first)
    swapped = draw.chance(size, SWAPPED)
    first, last = choose(swapped, last, first), choose(swapped, first, last)
    return pl.DataFrame(
        {"first_name": first, "last_name": last, "name_bent": nick | slipped | initial | swapped, "married": married}
    )


def births(birth: pl.Series, draw: Draw) -> tuple[pl.Series, Mask]:
    """Birth dates as written, and which are wrong."""
    size = len(birth)
    turned = draw.chance(size, DAY_MONTH) & (birth.dt.day() <= 12).to_numpy()
    digit = draw.chance(size, WRONG_DIGIT) & ~turned
    frame = pl.DataFrame({"b": birth, "t": turned, "d": digit, "by": draw.pick(["10y", "1y", "1d", "10d"], size)})
    back = pl.col("b").dt.offset_by("-" + pl.col("by"))
    swap = pl.date(pl.col("b").dt.year(), pl.col("b").dt.day().clip(1, 12), pl.col("b").dt.month())
    written = frame.select(pl.when("t").then(swap).when("d").then(back).otherwise("b").alias("b"))["b"]
    return written, np.asarray((written != birth).to_numpy())


def tax_codes(people: pl.DataFrame, who: Ints, draw: Draw) -> tuple[pl.Series, Mask]:
    """Tax codes as written, and which are somebody else's: of a relative where there is one."""
    size = len(who)
    home = people["household_id"].to_numpy()
    beside = np.where(np.roll(home, -1) == home, 1, np.where(np.roll(home, 1) == home, -1, 0))[who]
    stranger = draw.ints(0, people.height - 1, size)
    other = np.where(beside != 0, who + beside, stranger)
    wrong = draw.chance(size, SOMEBODY_ELSE) & (other != who)
    codes = people["tax_code"].gather(np.where(wrong, other, who))
    variant = draw.chance(size, HOMOCODY)
    chosen = codes.filter(pl.Series(variant))
    codes = patch(codes, variant, homocoded(chosen, draw.ints(0, 2, len(chosen))))
    failed = draw.chance(size, BAD_CHECK)
    hurt = codes.filter(pl.Series(failed))
    letters = list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    codes = patch(
        codes, failed, hurt.str.slice(0, 15) + hurt.str.slice(15).str.replace_many(letters, [*letters[3:], *"ABC"])
    )
    return choose(draw.chance(size, 0.08), codes.str.to_lowercase(), codes), wrong


def mistyped(texts: pl.Series, share: float, draw: Draw) -> pl.Series:
    """Some of the texts that are there, with a slip of the keyboard."""
    return typos(texts, draw.chance(len(texts), share) & texts.is_not_null().to_numpy(), draw)


def digits_slipped(numbers: pl.Series, share: float, draw: Draw) -> pl.Series:
    """Some of the numbers that are there, with their last digit changed."""
    frame = pl.DataFrame({"n": numbers, "d": draw.ints(1, 9, len(numbers))})
    last = (pl.col("n").str.slice(-1).cast(pl.Int64, strict=False) + pl.col("d")) % 10
    slipped = frame.select((pl.col("n").str.head(-1) + last.cast(pl.String)).alias("n"))["n"]
    return choose(draw.chance(len(numbers), share), slipped, numbers)


def streets(street: pl.Series, draw: Draw) -> pl.Series:
    """Streets as people write them: shortened, with a comma before the number, mistyped."""
    size = len(street)
    short = street.str.replace_many(["Via ", "Viale ", "Piazza ", "Corso "], ["V. ", "V.le ", "P.zza ", "C.so "])
    street = choose(draw.chance(size, 0.25), short, street)
    street = choose(draw.chance(size, 0.25), street.str.replace(r" (\d)", ", $1"), street)
    return mistyped(street, 0.02, draw)
