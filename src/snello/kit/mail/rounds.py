"""Letters by the domain that they go to, handed out as each domain's pace allows: a slow one holds up nobody else."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from snello.errors import ConfigError
from snello.kit.http.buckets import OwnBucket
from snello.kit.http.limit import Limit

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
    """Buckets that outlive a batch: one a domain, and one for all of them."""

    def __init__(self, limits: Mapping[str, Limit]) -> None:
        self._limits = limits
        self._buckets: dict[str, OwnBucket] = {}
        self.total = OwnBucket(limits.get(TOTAL))

    def of(self, domain: str) -> OwnBucket:
        """The bucket of a domain."""
        if domain not in self._buckets:
            self._buckets[domain] = OwnBucket(self._limits.get(domain, self._limits.get(DEFAULT)))
        return self._buckets[domain]


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
        if not self._spare and (wait := self._pace.total.take()):
            return None, wait
        self._spare = True
        waits: list[float] = []
        for domain in list(self._waiting):
            if wait := self._pace.of(domain).take():
                waits.append(wait)
                continue
            queue = self._waiting.pop(domain)
            job = queue.popleft()
            if queue:
                self._waiting[domain] = queue  # behind the others: every domain has its turn
            self._spare = False
            return job, None
        return None, min(waits, default=None)
