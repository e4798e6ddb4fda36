"""Moments as business software writes them into its database: texts in UTC, to the second."""

from __future__ import annotations

import polars as pl

from snello.sandbox.draw import Ints, instants

MOMENT = "%Y-%m-%d %H:%M:%S"


def moments(micros: Ints) -> pl.Series:
    """Texts of moments in microseconds since 1970, by day."""
    return instants(micros).dt.strftime(MOMENT)
