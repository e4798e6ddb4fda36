"""The rows of one batch: as the table takes them, and those that stand there already under the same keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from snello.activation import Change
from snello.kit.sql.writing.bulk import Bulk
from snello.kit.sql.writing.ours import Ours, chunks
from snello.kit.sql.writing.table import KEY_LENGTH, Into
from snello.kit.sql.writing.terms import Terms
from snello.kit.sql.writing.values import Unfit, canonical, fitted


@dataclass(frozen=True)
class Place:
    """A table that is open: what is ours of it, and how it is written to."""

    terms: Terms
    into: Into
    ours: Ours
    bulk: Bulk
    dialect: str

    def key(self, key: str) -> Any:
        """A key as the table's column takes it. Raises ``Unfit``."""
        if len(key) > KEY_LENGTH:
            raise Unfit("too_long")
        return fitted(self.into.kinds[self.into.key], key, nul=False)

    def row(self, change: Change) -> dict[str, Any]:
        """Our columns of a row, the key's first. Raises ``Unfit``."""
        nul = self.dialect != "postgresql"
        row = {self.into.key: self.key(change.key)}
        for source, name in self.into.fields.items():
            row[name] = fitted(self.into.kinds[name], change.payload.get(source), nul=nul)
        if self.terms.flag:
            row[self.terms.flag.column] = self.terms.flag.held
        return row

    def standing(self, connection: Connection, keys: dict[str, Any]) -> Standing:
        """Which of these keys stand in the table."""
        column = self.into.table.c[self.into.key]
        wanted = {canonical(value): key for key, value in reversed(keys.items())}
        found: dict[str, Any] = {}
        others: set[str] = set()
        for some in chunks(keys.values(), self.bulk.most):
            for (value,) in connection.execute(sa.select(column).where(self.bulk.among(column, some))):
                spelled = canonical(value)
                if spelled in wanted:
                    found[wanted[spelled]] = value
                else:
                    others.add(spelled.casefold())
        colliding = {key for spelled, key in wanted.items() if others and spelled.casefold() in others}
        twice = keys.keys() - set(wanted.values())
        return Standing(found, frozenset((colliding - found.keys()) | twice))


@dataclass(frozen=True)
class Standing:
    """Rows that are there.

    - ``found``: key to its spelling in the table
    - ``colliding``: keys that the table, or its column's type, takes for another's
    """

    found: Mapping[str, Any]
    colliding: frozenset[str]


def keys_of(place: Place, keys: Iterable[str]) -> dict[str, Any]:
    """Keys as the table's column takes them; those that it cannot take cannot stand there."""
    made = {}
    for key in keys:
        try:
            made[key] = place.key(key)
        except Unfit:
            continue
    return made
