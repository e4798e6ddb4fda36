"""What platforms said of audiences after earlier runs, and what that lets one expect of the next.

Learned is a share: of the rows that a platform had taken, how many it found people for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import func, or_, select

from snello.activation.tables import deliveries, measurements

LOOKS = 10
"""The last so many looks at a platform's figures count; older ones speak of another audience."""

LATE = timedelta(days=2)
"""Platforms count late: for so long a nought says that they have not counted yet."""


class Asked(Protocol):
    """A ledger, to be asked."""

    def asked(self, query: Any) -> list[dict[str, Any]]:
        """The rows that a SELECT of the ledger's tables finds."""


@dataclass(frozen=True)
class Look:
    """What a platform said once: of ``taken`` rows it ``found`` so many; ``row``: as the ledger has it.

    A platform that tells no matches tells a size: of all that it holds, which is then what was taken.
    """

    row: Mapping[str, Any]
    taken: int
    found: int

    @classmethod
    def at(cls, row: Mapping[str, Any]) -> Look:
        """A row of ``measurements`` that says something."""
        if row["matched"] is not None:
            return cls(row, row["accepted"], row["matched"])
        return cls(row, row["held"] or 0, row["size"])

    @property
    def off(self) -> float | None:
        """By which share of the forecast it found more (or, below nought, fewer); None where nothing was forecast."""
        forecast = self.row["forecast"]
        return (self.found - forecast) / forecast if forecast else None


def looks(ledger: Asked, syncs: Collection[str]) -> list[Look]:
    """What platforms said of these syncs, the eldest first."""
    told = or_(measurements.c.matched.is_not(None), measurements.c.size.is_not(None))
    query = select(measurements).where(measurements.c.sync.in_(list(syncs)), told).order_by(measurements.c.id)
    return [Look.at(row) for row in ledger.asked(query)]


def telling(seen: Sequence[Look], floor: int) -> list[Look]:
    """The last of them from which a share can be read.

    A nought can be read only of an audience that is not below the platform's ``floor``, and that it has known for long.
    """
    first: dict[str, Any] = {}
    told: list[Look] = []
    for look in seen:
        sync, at = look.row["sync"], look.row["at"]
        long_known = sync in first and at - first[sync] >= LATE
        if look.taken > 0 and look.taken >= floor:
            first.setdefault(sync, at)
        if look.taken > 0 and (look.found or (look.taken >= floor and long_known)):
            told.append(look)
    return told[-LOOKS:]


def share(told: Sequence[Look]) -> float | None:
    """Of what the platforms took, how much they found; None where nothing tells."""
    taken = sum(look.taken for look in told)
    return min(1.0, sum(look.found for look in told) / taken) if taken else None


def held(ledger: Asked, sync: str) -> int:
    """How many rows the channel of ``sync`` holds, or may hold."""
    mine = (deliveries.c.sync == sync, deliveries.c.fingerprint.is_not(None))
    return int(ledger.asked(select(func.count().label("rows")).where(*mine))[0]["rows"])


def ever(ledger: Asked, sync: str) -> int:
    """How many rows at most the channel of ``sync`` was ever sent, those that it no longer holds among them."""
    rows = select(func.count().label("rows")).where(deliveries.c.sync == sync)
    most = select(func.max(measurements.c.held).label("rows")).where(measurements.c.sync == sync)
    return max(int(ledger.asked(query)[0]["rows"] or 0) for query in (rows, most))


def long_held(ledger: Asked, sync: str, now: datetime) -> int:
    """How many rows the channel of ``sync`` has held, as they are, for so long that the platform has counted them."""
    mine = (deliveries.c.sync == sync, deliveries.c.fingerprint.is_not(None), deliveries.c.updated_at <= now - LATE)
    return int(ledger.asked(select(func.count().label("rows")).where(*mine))[0]["rows"])


def forecast(ledger: Asked, row: Mapping[str, Any], floor: int) -> int | None:
    """What the looks before it let one expect of ``row``, a look that is about to be written; None: nothing known."""
    if row["matched"] is None and row["size"] is None:
        return None
    known = share(telling(looks(ledger, [row["sync"]]), floor))
    return None if known is None else round(known * Look.at(row).taken)
