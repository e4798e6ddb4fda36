"""Rows put into a table: added, or changed where they are ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from snello.activation import Change, Verdict
from snello.kit.sql.writing.bisection import Bisection
from snello.kit.sql.writing.ours import Entry
from snello.kit.sql.writing.removals import Removals
from snello.kit.sql.writing.rows import Place, Standing, keys_of
from snello.kit.sql.writing.values import Unfit

ADDING = ("insert", "append")  # what stands there is left as it is


class Upserts:
    """Puts rows into one table within a transaction of the caller."""

    def __init__(self, place: Place, bisection: Bisection, removals: Removals) -> None:
        self.place, self.bisection, self.removals = place, bisection, removals

    def put(self, connection: Connection, changes: Sequence[Change], mode: str, session: str) -> list[Verdict]:
        """A verdict a row; ``session``: under which mark all rows are noted, empty when none need be."""
        place, verdicts, rows = self.place, dict[str, Verdict](), dict[str, dict[str, Any]]()
        for change in changes:
            try:
                rows[change.key] = place.row(change)
            except Unfit as fault:
                verdicts[change.key] = Verdict.refused(change.key, fault.code)
        self._renamed(connection, [change for change in changes if change.key in rows])
        standing = place.standing(connection, {key: row[place.into.key] for key, row in rows.items()})
        known = place.ours.of(connection, list(rows))
        for key in list(rows):
            if code := self._objection(key, standing, known, mode):
                verdicts[key] = Verdict.refused(key, code)
                del rows[key]
        self._locate(rows, standing)
        for key, code in self._written(connection, rows, standing, mode):
            verdicts[key] = Verdict.refused(key, code) if code else Verdict.delivered(key)
        taken = [key for key in rows if verdicts[key].status == "delivered"]
        self._note(connection, taken, standing, known, session)
        return [verdicts[change.key] for change in changes]

    def _objection(self, key: str, standing: Standing, known: Mapping[str, Entry], mode: str) -> str | None:
        if key in standing.colliding:
            return "key_collides"
        if key in standing.found:
            return "foreign_row" if key not in known and self.place.terms.adopt == "refuse" else None
        return "not_there" if mode == "update" else None

    def _locate(self, rows: Mapping[str, dict[str, Any]], standing: Standing) -> None:
        """Rows that stand there keep their key as it is spelled there."""
        for key in rows.keys() & standing.found.keys():
            rows[key][self.place.into.key] = standing.found[key]

    def _written(
        self, connection: Connection, rows: Mapping[str, dict[str, Any]], standing: Standing, mode: str
    ) -> Iterator[tuple[str, str | None]]:
        place, table = self.place, self.place.into.table

        def write(keys: Sequence[str]) -> None:
            place.bulk.insert(connection, table, [rows[key] for key in keys if key not in standing.found])
            if mode not in ADDING:
                changed = [rows[key] for key in keys if key in standing.found]
                place.bulk.update(connection, table, place.into.key, changed)

        return self.bisection.each(connection, list(rows), write)

    def _note(
        self,
        connection: Connection,
        keys: Sequence[str],
        standing: Standing,
        known: Mapping[str, Entry],
        session: str,
    ) -> None:
        noted = {}
        for key in keys:
            entry = known.get(key)
            mine = entry if entry and entry.mine else None
            inserted = mine.inserted if mine and key in standing.found else key not in standing.found
            if session or mine is None or not mine.held or mine.inserted != inserted:
                noted[key] = inserted
        again = [key for key in noted if (entry := known.get(key)) and entry.mine]
        self.place.ours.note(connection, noted, session, again)

    def _renamed(self, connection: Connection, changes: Sequence[Change]) -> None:
        """A customer who is another now keeps the row; of two rows the one under the old key goes."""
        moved = {each.moved_from: each.key for each in changes if each.moved_from and each.moved_from != each.key}
        if not moved:
            return
        known = self.place.ours.of(connection, list(moved))
        values = keys_of(self.place, {*moved, *moved.values()})
        found = self.place.standing(connection, values).found
        column = self.place.into.table.c[self.place.into.key]
        for old, new in moved.items():
            if old not in found or not (entry := known.get(old)) or not entry.mine:
                continue
            if new in found:
                self.removals.take(connection, [old], wholly=False)
                continue
            statement = sa.update(self.place.into.table).where(column == found[old])
            connection.execute(statement.values({column: values[new]}))
            self.place.ours.rename(connection, old, new)
