"""Faults of the ledger's database by what the reader does next, in words without statement, values or password."""

from __future__ import annotations

import sqlite3
from typing import Any

from snello.errors import ConfigError, RetryLater, SnelloError

WHERE = "ledger"

_STOPPED = "it takes no writes, and nothing is sent without them"
_READ_ONLY = (_STOPPED, "let this user write the file and its folder, or set SNELLO_LEDGER")
_FULL = ("it has no room left to write", "make room on its disk, then run again: nothing is lost")
_DAMAGED = ("its file is no SQLite database, or damaged", "restore it from a backup, or set SNELLO_LEDGER")
_BUSY = ("another process has kept it busy for too long", "wait for its end, then run again")
_CLOSED = ("its file cannot be opened", "let this user read and write the file and its folder, or set SNELLO_LEDGER")

_SQLITE: dict[int, tuple[type[SnelloError], tuple[str, str]]] = {
    sqlite3.SQLITE_BUSY: (RetryLater, _BUSY),
    sqlite3.SQLITE_LOCKED: (RetryLater, _BUSY),
    sqlite3.SQLITE_READONLY: (ConfigError, _READ_ONLY),
    sqlite3.SQLITE_PERM: (ConfigError, _READ_ONLY),
    sqlite3.SQLITE_FULL: (RetryLater, _FULL),
    sqlite3.SQLITE_IOERR: (RetryLater, _FULL),
    sqlite3.SQLITE_CANTOPEN: (ConfigError, _CLOSED),
    sqlite3.SQLITE_CORRUPT: (ConfigError, _DAMAGED),
    sqlite3.SQLITE_NOTADB: (ConfigError, _DAMAGED),
}

_ENTRY = ("it does not let us in", "mend user, password and database in SNELLO_LEDGER")
_STANDBY = (_STOPPED, "point SNELLO_LEDGER at the primary, or at a database we may write")

_POSTGRESQL: dict[str, tuple[type[SnelloError], tuple[str, str]]] = {
    "25006": (ConfigError, _STANDBY),
    "42501": (ConfigError, _STANDBY),
    "28000": (ConfigError, _ENTRY),
    "28P01": (ConfigError, _ENTRY),
    "3D000": (ConfigError, _ENTRY),
    "53100": (RetryLater, _FULL),
}


def fault_of(error: Any) -> SnelloError:
    """The fault behind an error of a driver, ours or Arrow's."""
    code = getattr(error, "sqlite_errorcode", None) or getattr(error, "vendor_code", None)
    found = _POSTGRESQL.get(getattr(error, "sqlstate", None) or "")
    if found is None and isinstance(code, int):
        found = _SQLITE.get(code & 0xFF)  # the rest of an extended code says where
    if found is None:
        what = f"its database does not answer ({type(error).__name__})"
        return RetryLater(WHERE, what, "check that it is up, has room and takes writes; run again")
    kind, words = found
    return kind(WHERE, *words)
