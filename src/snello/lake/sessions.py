"""Sessions of DuckDB over one database in memory: to make a database costs more than most of what is asked of it."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def session() -> DuckDBPyConnection:
    """A session with temporary tables and views, settings and variables of its own, freed when it is closed.

    What is made there must be temporary: tables and views that are not belong to all sessions of the process.
    """
    return _database(os.getpid()).cursor()


@cache
def _database(_process: int) -> DuckDBPyConnection:
    """The database of this process: a child that was forked off has one of its own."""
    import duckdb  # a tenth of a second that readers of the manifest do not pay

    return duckdb.connect()
