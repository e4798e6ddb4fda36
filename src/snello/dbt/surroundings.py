"""What dbt's profile and macros read from the environment by themselves: checked before anything is built."""

from __future__ import annotations

import os
import re
from datetime import date

import duckdb

from snello.errors import ConfigError


def check_surroundings(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise ``ConfigError`` where ``SNELLO_MEMORY`` is no amount of memory, or ``SNELLO_TODAY`` no day."""
    memory = os.environ.get("SNELLO_MEMORY")
    if memory is not None and not _is_amount(connection, memory):
        raise ConfigError("setting SNELLO_MEMORY", "it is no amount of memory", "write it like 8GB or 80%")
    today = os.environ.get("SNELLO_TODAY")
    if today and not _is_day(today):
        raise ConfigError("setting SNELLO_TODAY", "it is no day", "write it like 2026-11-01")


def _is_amount(connection: duckdb.DuckDBPyConnection, text: str) -> bool:
    try:
        connection.execute("set memory_limit = '" + text.replace("'", "''") + "'")
    except duckdb.Error:
        return False
    return True


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None
