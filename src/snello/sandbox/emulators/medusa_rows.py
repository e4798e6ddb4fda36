"""What the rows of a small Medusa shop share: keys, moments, the writing of amounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

Row = dict[str, Any]
BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)
TIED = 40  # rows of one import share a moment


def key(prefix: str, number: int) -> str:
    """The key of a row: the order of keys is that of numbers."""
    return f"{prefix}_{number:026d}"


def moment(number: int) -> str:
    """When a row was made and last changed, as the interface writes it."""
    return written(BEGIN + timedelta(minutes=number // TIED))


def written(at: datetime) -> str:
    """A moment in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def dated(number: int) -> Row:
    """The moments of a row that nobody changed."""
    return {"created_at": moment(number), "updated_at": moment(number), "deleted_at": None}


def amount(name: str, value: float) -> Row:
    """An amount, and beside it its exact writing."""
    return {name: value, f"raw_{name}": {"value": f"{value}", "precision": 20}}
