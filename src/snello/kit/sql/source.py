"""The database as the tap sees it: a session that only reads, and faults in our words."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.pool import NullPool

from snello.errors import ConfigError, choices
from snello.kit.redact import hide
from snello.kit.sql.faults import Place, told
from snello.kit.sql.spelling import teach

CONNECT_SECONDS = 10

# The driver of a URL that names none: SQLAlchemy's own choice needs a compiler, or a system's library.
_DRIVERS = {
    "postgresql": "psycopg",
    "mysql": "pymysql",
    "mariadb": "pymysql",
    "mssql": "pymssql",
    "oracle": "oracledb",
}
# Dialects that do not come with SQLAlchemy, and drivers that are not called as their package is.
_PACKAGES = {
    "db2": "ibm_db_sa",
    "ibm_db_sa": "ibm_db_sa",
    "MySQLdb": "pymysql (and write mysql+pymysql:// in setting url)",
    "cx_Oracle": "oracledb (and write oracle+oracledb:// in setting url)",
}

_NAMES = {
    "postgresql": "PostgreSQL",
    "mysql": "MySQL",
    "mariadb": "MariaDB",
    "mssql": "SQL Server",
    "oracle": "Oracle",
    "db2": "Db2",
}

POSTGRES_SESSION = (
    "set default_transaction_read_only = on",
    "set timezone = 'UTC'",
    "set datestyle = 'ISO, YMD'",
    "set intervalstyle = 'iso_8601'",
    "set bytea_output = 'hex'",
    "set extra_float_digits = 1",
    "set standard_conforming_strings = on",
    "set client_encoding = 'UTF8'",
)

# What makes a session read only and its times UTC. SQL Server has no such switch: there the login's rights decide.
_SESSION: dict[str, tuple[str, ...]] = {
    "postgresql": POSTGRES_SESSION,
    "sqlite": ("pragma query_only = on",),
    "mysql": ("set session transaction read only", "set time_zone = '+00:00'"),
    "mariadb": ("set session transaction read only", "set time_zone = '+00:00'"),
    "mssql": ("set transaction isolation level read committed", "set lock_timeout 60000"),
    "oracle": ("alter session set time_zone = 'UTC'", "set transaction read only"),
}


class Source:
    """A database that is only ever read.

    - ``url``: SQLAlchemy URL; PostgreSQL is always reached through psycopg and libpq
    - raises ``ConfigError`` for a URL, driver or file that cannot work, ``RetryLater`` for a server that is away
    """

    def __init__(self, url: str, plugin: str) -> None:
        # a type that SQLAlchemy does not know is read as text; once for all, as threads read side by side
        warnings.filterwarnings("ignore", category=sa.exc.SAWarning)
        self.url = _parsed(url, plugin)
        self.dialect = self.url.get_backend_name()
        self.place = Place(
            plugin, _server(self.url, self.dialect), self.url.username or "(none)", self.url.database or "(none)"
        )
        self.engine = self._engine()
        hide(self.url.password)

    @contextmanager
    def connect(self, table: str | None = None) -> Iterator[Connection]:
        """A connection whose faults are told in our words, naming the table at hand."""
        try:
            with self.engine.connect() as connection:
                yield connection
        except Exception as error:
            if isinstance(error, (sa.exc.SQLAlchemyError, self._driver_fault())):
                raise told(error, self.place, table) from None
            raise

    def scalar(self, statement: sa.Select[Any], table: str | None = None) -> Any:
        """The one value that a statement yields."""
        with self.connect(table) as connection:
            return connection.execute(statement).scalar()

    def row(self, statement: sa.Select[Any], table: str | None = None) -> sa.Row[Any]:
        """The one row that a statement yields."""
        with self.connect(table) as connection:
            return connection.execute(statement).one()

    @cached_property
    def unchecked_text(self) -> bool:
        """Whether the database stores text without checking its encoding."""
        if self.dialect != "postgresql":
            return False
        return bool(self.scalar(sa.select(sa.func.current_setting("server_encoding"))) == "SQL_ASCII")

    def _driver_fault(self) -> type[Exception]:
        """What the driver raises outside of SQLAlchemy's wrapping, while rows are fetched."""
        fault: type[Exception] = self.engine.dialect.loaded_dbapi.Error
        return fault

    def _engine(self) -> Engine:
        arguments: dict[str, Any] = {"poolclass": NullPool}
        if self.dialect == "sqlite":
            arguments["creator"] = partial(_open_sqlite, self.place, self.url.database)
        if self.dialect == "postgresql":
            connection = {"connect_timeout": CONNECT_SECONDS, "client_encoding": "utf8"}
            arguments |= {"isolation_level": "AUTOCOMMIT", "connect_args": connection}
        try:
            engine = sa.create_engine(self.url, **arguments)
        except ModuleNotFoundError as error:
            raise _no_driver(self.place.plugin, self.url, str(error.name)) from None
        teach(engine)
        sa.event.listen(engine, "connect", self._begin_session)
        return engine

    def _begin_session(self, connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for statement in _SESSION.get(self.dialect, ()):
            cursor.execute(statement)
        cursor.close()


def _parsed(text: str, plugin: str) -> URL:
    text = text.replace("postgres://", "postgresql://", 1) if text.startswith("postgres://") else text
    try:
        url = make_url(text)
        backend = url.get_backend_name()
        if backend == "postgresql" or (backend in _DRIVERS and "+" not in url.drivername):
            url = url.set(drivername=f"{backend}+{_DRIVERS[backend]}")
        url.get_dialect()
    except ModuleNotFoundError as error:
        raise _no_driver(plugin, url, str(error.name)) from None
    except sa.exc.NoSuchModuleError:
        if url.get_backend_name() in _PACKAGES:
            raise _no_driver(plugin, url, url.get_backend_name()) from None
        known = {*_DRIVERS, "sqlite", "db2"}
        what = f"unknown kind of database {url.drivername!r} in setting url"
        raise ConfigError(plugin, what, choices(url.get_backend_name(), known)) from None
    except (sa.exc.ArgumentError, ValueError):
        cure = "write it as postgresql://user:password@host:5432/database, with special characters percent-encoded"
        raise ConfigError(plugin, "setting url is not a database URL", cure) from None
    return url


def _no_driver(plugin: str, url: URL, module: str) -> ConfigError:
    cure = f"install {_PACKAGES.get(module, module)} into the plugin's environment"
    return ConfigError(plugin, f"no driver for {url.drivername}", cure)


def _server(url: URL, dialect: str) -> str:
    if dialect == "sqlite":
        return f"SQLite file {url.database}"
    host = url.host or url.query.get("host") or "localhost"
    host = host if isinstance(host, str) else ",".join(host)
    return f"{_NAMES.get(dialect, dialect)} at {host}" + (f":{url.port}" if url.port else "")


def _open_sqlite(place: Place, path: str | None) -> sqlite3.Connection:
    """Open a file for reading only; SQLite alone would make an empty one where there is none."""
    if not path or path == ":memory:" or not Path(path).is_file():
        raise ConfigError(place.plugin, f"no SQLite file at {path}", "check the path in setting url")
    connection = sqlite3.connect(f"file:{quote(str(Path(path).resolve()))}?mode=ro", uri=True)
    # text that is not UTF-8 must reach us, to be refused row by row instead of ending the run
    connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    return connection
