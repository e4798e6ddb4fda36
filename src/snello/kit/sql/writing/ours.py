"""Which rows of which tables are ours: a table beside them, changed in the same transaction as they are.

place     sync               key  inserted  held   run
contacts  sql__loyal         c1   true      true   …      we put the row there: it may be deleted
contacts  sql__loyal         c2   false     true   …      it was there before: never deleted
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from snello.kit.sql.writing.bulk import Bulk
from snello.kit.sql.writing.table import text_key

NAME = "snello_rows"

Item = TypeVar("Item")


@dataclass(frozen=True)
class Entry:
    """What is known of one row of ours; ``others``: syncs beside this one that write to it."""

    inserted: bool
    held: bool
    others: tuple[str, ...] = ()
    mine: bool = True


def table_of(schema: str | None) -> sa.Table:
    """The table, in the schema of the rows."""
    return sa.Table(
        NAME,
        sa.MetaData(),
        sa.Column("place", text_key(128), primary_key=True),
        sa.Column("sync", text_key(128), primary_key=True),
        sa.Column("key", text_key(), primary_key=True),
        sa.Column("inserted", sa.Boolean, nullable=False),
        sa.Column("held", sa.Boolean, nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        schema=schema,
    )


class Ours:
    """The rows of one sync in one table."""

    def __init__(self, schema: str | None, place: str, sync: str, bulk: Bulk) -> None:
        self.table, self.place, self.sync, self.bulk = table_of(schema), place, sync, bulk

    def made(self, connection: Connection) -> None:
        """Make the table when it is not there."""
        if not sa.inspect(connection).has_table(NAME, self.table.schema):
            self.table.create(connection, checkfirst=True)

    def of(self, connection: Connection, keys: Sequence[str]) -> dict[str, Entry]:
        """What is known of these keys, by any sync."""
        t = self.table
        found: dict[str, Entry] = {}
        for some in chunks(keys, self.bulk.most):
            query = sa.select(t.c.key, t.c.sync, t.c.inserted, t.c.held).where(
                t.c.place == self.place, self.bulk.among(t.c.key, some)
            )
            for key, sync, inserted, held in connection.execute(query):
                before = found.get(key, Entry(False, False, mine=False))
                if sync == self.sync:
                    found[key] = Entry(inserted, held, before.others)
                else:
                    found[key] = Entry(before.inserted, before.held, (*before.others, sync), before.mine)
        return found

    def note(self, connection: Connection, rows: Mapping[str, bool], run: str, again: Sequence[str]) -> None:
        """These keys are held from now on; the value says whether we put the row there. ``again``: known before."""
        self.forget(connection, again)
        self.bulk.insert(
            connection,
            self.table,
            [
                {"place": self.place, "sync": self.sync, "key": key, "inserted": inserted, "held": True, "run": run}
                for key, inserted in rows.items()
            ],
        )

    def let_go(self, connection: Connection, keys: Sequence[str]) -> None:
        """These rows stay where they are, and are ours, but hold nothing of ours."""
        for some in chunks(keys, self.bulk.most):
            connection.execute(sa.update(self.table).where(*self._mine(some)).values(held=False))

    def forget(self, connection: Connection, keys: Sequence[str]) -> None:
        """These rows are ours no longer."""
        for some in chunks(keys, self.bulk.most):
            connection.execute(sa.delete(self.table).where(*self._mine(some)))

    def hand_over(self, connection: Connection, keys: Mapping[str, str]) -> None:
        """Another sync that writes to the row may delete it from now on: key to sync."""
        t = self.table
        for key, sync in keys.items():
            at = (t.c.place == self.place, t.c.sync == sync, t.c.key == key)
            connection.execute(sa.update(t).where(*at).values(inserted=True))

    def rename(self, connection: Connection, old: str, new: str) -> None:
        """A row has another key from now on, whichever sync writes to it."""
        t = self.table
        connection.execute(sa.update(t).where(t.c.place == self.place, t.c.key == old).values(key=new))

    def left(self, connection: Connection, run: str) -> list[str]:
        """Keys of rows that are held and that this run did not note."""
        t = self.table
        query = sa.select(t.c.key).where(t.c.place == self.place, t.c.sync == self.sync, t.c.held, t.c.run != run)
        return list(connection.execute(query.order_by(t.c.key)).scalars())

    def held(self, connection: Connection) -> Iterator[str]:
        """Keys of the rows that are held."""
        t = self.table
        query = sa.select(t.c.key).where(t.c.place == self.place, t.c.sync == self.sync, t.c.held)
        yield from connection.execute(query.order_by(t.c.key)).scalars()

    def _mine(self, keys: Sequence[str]) -> tuple[sa.ColumnElement[bool], ...]:
        t = self.table
        return t.c.place == self.place, t.c.sync == self.sync, self.bulk.among(t.c.key, keys)


def chunks(items: Iterable[Item], most: int) -> Iterator[list[Item]]:
    """The items, at most so many at a time."""
    source = iter(items)
    while some := list(islice(source, most)):
        yield some
