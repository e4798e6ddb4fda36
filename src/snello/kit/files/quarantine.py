"""The stream ``_quarantine``: rows that a tap read and could not type, each with its place and reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from singer_sdk.streams import Stream

from snello.kit.files.chunks import Refusal

NAME = "_quarantine"
TEXT = {"type": ["string", "null"]}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "Hash of stream, position, reason and record."},
        "stream": TEXT | {"description": "Stream that the row was meant for."},
        "position": TEXT | {"description": "Where the row begins, as file:line."},
        "reason": TEXT | {"description": "Why the row was refused, without its values."},
        "record": TEXT | {"description": "The row as it was read."},
        "refused_at": TEXT | {"format": "date-time", "description": "When the row was refused."},
    },
    "required": ["id"],
}


def record_of(stream: str, position: str, refusal: Refusal) -> dict[str, Any]:
    """A refused row as data; the same row refused again has the same ``id``."""
    parts = (stream, position, refusal.reason, refusal.record)
    return {
        "id": hashlib.sha256("\x1f".join(parts).encode()).hexdigest(),
        "stream": stream,
        "position": position,
        "reason": refusal.reason,
        "record": refusal.record,
        "refused_at": datetime.now(UTC).isoformat(),
    }


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

    def refuse(self, stream: str, file: str, refusals: Sequence[Refusal]) -> None:
        """Write refused rows of a file, after the stream's SCHEMA whatever the order of streams."""
        if self.selected and refusals:
            self._write_schema_message()
            for refusal in refusals:
                self._write_record_message(record_of(stream, f"{file}:{refusal.line}", refusal))
