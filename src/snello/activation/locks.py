"""One run of a sync at a time: a lock that its holder's death releases."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from snello.activation.engine import told
from snello.errors import RetryLater

Role = Literal["tap", "target", "schema", "turn"]


class SyncLock:
    """Locks of a ledger: files beside a SQLite ledger, advisory locks in PostgreSQL."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._held: dict[tuple[str, Role], Callable[[], None]] = {}

    def take(self, sync: str, role: Role) -> None:
        """Hold the lock until ``release`` or the process ends; raises ``RetryLater`` when another run holds it."""
        if (sync, role) in self._held:
            return
        release = self._tried(sync, role)
        if release is None:
            raise RetryLater(f"sync {sync}", "another run of it is under way", "wait for its end, then run again")
        self._held[sync, role] = release

    def check_free(self, sync: str, role: Role) -> None:
        """Raise ``RetryLater`` when another process holds the lock."""
        self.take(sync, role)
        self.release(sync, role)

    def is_held(self, sync: str, role: Role) -> bool:
        """Whether anybody holds the lock."""
        if (sync, role) in self._held:
            return True
        release = self._tried(sync, role)
        if release is not None:
            release()
        return release is None

    def release(self, sync: str, role: Role) -> None:
        """Let go of a lock that this process holds."""
        release = self._held.pop((sync, role), None)
        if release is not None:
            release()

    def release_all(self) -> None:
        """Let go of every lock that this process holds."""
        for sync, role in list(self._held):
            self.release(sync, role)

    def _tried(self, sync: str, role: Role) -> Callable[[], None] | None:
        if self.engine.dialect.name == "postgresql":
            return self._tried_advisory(f"snello {sync} {role}")
        folder = Path(f"{self.engine.url.database}.locks")
        folder.mkdir(exist_ok=True)
        return _tried_file(folder / f"{re.sub(r'[^0-9A-Za-z_.-]', '_', sync)}.{role}")

    def _tried_advisory(self, name: str) -> Callable[[], None] | None:
        with told():
            connection = self.engine.connect()  # the lock lives as long as this connection does
            query = text("select pg_try_advisory_lock(hashtextextended(:name, 0))")
            taken = connection.execute(query, {"name": name}).scalar_one()
            connection.commit()  # the lock is the session's: no transaction need stay open for it
        if taken:

            def release() -> None:
                with suppress(DBAPIError):  # a server that is gone has let go already
                    connection.execute(text("select pg_advisory_unlock_all()"))
                connection.close()

            return release
        connection.close()
        return None


def _tried_file(path: Path) -> Callable[[], None] | None:
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file.close
