"""What a channel says after the fact: who must not be written to any more, and how large the audience is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from snello.activation.changes import Bounce, Size
from snello.activation.engine import told
from snello.activation.ledger import Ledger
from snello.activation.looks import forecast, held
from snello.activation.suppressions import address_hash, enter, mark_of
from snello.activation.tables import measurements


@dataclass(frozen=True)
class Sent:
    """How many rows a run sent, and how many of them the channel accepted."""

    sent: int
    accepted: int


def suppress(ledger: Ledger, sync: str, channel: str, bounces: Sequence[Bounce], salt: str = "") -> int:
    """Enter whom earlier deliveries came back from; how many entries are new.

    - by customer, and by the keyed hash of the address where the channel gives one and there is a ``salt``
    - an entry that is there already stays, but for an unsubscription, which is weaker than the rest
    """
    if not bounces:
        return 0
    rows = ledger.lookup(sync, (bounce.key for bounce in bounces))
    now = datetime.now(UTC)
    fixed = {"channel": channel, "source": sync, "at": now}
    found: list[dict[str, Any]] = []
    for bounce in bounces:
        customer = rows.get(bounce.key, {}).get("customer") or bounce.key
        found.append({**fixed, "kind": "customer", "value": customer, "reason": bounce.reason})
        address = address_hash(bounce.address, salt) if bounce.address and salt else None
        if address:
            keyed = {"value": address, "salt_mark": mark_of(salt)}
            found.append({**fixed, "kind": "address", "reason": bounce.reason, **keyed})
    with told(), ledger.engine.begin() as connection:
        return sum(enter(connection, row) for row in found)


def measure(ledger: Ledger, sync: str, run_id: str, sent: Sent, size: Size | None, floor: int = 0) -> None:
    """Note what was sent, what was accepted, what the platform says of the audience, and what was expected of it.

    ``floor``: members below which the platform makes no use of an audience.
    """
    said: Mapping[str, Any] = {"size": size.size, "matched": size.matched} if size else {"size": None, "matched": None}
    row = {"sync": sync, "run_id": run_id, "at": datetime.now(UTC), "sent": sent.sent, "accepted": sent.accepted}
    row |= {**said, "held": held(ledger, sync)}
    row["forecast"] = forecast(ledger, row, floor)
    with told(), ledger.engine.begin() as connection:
        connection.execute(measurements.insert(), row)
