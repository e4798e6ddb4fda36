"""One run of the loader: messages in, commits, and each state out after the commit of all that it speaks of."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import IO, Any

import msgspec

from snello.errors import ContractError, RetryLater
from snello.kit.loader.batchfiles import take
from snello.kit.loader.buried import Graveyard
from snello.kit.loader.columns import arrow_schema, columns_of
from snello.kit.loader.faults import NoSchema
from snello.kit.loader.ledgers import LOADS, Ledgers
from snello.kit.loader.messages import BrokenLine, Message, chunks, messages
from snello.kit.loader.stream import Method, StreamLoad
from snello.lake import Lake
from snello.lake.upkeep import tidy
from snello.lake.writer import TableWriter

Counts = dict[str, int]

_KIND, _RECORD, _TIME = attrgetter("type", "stream"), attrgetter("record"), attrgetter("time_extracted")


@dataclass(frozen=True)
class Plan:
    """What a run was told: where to load, how, and when to commit."""

    lake: Lake
    source: str
    method: Method
    methods: dict[str, Method] = field(default_factory=dict)
    batch_rows: int = 100_000
    batch_bytes: int = 32 << 20
    batch_seconds: float = 30.0


class Run:
    """Reads Singer messages and loads them; ``finish`` or ``abandon`` ends it."""

    def __init__(self, plan: Plan, run_id: str, logger: logging.Logger) -> None:
        self.plan, self.run_id, self.logger = plan, run_id, logger
        self.streams: dict[str, StreamLoad] = {}
        self._declared: dict[str, tuple[bytes, bytes]] = {}
        self._writers: dict[str, TableWriter] = {}
        self._graveyard = Graveyard(plan.lake, plan.source)
        self.ledgers = Ledgers(plan.lake, plan.source, run_id, self._writer)
        self._state: bytes | None = None
        self._count = self._rows = self._bytes = 0
        self._oldest: float | None = None

    def read(self, source: IO[Any] | None) -> Counts:
        """Load everything that comes; returns how many messages of each type came."""
        counts: Counts = {}
        for chunk in chunks(source, self.plan.batch_seconds):
            found = messages(chunk)
            cut = bool(found) and not chunk.endswith(b"\n") and isinstance(found[-1], BrokenLine)
            self._take_all(found[:-1] if cut else found, counts)
            if self._due() or cut:
                self.flush()
            if cut:
                raise RetryLater(
                    "input", "the tap stopped in the middle of a line", "read the tap's own message, then run again"
                )
        return counts

    def flush(self) -> None:
        """Commit what is waiting, then let the newest state out if nothing before it waits any more."""
        for load in self.streams.values():
            self.ledgers.refuse(load.name, load.flush())
        self.ledgers.write_refused()
        self._rows = self._bytes = 0
        self._oldest = None
        self._let_state_out()

    def finish(self) -> None:
        """The source ended well: commit the rest, put overwrites in place, keep the books."""
        self.flush()
        for load in self.streams.values():
            if not load.finish():
                self.logger.warning("%s: no row came, so the table was left as it was", load.name)
        self._let_state_out()
        self.ledgers.close_books(self.streams.values())
        for writer in self._writers.values():
            tidy(writer.table)
        self.close()

    def close(self) -> None:
        """Give up what is not committed and let go of the tables."""
        for load in self.streams.values():
            load.drop()
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def _take_all(self, found: Sequence[Message | BrokenLine], counts: Counts) -> None:
        for (kind, stream), group in groupby(found, key=_KIND):
            together: list[Any] = list(group)
            counts[kind] = counts.get(kind, 0) + len(together)
            if kind == "RECORD":
                self._take_records(stream, together)
            else:
                for message in together:
                    self._take(kind, message)
            self._count += len(together)

    def _take_records(self, stream: str | None, together: Sequence[Message]) -> None:
        records = list(map(_RECORD, together))
        load = self._load_of(stream)
        self._bytes += load.add(records, list(map(_TIME, together)), self._count + 1)
        self._rows += len(records)
        if self._oldest is None:
            self._oldest = time.monotonic()
        if self._due():
            self.flush()

    def _take(self, kind: str, message: Message | BrokenLine) -> None:
        if isinstance(message, BrokenLine):
            self.ledgers.refuse_line(self._count + 1, message)
        elif kind == "SCHEMA":
            self._declare(message)
        elif kind == "BATCH":
            self._take_files(message)
        elif kind == "STATE":
            self._state = bytes(message.value)
            self._let_state_out()
        elif kind != "ACTIVATE_VERSION":
            raise ContractError("message", f"unknown type {kind!r}", "use a tap that speaks the Singer specification")

    def _declare(self, message: Message) -> None:
        said = bytes(message.schema), bytes(message.key_properties)
        name = message.stream
        if name is None or self._declared.get(name) == said:
            return
        schema = _decoded(message.schema, dict)
        if schema is None or not isinstance(schema.get("properties"), dict):
            raise ContractError(f"stream {name}", "its schema has no properties", "mend the tap")
        if name == LOADS:
            raise ContractError(f"stream {name}", "the name is that of the loader's own books", "rename it in the tap")
        keys = _decoded(message.key_properties, list[str]) or []
        self.flush()
        if name not in self.streams:
            writer = self._writer(name, arrow_schema(columns_of(schema)))
            method = self.plan.methods.get(name, self.plan.method)
            self.streams[name] = StreamLoad(name, method, writer, self._graveyard.of(name))
        self.streams[name].declare(schema, keys)
        self._declared[name] = said

    def _take_files(self, message: Message) -> None:
        load = self._load_of(message.stream)
        encoding = _decoded(message.encoding, dict) or {}
        self.flush()
        for path in _decoded(message.manifest, list[str]) or []:
            for records in take(load, path, encoding, self.plan.batch_rows):
                load.add(records, [None] * len(records), self._count + 1)
                self.ledgers.refuse(load.name, load.flush())
        self.ledgers.write_refused()

    def _load_of(self, stream: str | None) -> StreamLoad:
        load = self.streams.get(stream or "")
        if load is None:
            raise NoSchema(f"stream {stream}", "a record came before its schema", "mend the tap")
        return load

    def _writer(self, stream: str, schema: Any) -> TableWriter:
        uri = self.plan.lake.raw_uri(self.plan.source, stream)
        if uri not in self._writers:
            self._writers[uri] = TableWriter(uri, self.run_id, schema)
        return self._writers[uri]

    def _due(self) -> bool:
        return self._oldest is not None and (
            self._rows >= self.plan.batch_rows
            or self._bytes >= self.plan.batch_bytes
            or time.monotonic() - self._oldest >= self.plan.batch_seconds
        )

    def _let_state_out(self) -> None:
        if self._state is None or any(load.waiting for load in self.streams.values()):
            return
        sys.stdout.write(self._state.decode() + "\n")
        sys.stdout.flush()
        self._state = None


def _decoded(raw: msgspec.Raw, kind: Any) -> Any:
    if not bytes(raw):
        return None
    try:
        return msgspec.json.decode(raw, type=kind | None)
    except (msgspec.DecodeError, UnicodeError):
        return None
