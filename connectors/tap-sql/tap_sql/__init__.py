"""Tables and views of a SQL database, read whole or by what changed."""

from __future__ import annotations

from snello.kit.entry import entry
from snello.kit.sql import SqlTap


class TapSql(SqlTap):
    """Singer tap for SQL databases: PostgreSQL, SQLite, MySQL, SQL Server, Oracle and others."""

    name = "tap-sql"


main = entry(TapSql)
