"""An audience and a table: one transaction a batch, or one for the whole where it is replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar
from uuid import uuid4

from sqlalchemy.engine import Connection

from snello.activation import Change, Verdict
from snello.kit.sql.writing.bisection import Bisection
from snello.kit.sql.writing.bulk import bulk_for
from snello.kit.sql.writing.database import Database
from snello.kit.sql.writing.faults import told
from snello.kit.sql.writing.ours import Ours, chunks
from snello.kit.sql.writing.removals import Removals
from snello.kit.sql.writing.rows import Place, keys_of
from snello.kit.sql.writing.table import opened
from snello.kit.sql.writing.terms import Terms
from snello.kit.sql.writing.upserts import Upserts

Result = TypeVar("Result")


class Merge:
    """Keeps what is ours in one table as a sync says.

    - repeating a batch changes nothing: what stands there already is not written again
    - raises ``ConfigError``, ``ContractError`` or ``RetryLater`` for a fault that is no row's
    """

    def __init__(self, database: Database, terms: Terms) -> None:
        self.database, self.terms = database, terms
        self._place: Place | None = None
        self._session = ""
        self.bisection = Bisection(database.place.at(terms.table), database.faults)

    def upsert(self, changes: Sequence[Change], mode: str) -> list[Verdict]:
        """Put these rows into the table; a verdict a row."""
        place = self.place
        upserts = Upserts(place, self.bisection, Removals(place, self.bisection))
        return self._work(lambda connection: upserts.put(connection, changes, mode, self._session))

    def remove(self, keys: Sequence[str], *, wholly: bool = False) -> list[Verdict]:
        """Take these rows out of the table; a verdict a row."""
        removals = Removals(self.place, self.bisection)
        return self._work(lambda connection: removals.take(connection, keys, wholly=wholly))

    def begin(self) -> None:
        """Open a transaction that stays open until the whole is there."""
        self.place  # noqa: B018  made before, in a transaction of its own
        self._session = uuid4().hex
        self._work(lambda connection: None)

    def commit(self) -> None:
        """Take out what the session did not bring, and let the whole be seen."""
        removals = Removals(self.place, self.bisection)

        def rest(connection: Connection) -> None:
            for some in chunks(removals.place.ours.left(connection, self._session), removals.place.bulk.most):
                removals.take(connection, some, wholly=False)
            transaction = connection.get_transaction()
            assert transaction is not None
            transaction.commit()

        self._work(rest)
        self._session = ""

    def close(self) -> None:
        """Let go of the connection; a session that is open is given up."""
        self._session = ""
        self.database.close()

    def held(self) -> Iterator[str]:
        """Keys of the rows that are ours and stand in the table."""
        place = self.place
        for some in chunks(self._work(lambda connection: list(place.ours.held(connection))), place.bulk.most):
            values = keys_of(place, some)
            found = self._work(lambda connection, values=values: place.standing(connection, values).found)  # type: ignore[misc]
            yield from (key for key in some if key in found)

    @property
    def place(self) -> Place:
        """The table, looked at or made when it is first needed."""
        if self._place is None:
            self._place = self.database.work(self._opened, self.terms.table)
        return self._place

    def _opened(self, connection: Connection) -> Place:
        into = opened(connection, self.terms, self.database.place.plugin)
        bulk = bulk_for(self.database.dialect)
        ours = Ours(self.terms.named[0], self.terms.named[1], self.terms.sync, bulk)
        ours.made(connection)
        return Place(self.terms, into, ours, bulk, self.database.dialect)

    def _work(self, do: Callable[[Connection], Result]) -> Result:
        """In a transaction of its own, tried again; in the session's while one is open, which a fault ends."""
        if not self._session:
            return self.database.work(lambda connection: self._immediately(connection, do), self.terms.table)
        try:
            connection = self.database.connection
            if not connection.in_transaction():
                connection.begin()
            return self._immediately(connection, do)
        except self.database.faults as error:
            self.close()
            raise told(error, self.database.place, self.terms.table) from None

    def _immediately(self, connection: Connection, do: Callable[[Connection], Result]) -> Result:
        if self.database.dialect == "postgresql":  # a row is told refused while it can be set apart, not at the end
            connection.exec_driver_sql("set constraints all immediate")
        return do(connection)
