"""Tables of the lake, asked in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from snello.errors import ContractError
from snello.lake import Lake, Manifest

Row = dict[str, Any]


class Tables:
    """One DuckDB session over a lake: views by name, rows as dictionaries."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._session = duckdb.connect()
        self._session.execute("set timezone = 'UTC'")

    @classmethod
    def published(cls, lake: Lake, names: Sequence[str]) -> Tables:
        """A session with the published tables ``names``; raises ``ContractError`` when one is missing."""
        tables = cls(lake)
        for name in names:
            tables.view(name, lake.published_sql(name))
        return tables

    def view(self, name: str, select: str) -> None:
        """Give ``select`` a name."""
        quoted = '"' + name.replace('"', '""') + '"'
        self._answer(f"create view {quoted} as {select}")

    def rows(self, sql: str, parameters: dict[str, Any] | None = None) -> list[Row]:
        """The answer of ``sql``, a dictionary a row."""
        answer = self._answer(sql, parameters)
        names = [column[0] for column in answer.description or []]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def _answer(self, sql: str, parameters: dict[str, Any] | None = None) -> duckdb.DuckDBPyConnection:
        """Raise ``ContractError`` when a file of the lake cannot be read."""
        try:
            return self._session.execute(sql, parameters or {})
        except duckdb.IOException:
            what = "a file of a published table is missing or damaged"
            cure = "put the lake back from a backup, or run `meltano run unify` to publish again"
            raise ContractError(f"lake {self.lake.root}", what, cure) from None

    def value(self, sql: str, parameters: dict[str, Any] | None = None) -> Any:
        """The first value of the first row; None when there is no row."""
        return next(iter(row for found in self.rows(sql, parameters) for row in found.values()), None)


def manifest(lake: Lake) -> Manifest:
    """What is published; raises ``ContractError`` when nothing is."""
    current = lake.manifest()
    if current is None:
        raise ContractError(f"lake {lake.root}", "nothing is published yet", "run `meltano run loop`")
    return current
