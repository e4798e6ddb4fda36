"""E-mail addresses and telephone numbers of people and households.

Addresses live under ``.example`` only, which nobody can own.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from snello.sandbox.draw import Draw, Ints
from snello.sandbox.households import HEAD, Homes
from snello.sandbox.texts import blank, choose, mapped, plain

DOMAINS = ("posta.example", "mail.example", "libera.example", "rete.example", "casa.example", "tele.example")
DOMAIN_WEIGHTS = (0.38, 0.24, 0.14, 0.1, 0.08, 0.06)
WORK_DOMAINS = ("azienda.example", "studio.example", "ufficio.example")
MOBILE_PREFIXES = (
    "320", "327", "328", "329", "331", "333", "334", "335", "338", "339", "340", "345", "346", "347", "348", "349",
    "366", "380", "388", "389", "391", "392", "393",
)  # fmt: skip

NO_EMAIL, SECOND_EMAIL, FAMILY_EMAIL, LANDLINE, NO_MOBILE = 0.08, 0.24, 0.22, 0.5, 0.05
MOBILES_A_PREFIX = 10_000_000
STRIDE = 61_803_399
FIRST_LOCAL = 2


def reached(frame: pl.DataFrame, homes: Homes, draw: Draw) -> pl.DataFrame:
    """Own and second e-mail, the family's shared e-mail, own mobile, the household's landline."""
    size = frame.height
    local = _locals(frame, draw)
    email = unique(local, draw.pick(DOMAINS, size, DOMAIN_WEIGHTS))
    second = blank(unique(_locals(frame, draw), draw.pick(WORK_DOMAINS, size)), ~draw.chance(size, SECOND_EMAIL))
    return pl.DataFrame(
        {
            "email": blank(email, draw.chance(size, NO_EMAIL)),
            "email_2": second,
            "family_email": _family(frame, email, homes, draw),
            "mobile": blank(mobiles(np.arange(size), draw), draw.chance(size, NO_MOBILE)),
            "landline": _landlines(frame, homes, draw),
        }
    )


def _locals(frame: pl.DataFrame, draw: Draw) -> pl.Series:
    """The part before the @, in the shapes that people choose."""
    size = frame.height
    parts = pl.DataFrame(
        {
            "f": mapped(frame["first_name"], plain),
            "l": mapped(frame["last_name"], plain),
            "y": frame["birth_date"].dt.strftime("%y"),
            "k": draw.index((0.4, 0.16, 0.14, 0.16, 0.14), size),
        }
    )
    first, last, kind = pl.col("f"), pl.col("l"), pl.col("k")
    shape = (
        pl.when(kind == 0).then(first + "." + last)
        .when(kind == 1).then(first + last)
        .when(kind == 2).then(last + "." + first)
        .when(kind == 3).then(first + "." + last + pl.col("y"))
        .otherwise(first.str.slice(0, 1) + last + pl.col("y"))
    )  # fmt: skip
    return parts.select(shape.alias("local"))["local"]


def unique(local: pl.Series, domain: pl.Series) -> pl.Series:
    """Addresses; a name that is taken gets a number, as providers do."""
    frame = pl.DataFrame({"l": local, "d": domain})
    taken = pl.int_range(pl.len()).over("l", "d")
    number = pl.when(taken == 0).then(pl.lit("")).otherwise("." + (taken + 1).cast(pl.String))
    return frame.select((pl.col("l") + number + "@" + pl.col("d")).alias("e"))["e"]


def _family(frame: pl.DataFrame, email: pl.Series, homes: Homes, draw: Draw) -> pl.Series:
    """One address for the whole household: one of its own, or that of the head."""
    size = frame.height
    count = int(homes.home[-1]) + 1
    own = unique("famiglia." + mapped(frame["last_name"], plain), pl.repeat("casa.example", size, eager=True))
    shared = choose(draw.chance(count, 0.5)[homes.home], own.gather(homes.first), email.gather(homes.first))
    has = draw.chance(count, FAMILY_EMAIL)[homes.home] & (homes.size > 1)
    return blank(shared, ~has)


def mobiles(rows: Ints, draw: Draw) -> pl.Series:
    """A mobile number each, never the same twice: a walk over all numbers with a stride that divides none of them."""
    space = len(MOBILE_PREFIXES) * MOBILES_A_PREFIX
    number = (rows * STRIDE + int(draw.ints(0, space - 1, 1)[0])) % space
    prefix = pl.Series(MOBILE_PREFIXES).gather(number // MOBILES_A_PREFIX)
    return prefix + pl.Series(number % MOBILES_A_PREFIX).cast(pl.String).str.zfill(7)


def _landlines(frame: pl.DataFrame, homes: Homes, draw: Draw) -> pl.Series:
    """One number a household, with its province's prefix, for about half of them."""
    head = homes.role == HEAD
    heads = frame.filter(pl.Series(head)).select("prefix")
    # Numbers have nine or ten digits with the prefix; those of a prefix are walked like the mobiles.
    digits = (
        pl.when(pl.col("prefix").str.len_chars() <= FIRST_LOCAL)
        .then(8)
        .otherwise(10 - pl.col("prefix").str.len_chars())
    )
    span = pl.lit(10, dtype=pl.Int64).pow(digits - 1)
    start = pl.col("prefix").cast(pl.Int64) * int(draw.ints(10**6, 10**7, 1)[0])
    turn = (pl.int_range(pl.len()).over("prefix") * STRIDE + start) % (8 * span)
    number = heads.select(pl.col("prefix") + (turn + 2 * span).cast(pl.Int64).cast(pl.String)).to_series()
    number = blank(number, ~draw.chance(len(number), LANDLINE))
    return number.gather(np.cumsum(head) - 1)
