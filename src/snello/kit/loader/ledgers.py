"""The books of a run: refused records in ``_quarantine``, one row a stream in ``_loads``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import pyarrow as pa

from snello.kit.loader.messages import BrokenLine
from snello.kit.loader.stream import Refusal, StreamLoad
from snello.lake import Lake
from snello.lake.arrowtypes import TIMESTAMP
from snello.lake.quarantine import KEYS, SCHEMA, STREAM, refusal_id
from snello.lake.writer import TableWriter

LOADS = "_loads"
LOADS_SCHEMA = pa.schema(
    [
        ("run_id", pa.string()),
        ("source", pa.string()),
        ("stream", pa.string()),
        ("started_at", TIMESTAMP),
        ("finished_at", TIMESTAMP),
        ("rows", pa.int64()),
        ("refused", pa.int64()),
        ("bytes", pa.int64()),
        ("method", pa.string()),
        ("keys", pa.string()),
    ]
)

Opener = Callable[[str, pa.Schema], TableWriter]


class Ledgers:
    """Keeps what was refused until the next commit, and counts it by stream and reason."""

    def __init__(self, lake: Lake, source: str, run_id: str, opener: Opener) -> None:
        self.lake, self.source, self.run_id, self._open = lake, source, run_id, opener
        self.reasons: dict[str, Counter[str]] = {}
        self._rows: list[dict[str, object]] = []

    def refuse(self, stream: str, refusals: Sequence[Refusal]) -> None:
        """Note records that stay out of their table."""
        now = datetime.now(UTC)
        for refusal in refusals:
            text = refusal.record.decode("utf-8", "backslashreplace")
            self._rows.append(
                {
                    "id": refusal_id(stream, "", refusal.reason, text),
                    "stream": stream,
                    "position": f"message {refusal.message}",
                    "reason": refusal.reason,
                    "record": text,
                    "refused_at": now,
                    "_sdc_extracted_at": now,
                }
            )
            self.reasons.setdefault(stream, Counter())[refusal.reason] += 1

    def refuse_line(self, message: int, broken: BrokenLine) -> None:
        """Note a line that is no message; it belongs to no stream."""
        self.refuse("", [Refusal(message, broken.reason, broken.line)])

    def write_refused(self) -> None:
        """Commit the refused records noted so far; one that is there already is not written again."""
        if not self._rows:
            return
        writer = self._open(STREAM, SCHEMA)
        writer.evolve(SCHEMA)
        writer.insert(pa.Table.from_pylist(self._rows, schema=SCHEMA), KEYS)
        self._rows.clear()

    def close_books(self, streams: Iterable[StreamLoad]) -> None:
        """Append one row a stream to ``_loads``."""
        finished = datetime.now(UTC)
        rows = [
            {
                "run_id": self.run_id,
                "source": self.source,
                "stream": load.name,
                "started_at": load.tally.started_at,
                "finished_at": finished,
                "rows": load.tally.rows,
                "refused": load.tally.refused,
                "bytes": load.tally.bytes,
                "method": load.method,
                "keys": ",".join(load.told_by),
            }
            for load in streams
        ]
        if rows:
            writer = self._open(LOADS, LOADS_SCHEMA)
            writer.evolve(LOADS_SCHEMA)
            writer.append(pa.Table.from_pylist(rows, schema=LOADS_SCHEMA))
