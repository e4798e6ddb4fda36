"""Tell the changes of an audience as CloudEvents: to an endpoint, a Kafka broker or a Redis stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from cloudevents.core.formats.json import JSONFormat

from snello.kit.channel import ActivationSink, ActivationTarget, Change, Verdict
from snello.kit.entry import entry
from target_events.events import Events
from target_events.over_http import OverHttp
from target_events.over_kafka import OverKafka
from target_events.over_redis import OverRedis
from target_events.sending import Told, Transport
from target_events.settings import Settings

TRANSPORTS: Mapping[str, Callable[[Settings], Transport]] = {
    "http": OverHttp,
    "kafka": OverKafka,
    "redis": OverRedis,
}


class Members(ActivationSink[Settings]):
    """One event a change."""

    name = "events"
    modes = frozenset({"mirror", "upsert", "insert", "append"})
    repeatable = False

    @property
    def max_size(self) -> int:  # type: ignore[override]
        """As the settings say."""
        return self.settings.batch_size

    @property
    def parallel(self) -> int:  # type: ignore[override]
        """As the settings say, over HTTP; the others take a batch in one go."""
        return self.settings.parallel if self.settings.transport == "http" else 1

    def requests(self, upserts: int, removals: int) -> int:
        """A call an event over HTTP, unless they come in batches."""
        if self.settings.transport == "http" and self.settings.mode != "batched":
            return upserts + removals
        return super().requests(upserts, removals)

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Who was added or changed."""
        return self._tell(changes)

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Who has left, or is to be forgotten."""
        return self._tell(changes)

    def close(self) -> None:
        """Close the transport, if it was opened."""
        if "_transport" in self.__dict__:
            self._transport.close()

    @cached_property
    def _transport(self) -> Transport:
        return TRANSPORTS[self.settings.transport](self.settings)

    @cached_property
    def _events(self) -> Events:
        return Events(self.settings.source, self.sync, self.settings.dataschema)

    def _tell(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        told: list[Told] = []
        for change in changes:
            event = self._events.of(change, self.first_try)
            whole = JSONFormat().write(event)
            if len(whole) > self.settings.max_bytes:
                yield Verdict.refused(change.key, "too_large")
            else:
                told.append(Told(change.key, event, whole))
        if told:
            yield from self._transport.send(told)


class TargetEvents(ActivationTarget):
    """Singer target that tells changes as CloudEvents."""

    name = "target-events"
    sinks = (Members,)
    settings = Settings


main = entry(TargetEvents)
