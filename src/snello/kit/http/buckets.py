"""Who counts the requests: one SQLite file for all processes of a machine, or this process for itself."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from contextlib import closing
from pathlib import Path
from typing import Protocol

from filelock import FileLock

from snello.kit.http.limit import Limit

BUSY = 30.0  # seconds to wait for another process's look at the file
OLD = 40 * 86400.0  # seconds after which an account that nobody asks any more is forgotten
TABLES = (
    "create table if not exists request (account text not null, moment real not null)",
    "create index if not exists request_by_moment on request (account, moment)",
    "create table if not exists rest (account text primary key, until real not null)",
)


class Bucket(Protocol):
    """The requests of one account, counted."""

    def take(self) -> float:
        """Count one request and return 0, or count none and return the seconds after which to ask again."""

    def rest(self, seconds: float) -> None:
        """Allow none for so many seconds: the server says so."""

    def close(self) -> None:
        """Let go of files."""


class OwnBucket:
    """Counts for the threads of this process."""

    def __init__(self, limit: Limit | None) -> None:
        self.limit = limit
        self._moments: deque[float] = deque(maxlen=limit.requests if limit else 0)
        self._until = float("-inf")
        self._lock = threading.Lock()

    def take(self) -> float:
        """Count one request and return 0, or count none and return the seconds after which to ask again."""
        with self._lock:
            now = time.monotonic()
            if self._until > now:
                return self._until - now
            if self.limit is None:
                return 0.0
            past = self._moments
            latest = [past[-many] for many, _ in self.limit.windows if len(past) >= many]
            wait = self.limit.wait(now, latest)
            if not wait:
                past.append(now)
            return wait

    def rest(self, seconds: float) -> None:
        """Allow none for so many seconds."""
        with self._lock:
            self._until = time.monotonic() + seconds

    def close(self) -> None:
        """Nothing to let go of."""


class SharedBucket:
    """Counts for all processes that use the file. Raises ``sqlite3.Error`` or ``OSError`` when it cannot be used."""

    def __init__(self, limit: Limit | None, path: Path, account: str) -> None:
        self.limit, self.account = limit, account
        self._lock = threading.Lock()
        self._base = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
        try:
            # SQLite does not wait its usual time for the turn to write-ahead logging
            with FileLock(path.with_suffix(".lock"), timeout=BUSY, mode=0o600):
                self._base.execute("pragma journal_mode=wal")
                self._base.execute("pragma synchronous=off")  # a count that a power cut takes along does no harm
                for statement in TABLES:
                    self._base.execute(statement)
                self._base.execute("delete from request where moment < ?", (time.time() - OLD,))
                path.chmod(0o600)
        except (sqlite3.Error, OSError):  # a Timeout of the lock is an OSError
            self._base.close()
            raise

    def take(self) -> float:
        """Count one request and return 0, or count none and return the seconds after which to ask again."""
        with self._lock, closing(self._base.cursor()) as cursor:
            cursor.execute("begin immediate")
            try:
                wait = self._take(cursor, time.time())
                cursor.execute("commit")
            except BaseException:
                cursor.execute("rollback")
                raise
            return wait

    def _take(self, cursor: sqlite3.Cursor, now: float) -> float:
        found = cursor.execute("select until from rest where account = ?", (self.account,)).fetchone()
        if found and found[0] > now:
            return float(found[0] - now)
        if self.limit is None:
            return 0.0
        nth = "select moment from request where account = ? order by moment desc limit 1 offset ?"
        rows = [cursor.execute(nth, (self.account, many - 1)).fetchone() for many, _ in self.limit.windows]
        wait = self.limit.wait(now, [row[0] for row in rows if row])
        if not wait:
            cursor.execute("insert into request values (?, ?)", (self.account, now))
            old = now - self.limit.seconds
            cursor.execute("delete from request where account = ? and moment < ?", (self.account, old))
        return wait

    def rest(self, seconds: float) -> None:
        """Allow none for so many seconds."""
        with self._lock:
            until = time.time() + seconds
            self._base.execute("insert or replace into rest values (?, ?)", (self.account, until))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._base.close()
