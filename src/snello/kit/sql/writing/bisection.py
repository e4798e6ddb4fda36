"""Rows that a database takes together or not at all, halved by savepoints until the guilty one is alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sqlalchemy.engine import Connection

from snello.errors import ContractError
from snello.kit.sql.writing.faults import refusal

HOPELESS = 25  # so many rows refused one after the other and none taken: it is not the rows
Faults = tuple[type[Exception], ...]


class Bisection:
    """Tries rows in one transaction; what is refused costs that row alone."""

    def __init__(self, where: str, faults: Faults) -> None:
        self.where, self.faults = where, faults
        self._alone, self._taken = 0, False

    def each(
        self, connection: Connection, keys: Sequence[str], write: Callable[[Sequence[str]], None]
    ) -> Iterator[tuple[str, str | None]]:
        """Each key with the word for why its row was refused, or None.

        Raises ``ContractError`` when row after row is refused and none is taken.
        """
        if not keys:
            return
        savepoint = connection.begin_nested()
        try:
            write(keys)
        except self.faults as error:
            code = refusal(error)
            if code is None:
                raise  # the whole transaction is given up, savepoints and all
            savepoint.rollback()
        else:
            savepoint.commit()
            self._taken = True
            yield from ((key, None) for key in keys)
            return
        if len(keys) == 1:
            self._lost(code)
            yield keys[0], code
            return
        middle = len(keys) // 2
        yield from self.each(connection, keys[:middle], write)
        yield from self.each(connection, keys[middle:], write)

    def _lost(self, code: str) -> None:
        self._alone += 1
        if self._alone >= HOPELESS and not self._taken:
            raise ContractError(
                self.where,
                f"the table refused {self._alone} rows one by one and took none, last with code {code}",
                "compare the audience's columns with what the table takes",
            )
