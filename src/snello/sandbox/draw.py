"""Seeded chance, one stream of it a topic, so that changing one source leaves the others as they were."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

DAY_US = 86_400_000_000
OPENING_US, OPEN_HOURS = 6 * 3_600_000_000, 14


class Draw:
    """Random values for one topic of one world; the same seed, topic and order of calls give the same values."""

    def __init__(self, seed: int, topic: str, as_of: datetime) -> None:
        self.seed, self.topic = seed, topic
        self.rng = np.random.default_rng([seed, *topic.encode()])
        self.as_of = as_of
        self.as_of_us = int(as_of.timestamp()) * 1_000_000

    def apart(self, part: str) -> Draw:
        """Values for a part of the topic, on which nothing else that is drawn for the topic hangs."""
        return Draw(self.seed, f"{self.topic}/{part}", self.as_of)

    def chance(self, size: int, probability: float | Floats) -> Mask:
        """Mask that is true with the given probability, one for all or one each."""
        return np.asarray(self.rng.random(size) < probability)

    def ints(self, low: int, high: int, size: int) -> Ints:
        """Whole numbers from ``low`` to ``high``, both included."""
        return np.asarray(self.rng.integers(low, high, size, endpoint=True, dtype=np.int64))

    def index(self, weights: Sequence[float] | Floats, size: int) -> Ints:
        """Positions in ``weights``, drawn in proportion to them."""
        steps = np.cumsum(np.asarray(weights, dtype=np.float64))
        found = np.searchsorted(steps, self.rng.random(size) * steps[-1], side="right")
        return np.asarray(np.minimum(found, len(steps) - 1).astype(np.int64))

    def pick(
        self, values: Sequence[str | None], size: int, weights: Sequence[float] | Floats | None = None
    ) -> pl.Series:
        """Texts drawn from ``values``, evenly or by weight."""
        drawn = self.index(weights, size) if weights is not None else self.ints(0, len(values) - 1, size)
        return pl.Series(values, dtype=pl.String).gather(drawn)

    def counts(self, mean: float | Floats, size: int) -> Ints:
        """How many events each of ``size`` subjects has, around the mean."""
        return self.rng.poisson(mean, size).astype(np.int64)

    def within(self, first_us: Ints, last_us: Ints, lean: float = 1.0) -> Ints:
        """Moments between two bounds in microseconds since 1970; a ``lean`` above one gathers them near the end."""
        share = self.rng.random(len(first_us)) ** lean
        return last_us - ((last_us - first_us) * share).astype(np.int64)


def spread(counts: Ints) -> Ints:
    """Position of the subject of each event, for subjects with that many events."""
    return np.repeat(np.arange(len(counts), dtype=np.int64), counts)


def daytime(micros: Ints) -> Ints:
    """The same moments in the same order, in whole seconds, each day's pressed into the hours when people are about."""
    day = micros - micros % DAY_US
    seconds = (OPENING_US + micros % DAY_US * OPEN_HOURS // 24) // 1_000_000
    return np.asarray(day + seconds * 1_000_000)


def instants(micros: Ints) -> pl.Series:
    """UTC timestamps by day, in whole seconds as business systems keep them."""
    return pl.Series(daytime(micros)).cast(pl.Datetime("us", "UTC"))


def days(micros: Ints) -> pl.Series:
    """Dates of moments given in microseconds since 1970."""
    return pl.Series(micros // DAY_US).cast(pl.Int32).cast(pl.Date)
