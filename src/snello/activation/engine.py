"""The ledger's database: SQLite in WAL mode, or PostgreSQL; by rows through SQLAlchemy (by columns: ``columns.py``)."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Engine, Table, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from snello.activation.ledger_faults import WHERE, fault_of
from snello.activation.tables import metadata
from snello.errors import ConfigError

BUSY_SECONDS = 30
LOG_PAGES = 16_000  # of 4 KiB: the default, a sixteenth of it, has nearly every page of a delivery copied at once
# SQLAlchemy asks SQLite for the columns of one table after the other
COLUMNS = "select m.name, c.name from sqlite_master as m, pragma_table_info(m.name) as c where m.type = 'table'"
KEEPALIVE_SECONDS = 60  # a channel may be slow for hours, and firewalls forget connections that say nothing


def open_engine(url: str) -> Engine:
    """An engine on the ledger at ``url``.

    Raises ``ConfigError`` when the URL is neither of SQLite nor of PostgreSQL, or its folder cannot be made.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "postgresql":
        # no pre-ping: a server that restarted has let go of the run's lock, and the run must not go on without it
        kept = {"keepalives_idle": KEEPALIVE_SECONDS}
        return create_engine(parsed.set(drivername="postgresql+psycopg"), hide_parameters=True, connect_args=kept)
    try:
        Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(WHERE, f"its folder cannot be made ({error.strerror})", "set SNELLO_LEDGER") from None
    engine = create_engine(parsed, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _lasting)
    return engine


def _parsed(url: str) -> URL:
    cure = "set SNELLO_LEDGER to sqlite:///path/ledger.db or postgresql://user:password@host/database"
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError):
        raise ConfigError(WHERE, "its URL does not parse", cure) from None
    if backend not in {"sqlite", "postgresql"}:
        raise ConfigError(WHERE, f"{backend} is not supported", cure)
    if backend == "sqlite" and not parsed.database:
        raise ConfigError(WHERE, "a ledger in memory is forgotten at the end of the run", cure)
    return parsed


def _lasting(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")  # the tap reads while the target writes
    cursor.execute("PRAGMA synchronous = FULL")  # each commit reaches the disk: what was written survives a power cut
    cursor.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")  # when it is copied into the file has no part in that
    cursor.close()


def furnish(engine: Engine) -> None:
    """Make the tables that are missing, and ``widen`` the others.

    Other processes may be at it as well: a fault is one only where nothing was made since the try before.
    """
    left = None
    while True:
        try:
            if _lacking(engine, metadata.tables):  # one question, where making asks one a table
                metadata.create_all(engine)
                widen(engine)
            return
        except DBAPIError:
            before, left = left, len(_lacking(engine, metadata.tables))
            if before is not None and left >= before:
                raise


def widen(engine: Engine) -> None:
    """Give the tables of an older ledger the columns that came since; they hold null for the rows of before."""
    for table, column in _lacking(engine, _there(engine)):
        kind = column.type.compile(engine.dialect)
        with engine.begin() as connection:
            connection.execute(text(f"alter table {table.name} add column {column.name} {kind}"))


def _lacking(engine: Engine, names: Collection[str]) -> list[tuple[Table, Column[Any]]]:
    """The columns of these tables that are not there; of a table that is not there, all."""
    there = _there(engine)
    tables = [table for table in metadata.sorted_tables if table.name in names]
    return [(table, one) for table in tables for one in table.columns if one.name not in there.get(table.name, ())]


def _there(engine: Engine) -> dict[str, set[str]]:
    """The columns of each table that is there."""
    if engine.dialect.name != "sqlite":
        found = inspect(engine).get_multi_columns()
        return {name: {one["name"] for one in columns} for (_, name), columns in found.items()}
    there: dict[str, set[str]] = {}
    with engine.connect() as connection:
        for table, column in connection.exec_driver_sql(COLUMNS):
            there.setdefault(table, set()).add(column)
    return there


@contextmanager
def told() -> Iterator[None]:
    """Tell a fault of the database in one sentence, without its statement and values."""
    try:
        yield
    except DBAPIError as error:
        raise fault_of(error.orig) from None
    except sqlite3.Error as error:  # from the pragmas of a new connection, which SQLAlchemy does not wrap
        raise fault_of(error) from None
