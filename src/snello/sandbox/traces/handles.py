"""Who has an account at the open social networks, and the handle it bears: alike for every source that tells of it."""

from __future__ import annotations

import numpy as np
import polars as pl

from snello.sandbox.draw import Ints
from snello.sandbox.people import People
from snello.sandbox.texts import mapped, plain

ONE_IN = 50
DOMAIN = "social.example"
# Knuth's multiplicative hash, whose upper bits are spread evenly: a pattern in the positions is none in the accounts.
MULTIPLIER, BITS = 2_654_435_761, 32
LONGEST_NAME = 20


def fans(people: People) -> Ints:
    """Positions of those who have an account, in order: two in a hundred, by their position alone."""
    mixed = np.arange(len(people), dtype=np.int64) * MULTIPLIER % (1 << BITS)
    return np.flatnonzero(mixed >> 8 < (1 << BITS - 8) // ONE_IN)


def handle(people: People, who: Ints) -> pl.Series:
    """The handles of the persons ``who``, lower case, no two persons' alike: ``anna-rossi-17.social.example``."""
    real = people.frame[who]
    first, last = (mapped(real[name], plain).str.slice(0, LONGEST_NAME) for name in ("first_name", "last_name"))
    number = pl.Series(np.asarray(who), dtype=pl.Int64).cast(pl.String)
    return (first + "-" + last + "-" + number + "." + DOMAIN).alias("handle")
