"""How patiently a bulk operation is waited for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Waits:
    """Seconds between looks at an operation, the first and the longest, and after how many a run gives up."""

    first: float = 1.0
    longest: float = 30.0
    patience: float = 3 * 3600.0

    def each(self) -> Iterator[float]:
        """Seconds to wait before the next look, until patience ends."""
        wait, until = self.first, time.monotonic() + self.patience
        while time.monotonic() < until:
            yield wait
            wait = min(wait * 1.5, self.longest)
