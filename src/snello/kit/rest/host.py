"""What a REST stream asks of the tap that holds it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from datetime import datetime
from typing import Any, Protocol

from singer_sdk import Stream
from singer_sdk.helpers._batch import BatchConfig

from snello.errors import SnelloError
from snello.kit.batches import BatchFolder
from snello.kit.http import Auth, Client, Limit, Retry
from snello.kit.memory import Memory
from snello.kit.quarantine import QuarantineStream


class Declared(Protocol):
    """What decides how requests are made."""

    auth: Auth | None
    retry: Retry
    limit: Limit | None
    workers: int
    cached: bool


class Runs(Protocol):
    """The reading of a stream."""

    @property
    def refused(self) -> int:
        """Rows that went to the quarantine."""

    def run(self, config: BatchConfig | None) -> None:
        """Read and write everything, as files with a configuration of batches."""

    def records(self, context: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The rows one by one; the caller writes them."""

    def tell(self) -> None:
        """Log what was read."""


class Host(Protocol):
    """The tap, as its streams see it."""

    def reading(self, stream: Stream) -> Runs:
        """How a stream is read."""

    @property
    def quarantine(self) -> QuarantineStream:
        """The stream of refused rows."""

    @property
    def start_date(self) -> datetime | None:
        """The moment before which nothing is read."""

    @property
    def deletes_at_most(self) -> float | None:
        """Share of a compared stream's rows that may be gone at once; None for what the stream declares."""

    @property
    def started(self) -> datetime:
        """When this run began."""

    def client(self, declared: Declared) -> Client:
        """What sends the requests; streams that are declared alike share one."""

    def pool(self, declared: Declared) -> tuple[Executor, int]:
        """Threads for requests, and how many of them may work at once."""

    def memory(self, stream: str) -> Memory:
        """What a compared stream held last."""

    def folder(self, config: BatchConfig) -> BatchFolder:
        """Where batch files go."""

    def close(self) -> None:
        """Nothing more is asked for, now or after a wait."""

    def failed(self, fault: SnelloError) -> None:
        """A stream could not be read to its end; the others go on."""

    def stream_done(self, name: str) -> None:
        """Called for each stream when all have ended."""
