"""Waiting for one's turn: a bucket an account and host, and a word to the reader when the wait is long."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from snello.errors import ConfigError, RetryLater
from snello.kit.http.buckets import Bucket, OwnBucket, SharedBucket
from snello.kit.http.limit import Limit
from snello.kit.places import keyed_hash, state_folder

LONG = 5.0  # seconds of waiting that are told
AGAIN = 60.0  # seconds after which they are told again
PATIENCE = 3600.0  # seconds of waiting that are left to the next run


class Pacing:
    """The turns of one account.

    - ``account``: values that tell it from others; they are hashed
    - ``tell`` hears of long waits
    """

    def __init__(self, limit: Limit | None, account: tuple[str, ...], tell: Callable[[str], None]) -> None:
        self.limit, self._account, self._tell = limit, account, tell
        self._buckets: dict[str, Bucket] = {}
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._told = float("-inf")

    def hold(self, host: str, where: str) -> None:
        """Wait until a request to the host is due. Raises ``RetryLater`` when that is too far off."""
        while wait := self._take(host, where):
            allowed = f"the interface allows {self.limit}" if self.limit else "the interface has nothing left for us"
            if wait > PATIENCE:
                cure = "run again after that time: nothing is lost"
                raise RetryLater(where, f"{allowed}; the next is due in {wait:.0f} s", cure)
            self._tell_of(wait, f"{where}: {allowed}; waiting")
            if self._nap(min(wait, AGAIN)):
                raise RetryLater(where, "the run has ended", "run again: nothing is lost")

    def _nap(self, seconds: float) -> bool:
        """Wait; true when the run ended meanwhile."""
        return self._closed.wait(seconds)

    def rest(self, host: str, where: str, seconds: float) -> None:
        """Nothing is left for so many seconds: whoever comes next waits instead of being refused."""
        try:
            self._bucket(host, where).rest(seconds)
        except sqlite3.Error:
            self._own(host, where).rest(seconds)

    def close(self) -> None:
        """Let go of files; whoever waits gives up."""
        self._closed.set()
        for bucket in self._buckets.values():
            bucket.close()
        self._buckets.clear()

    def _take(self, host: str, where: str) -> float:
        try:
            return self._bucket(host, where).take()
        except sqlite3.Error:
            return self._own(host, where).take()

    def _tell_of(self, wait: float, line: str) -> None:
        with self._lock:
            now = time.monotonic()
            due = wait > LONG and now - self._told >= AGAIN
            if due:
                self._told = now
        if due:
            self._tell(line)

    def _bucket(self, host: str, where: str) -> Bucket:
        with self._lock:
            found = self._buckets.get(host)
            if found is None and self.limit is None:
                found = self._buckets[host] = OwnBucket(None)
            if found is None:
                with suppress(sqlite3.Error, ConfigError, OSError):
                    account = keyed_hash(host, *self._account)
                    found = self._buckets[host] = SharedBucket(self.limit, state_folder() / "limits.db", account)
        return found or self._own(host, where)

    def _own(self, host: str, where: str) -> Bucket:
        with self._lock:
            bucket = self._buckets.get(host)
            if isinstance(bucket, OwnBucket):
                return bucket
            own = self._buckets[host] = OwnBucket(self.limit)
        if bucket is not None:
            with suppress(sqlite3.Error):
                bucket.close()
        self._tell(f"{where}: the limit of requests holds for this process alone: its file cannot be used")
        return own
