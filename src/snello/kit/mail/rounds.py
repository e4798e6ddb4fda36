"""Letters by the domain that they go to, handed out as each domain's pace allows: a slow one holds up nobody else."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from snello.errors import ConfigError
from snello.kit.http.buckets import Bucket, OwnBucket, SharedBucket
from snello.kit.http.limit import Limit
from snello.kit.places import keyed_hash, state_folder

DEFAULT = "default"
TOTAL = "total"


@dataclass(frozen=True)
class Job:
    """One letter to be sent: ``compose`` makes its bytes when its turn comes; ``tries``: those that failed."""

    key: str
    ref: str
    domain: str
    recipient: str = field(repr=False)
    compose: Callable[[], bytes] = field(compare=False)
    sender: str = ""
    wide: bool = False
    tries: int = 0

    def again(self) -> Job:
        """The same after one more failure."""
        return replace(self, tries=self.tries + 1)


def paces(given: Mapping[str, str]) -> dict[str, Limit]:
    """Limits by domain, in lower case. Raises ``ConfigError`` naming the one that does not parse."""
    found = {name.lower(): Limit.parse(text, f"setting pace.{name}") for name, text in given.items()}
    for name in found:
        if name not in (DEFAULT, TOTAL) and "." not in name:
            raise ConfigError("setting pace", f"{name} is no domain", f"name a domain, {DEFAULT} or {TOTAL}")
    return found


class Paces:
    """Buckets that outlive a batch: one a domain, and one for all of them.

    Those that are named, and the total, are counted for all processes of this machine that send through ``account``;
    the many other domains for this one.
    """

    def __init__(self, limits: Mapping[str, Limit], account: tuple[str, ...] = ()) -> None:
        self._limits, self._account = limits, account
        self._buckets: dict[str, Bucket] = {}

    def take(self, name: str) -> float:
        """Count one letter to a domain, or to all, and return 0; else the seconds after which to ask again."""
        limit = self._limits.get(name, None if name == TOTAL else self._limits.get(DEFAULT))
        if name not in self._buckets:
            self._buckets[name] = self._shared(name, limit) or OwnBucket(limit)
        try:
            return self._buckets[name].take()
        except sqlite3.Error:  # the file is gone or kept busy: from now on this process counts for itself
            self._buckets[name] = OwnBucket(limit)
            return self._buckets[name].take()

    def close(self) -> None:
        """Let go of files."""
        for bucket in self._buckets.values():
            bucket.close()

    def _shared(self, name: str, limit: Limit | None) -> Bucket | None:
        """None where nothing is shared: no account, not a name of the settings, or a file that cannot be used."""
        if limit is None or not self._account or name not in self._limits:
            return None
        with suppress(sqlite3.Error, ConfigError, OSError):
            return SharedBucket(limit, state_folder() / "limits.db", keyed_hash("smtp", *self._account, name))
        return None


class Rounds:
    """The letters of one batch; several threads may take from it."""

    def __init__(self, jobs: Iterable[Job], pace: Paces) -> None:
        self._pace = pace
        self._waiting: dict[str, deque[Job]] = {}
        self._news = threading.Condition()
        self._abroad = 0
        self._spare = False  # one of the total that no domain could make use of yet
        self._stopped = False
        for job in jobs:
            self._waiting.setdefault(job.domain, deque()).append(job)

    def take(self) -> Job | None:
        """The next letter that may go out, waited for; None when all are done or the batch was stopped."""
        with self._news:
            while not self._stopped and (self._waiting or self._abroad):
                job, wait = self._due()
                if job is not None:
                    self._abroad += 1
                    return job
                self._news.wait(wait)
            return None

    def done(self) -> None:
        """A letter that was taken has its outcome."""
        with self._news:
            self._abroad -= 1
            self._news.notify_all()

    def put_back(self, job: Job) -> None:
        """A letter that was taken shall be tried again, first of its domain."""
        with self._news:
            self._waiting.setdefault(job.domain, deque()).appendleft(job)
            self._abroad -= 1
            self._news.notify_all()

    def leave(self, domain: str) -> list[Job]:
        """Take out what is left for a domain."""
        with self._news:
            left = list(self._waiting.pop(domain, ()))
            self._news.notify_all()
            return left

    def stop(self) -> None:
        """Hand out no more."""
        with self._news:
            self._stopped = True
            self._news.notify_all()

    def pause(self, seconds: float) -> bool:
        """Wait, unless the batch is stopped or done meanwhile; whether there is still something to do."""
        with self._news:
            self._news.wait_for(lambda: self._stopped or not (self._waiting or self._abroad), seconds)
            return not self._stopped and bool(self._waiting or self._abroad)

    def _due(self) -> tuple[Job | None, float | None]:
        """A letter; else the seconds until one is due."""
        if not self._spare and (wait := self._pace.take(TOTAL)):
            return None, wait
        self._spare = True
        waits: list[float] = []
        for domain in list(self._waiting):
            if wait := self._pace.take(domain):
                waits.append(wait)
                continue
            queue = self._waiting.pop(domain)
            job = queue.popleft()
            if queue:
                self._waiting[domain] = queue  # behind the others: every domain has its turn
            self._spare = False
            return job, None
        return None, min(waits, default=None)
