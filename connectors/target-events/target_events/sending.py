"""What every transport takes and gives back, and how the one is found that an address asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cloudevents.core.v1.event import CloudEvent

from snello.kit.channel import Verdict

WHERE = "target-events"


@dataclass(frozen=True)
class Told:
    """A row's event on its way: ``whole`` is the event as JSON."""

    key: str
    event: CloudEvent
    whole: bytes


class Transport(Protocol):
    """Where events go."""

    def send(self, told: Sequence[Told]) -> Iterable[Verdict]:
        """A verdict an event, in the order of the rows of a key. Raises ``RetryLater`` or ``ConfigError``."""

    def close(self) -> None:
        """Let go of connections."""
