"""At most so many requests in so many seconds, counted over whatever window one looks through."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from snello.errors import ConfigError

UNITS = {
    unit: seconds
    for units, seconds in (
        (("s", "sec", "second", "seconds"), 1.0),
        (("m", "min", "minute", "minutes"), 60.0),
        (("h", "hour", "hours"), 3600.0),
        (("d", "day", "days"), 86400.0),
    )
    for unit in units
}
CLOSE = 1e-6  # seconds: what is nearer than that is due


@dataclass(frozen=True)
class Limit:
    """What an interface allows.

    - ``requests`` in any ``seconds``
    - ``burst``: how many of them at once, the others evenly spread after; all of them when not given
    """

    requests: int
    seconds: float = 1.0
    burst: int | None = None

    @classmethod
    def parse(cls, text: str, where: str = "setting") -> Limit:
        """The limit in a text such as ``10/s``, ``300/min`` or ``100/30s``. Raises ``ConfigError``."""
        found = re.fullmatch(r"\s*(\d+)\s*/\s*(\d*)\s*([a-z]+)\s*", text.lower())
        unit = UNITS.get(found[3]) if found else None
        if not found or unit is None or not int(found[1]) or found[2].strip("0") == "" != found[2]:
            raise ConfigError(where, "the limit does not parse", "write it as 10/s, 300/min or 100/30s")
        return cls(int(found[1]), unit * int(found[2] or 1))

    @property
    def windows(self) -> tuple[tuple[int, float], ...]:
        """Each as how many requests, in how many seconds."""
        whole = (self.requests, self.seconds)
        if self.burst is None or self.burst >= self.requests:
            return (whole,)
        return ((self.burst, self.burst * self.seconds / self.requests), whole)

    def wait(self, now: float, latest: Sequence[float]) -> float:
        """Seconds until one more is allowed.

        - ``latest``: for each of the ``windows``, the moment of the request that has to leave it first; fewer when
          there were not so many requests
        """
        waits = [moment + span - now for moment, (_, span) in zip(latest, self.windows, strict=False)]
        # after a step back of the clock, moments may lie ahead: none is waited for longer than its window
        longest = max((min(wait, span) for wait, (_, span) in zip(waits, self.windows, strict=False)), default=0.0)
        return longest if longest > CLOSE else 0.0

    def __str__(self) -> str:
        return f"{self.requests} request{'s' * (self.requests != 1)} in {self.seconds:g} s"
