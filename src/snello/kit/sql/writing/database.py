"""A database that is written to: sessions that refuse what does not fit instead of cutting it, and work tried again."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import NullPool

from snello.errors import ConfigError, choices
from snello.kit.sql.source import CONNECT_SECONDS, Source
from snello.kit.sql.writing.faults import passing, told

Result = TypeVar("Result")
FIRST_WAIT = 0.1

# Zero dates and cut texts are faults, and times are in UTC, whatever the server's own settings are.
_SESSION: dict[str, tuple[str, ...]] = {
    "postgresql": ("set timezone = 'UTC'", "set datestyle = 'ISO, YMD'", "set lock_timeout = '{seconds}s'"),
    "mysql": (
        "set sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO'",
        "set time_zone = '+00:00'",
        "set innodb_lock_wait_timeout = {seconds}",
    ),
    "sqlite": ("pragma foreign_keys = on",),
}
_SESSION["mariadb"] = _SESSION["mysql"]


class Database(Source):
    """One connection, kept from batch to batch.

    - ``tries`` of a transaction, ``longest`` seconds between two; ``seconds`` to wait for locks that others hold
    - raises ``ConfigError`` for a URL, driver or file that cannot work, and for a kind of database that is not known
    """

    def __init__(self, url: str, plugin: str, *, tries: int, seconds: float, longest: float) -> None:
        self.tries, self.seconds, self.longest = tries, seconds, longest
        self._connection: Connection | None = None
        super().__init__(url, plugin)
        if self.dialect not in _SESSION:
            what = f"rows are not written to {self.dialect} databases"
            raise ConfigError(plugin, what, choices(self.dialect, _SESSION))

    @property
    def connection(self) -> Connection:
        """The connection, opened when it is needed."""
        if self._connection is None or self._connection.closed or self._connection.invalidated:
            self.close()
            self._connection = self.engine.connect()
        return self._connection

    def work(self, do: Callable[[Connection], Result], table: str | None = None) -> Result:
        """Do it in one transaction; a deadlock, a lost connection or a busy server has it done again, from its start.

        Raises the fault in our words.
        """
        for attempt in range(1, self.tries + 1):
            try:
                with self.connection.begin():
                    return do(self.connection)
            except self.faults as error:
                self.close()
                if attempt == self.tries or not passing(error):
                    raise told(error, self.place, table) from None
                time.sleep(random.uniform(0.5, 1) * min(self.longest, FIRST_WAIT * 2**attempt))
        raise AssertionError("at least one try is made")

    @property
    def faults(self) -> tuple[type[Exception], ...]:
        """What SQLAlchemy and the driver raise."""
        return (sa.exc.SQLAlchemyError, self._driver_fault())

    def close(self) -> None:
        """Let go of the connection; a transaction that is open is rolled back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except self.faults:
                connection.invalidate()

    def _engine(self) -> Engine:
        arguments: dict[str, Any] = {"poolclass": NullPool}
        if self.dialect == "sqlite":
            arguments["creator"] = self._open_file
        else:
            arguments |= {"isolation_level": "READ COMMITTED", "connect_args": {"connect_timeout": CONNECT_SECONDS}}
        engine = sa.create_engine(self.url, **arguments)
        sa.event.listen(engine, "connect", self._begin_session)
        if self.dialect == "sqlite":
            sa.event.listen(engine, "begin", _begin_immediate)
        return engine

    def _open_file(self) -> sqlite3.Connection:
        path = self.url.database
        if not path or path == ":memory:" or not Path(path).parent.is_dir():
            raise ConfigError(
                self.place.plugin, f"no folder for a SQLite file at {path}", "check the path in setting url"
            )
        # the driver's own transactions know no savepoints; ours are begun by the event below
        return sqlite3.connect(path, timeout=self.seconds, isolation_level=None)

    def _begin_session(self, connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for statement in _SESSION.get(self.dialect, ()):
            cursor.execute(statement.format(seconds=max(1, int(self.seconds))))
        cursor.close()
        if self.dialect == "postgresql":
            connection.commit()  # what is set in a transaction that is rolled back is not set


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("begin immediate")
