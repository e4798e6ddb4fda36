"""What a sync will take and meet: calls and time at its target's pace, and by what its platform finds people."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snello.activation import Sync
from snello.kit.channel.sink import ActivationSink
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


@dataclass(frozen=True)
class Recognition:
    """By what a platform finds people, and from how many on it makes use of an audience.

    - ``match_keys``: sets of columns, any of which alone is enough; none: the channel takes rows as they are
    - ``floor``: members below which the platform makes no use of an audience
    - ``legible``: of rows, the columns of which something is left once normalised; None: whatever is not blank
    - ``country``: the column by which others are read
    """

    match_keys: tuple[tuple[str, ...], ...] = ()
    floor: int = 0
    legible: Callable[[Sequence[Mapping[str, Any]]], Sequence[Collection[str]]] | None = None
    country: str | None = None


def recognition(
    target: type[ActivationTarget], config: Mapping[str, Any], sync: Sync, columns: Sequence[str]
) -> Recognition:
    """By which of ``columns`` the platform behind ``target`` finds people; no call is made. Raises ``ConfigError``."""
    values = settings_of(target.settings, config, target.name)
    sink = target.sinks[0](values, sync.name, sync.list or sync.name)
    try:
        match_keys = tuple(map(tuple, sink.match_keys(columns)))
        reads = type(sink).legible is not ActivationSink.legible
        return Recognition(match_keys, sink.floor, sink.legible if reads else None, sink.country(columns))
    finally:
        sink.close()
