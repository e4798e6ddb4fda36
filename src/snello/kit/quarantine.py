"""The stream ``_quarantine``: rows that a tap read and could not type, each with its place and reason."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from singer_sdk.streams import Stream

NAME = "_quarantine"
_TEXT = ["string", "null"]
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "Hash of stream, position, reason and record."},
        "stream": {"type": _TEXT, "description": "Stream that the row was meant for."},
        "position": {"type": _TEXT, "description": "Where the row begins, as file:line."},
        "reason": {"type": _TEXT, "description": "Why the row was refused, without its values."},
        "record": {"type": _TEXT, "description": "The row as it was read."},
        "refused_at": {"type": _TEXT, "format": "date-time", "description": "When the row was refused."},
    },
    "required": ["id"],
}


def quarantined(stream: str, position: str, reason: str, record: str) -> dict[str, Any]:
    """A refused row as data; the same row refused again has the same ``id``."""
    facts = {"stream": stream, "position": position, "reason": reason, "record": record}
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return {"id": key} | facts | {"refused_at": datetime.now(UTC).isoformat()}


class QuarantineStream(Stream):
    """Refused rows; other streams write to it while they read."""

    name = NAME
    schema = SCHEMA
    primary_keys = ("id",)
    announced = False

    def get_records(self, context: object) -> Iterable[dict[str, Any]]:
        """Nothing of its own."""
        return ()

    def _write_schema_message(self) -> None:
        if not self.announced:
            super()._write_schema_message()
            self.announced = True

    def refuse(self, rows: Iterable[dict[str, Any]]) -> None:
        """Write refused rows, after the stream's SCHEMA whatever the order of streams."""
        if self.selected:
            self._write_schema_message()
            for row in rows:
                self._write_record_message(row)
