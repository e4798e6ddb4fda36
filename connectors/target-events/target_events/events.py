"""A change as a CloudEvent, with an id that is the same however often the change is told."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from cloudevents.core.v1.event import CloudEvent

from snello.kit.channel import Change

TYPE = "com.snello.audience.member."


@dataclass(frozen=True)
class Events:
    """Makes the events of one sync."""

    source: str
    sync: str
    dataschema: str | None = None

    def of(self, change: Change, first_try: str) -> CloudEvent:
        """The event of a change; ``first_try``: what all tries at it share."""
        attributes = {
            "id": self.name(change, first_try),
            "source": f"{self.source.rstrip('/')}/{quote(self.sync, safe='')}",
            "type": TYPE + kind(change),
            "specversion": "1.0",
            "subject": change.customer or change.key,
            "time": datetime.now(UTC),
            "datacontenttype": "application/json",
            "dataschema": self.dataschema,
            "partitionkey": change.key,  # of a row one partition tells all in order, when its customer is another too
            "rowkey": change.key,
            "syncmode": change.mode,
            "purpose": change.purpose,
            "consent": change.consent,
            "consentchannel": change.channel,
            "fingerprint": change.fingerprint,
        }
        given = {name: value for name, value in attributes.items() if value}
        return CloudEvent(given, dict(change.payload) if change.op == "upsert" else {})

    def name(self, change: Change, first_try: str) -> str:
        """The event's id: says nothing of the row, and differs when the same change comes about again later."""
        told = "\n".join((first_try, self.sync, kind(change), change.key, change.fingerprint or ""))
        return hashlib.sha256(told.encode()).hexdigest()[:32]


def kind(change: Change) -> str:
    """The last word of an event's type."""
    if change.op == "remove":
        return "erased" if change.reason == "erased" else "removed"
    return "updated" if change.known else "added"
