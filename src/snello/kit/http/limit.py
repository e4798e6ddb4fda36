"""At most so many requests in so many seconds."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass

from snello.errors import ConfigError

UNITS = {"s": 1.0, "sec": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Limit:
    """What an interface allows.

    - ``requests`` in ``seconds``
    - ``burst``: how many of them at once after a rest; as many as ``requests`` when not given
    """

    requests: int
    seconds: float = 1.0
    burst: int | None = None

    @classmethod
    def parse(cls, text: str, where: str = "setting") -> Limit:
        """The limit in a text such as ``10/s``, ``300/min`` or ``100/30s``. Raises ``ConfigError``."""
        found = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+)?\s*([a-z]+?)\s*", text.lower())
        unit = UNITS.get(found[3]) if found else None
        if not found or unit is None or not int(found[1]):
            raise ConfigError(where, "a limit that does not parse", "write it as 10/s, 300/min or 100/30s")
        return cls(int(found[1]), unit * int(found[2] or 1))

    @property
    def most(self) -> float:
        """Requests at once after a rest."""
        return float(self.burst or self.requests)

    @property
    def rate(self) -> float:
        """Requests a second in the long run."""
        return self.requests / self.seconds

    def __str__(self) -> str:
        return f"{self.requests} request{'s' * (self.requests != 1)} in {self.seconds:g} s"


class Bucket:
    """A bucket of tokens for the threads of one process; each request takes one."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._tokens, self._moment = limit.most, time.monotonic()
        self._lock = threading.Lock()

    def take(self) -> float:
        """Take a token, which may be one of the future: the seconds until it is there."""
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self.limit.most, self._tokens + (now - self._moment) * self.limit.rate) - 1
            self._moment = now
            return max(0.0, -self._tokens / self.limit.rate)

    def rest(self, seconds: float) -> None:
        """Nothing is left for so many seconds: the server says so."""
        with self._lock:
            self._moment = time.monotonic()
            self._tokens = min(self._tokens, 1 - seconds * self.limit.rate)
