"""Rows taken out of a table: deleted where we put them there, else emptied of what is ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from snello.activation import Verdict
from snello.kit.sql.writing.bisection import Bisection
from snello.kit.sql.writing.ours import Entry, chunks
from snello.kit.sql.writing.rows import Place, keys_of

Way = Literal["delete", "null", "flag"]


class Removals:
    """Takes rows out of one table within a transaction of the caller."""

    def __init__(self, place: Place, bisection: Bisection) -> None:
        self.place, self.bisection = place, bisection

    def take(self, connection: Connection, keys: Sequence[str], *, wholly: bool) -> list[Verdict]:
        """A verdict a key; ``wholly``: nothing of ours stays, whatever the settings say of removals.

        - a row that is not there counts as taken; one that is there and not ours is refused
        """
        place = self.place
        known = place.ours.of(connection, keys)
        found = place.standing(connection, keys_of(place, keys)).found
        ways: dict[Way, list[str]] = {"delete": [], "null": [], "flag": []}
        verdicts, gone = {key: Verdict.delivered(key) for key in keys}, []
        for key in keys:
            entry = known.get(key)
            if entry is None or not entry.mine:
                if key in found:
                    verdicts[key] = Verdict.refused(key, "foreign_row")
            elif key not in found:
                gone.append(key)
            else:
                ways[self._way(entry, wholly)].append(key)
        for way, some in ways.items():
            for key, code in self._done(connection, way, some, found):
                if code:
                    verdicts[key] = Verdict.refused(key, code)
        taken = {way: [key for key in some if verdicts[key].status == "delivered"] for way, some in ways.items()}
        self._noted(connection, taken, gone, known, wholly)
        return [verdicts[key] for key in keys]

    def _way(self, entry: Entry, wholly: bool) -> Way:
        removal = self.place.terms.removal
        if entry.inserted and not entry.others and (wholly or removal == "delete"):
            return "delete"
        return "flag" if removal == "flag" and not wholly else "null"

    def _done(
        self, connection: Connection, way: Way, keys: Sequence[str], found: Mapping[str, Any]
    ) -> list[tuple[str, str | None]]:
        table, flag = self.place.into.table, self.place.terms.flag
        column = table.c[self.place.into.key]
        emptied: dict[str, Any] = {flag.column: flag.removed} if flag else {}
        if way == "null":
            emptied |= dict.fromkeys(self.place.into.fields.values())

        def write(some: Sequence[str]) -> None:
            for part in chunks(some, self.place.bulk.most):
                there = self.place.bulk.among(column, [found[key] for key in part])
                if way == "delete":
                    connection.execute(sa.delete(table).where(there))
                elif emptied:
                    connection.execute(sa.update(table).where(there).values(emptied))

        return list(self.bisection.each(connection, keys, write))

    def _noted(
        self,
        connection: Connection,
        taken: Mapping[Way, Sequence[str]],
        gone: Sequence[str],
        known: Mapping[str, Entry],
        wholly: bool,
    ) -> None:
        """Rows that we put there and that stay are ours still, or become those of another sync that writes to them."""
        stayed = [*taken["null"], *taken["flag"]]
        deleting = wholly or self.place.terms.removal == "delete"
        kept = [key for key in stayed if known[key].inserted and not deleting]
        self.place.ours.hand_over(
            connection,
            {key: known[key].others[0] for key in stayed if known[key].inserted and deleting and known[key].others},
        )
        self.place.ours.let_go(connection, kept)
        self.place.ours.forget(connection, [*gone, *taken["delete"], *(set(stayed) - set(kept))])
