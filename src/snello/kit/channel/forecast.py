"""How many calls a sync's changes will take, and how long at the pace that its target keeps to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from snello.activation import Sync
from snello.kit.channel.target import ActivationTarget
from snello.kit.configuration import settings_of


@dataclass(frozen=True)
class Forecast:
    """Calls, and the calls a second that the target keeps to; None: as quickly as the channel answers."""

    requests: int
    per_second: float | None = None

    @property
    def seconds(self) -> float | None:
        """The least time that the calls take; None where the channel's answers alone decide."""
        return self.requests / self.per_second if self.per_second else None


def forecast(
    target: type[ActivationTarget], config: Mapping[str, Any], sync: Sync, upserts: int, removals: int
) -> Forecast:
    """What so many changes of ``sync`` take through ``target``; no call is made. Raises ``ConfigError``."""
    values = settings_of(target.settings, config, target.name)
    sink = target.sinks[0](values, sync.name, sync.list or sync.name)
    try:
        return Forecast(sink.requests(upserts, removals), getattr(values, "requests_per_second", None))
    finally:
        sink.close()
