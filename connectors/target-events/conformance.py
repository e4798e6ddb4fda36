"""target-events tried on an endpoint that checks each event, a real Redis, and librdkafka's mock of a Kafka cluster."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any
from uuid import uuid4

import redis
import requests
from tests.servers.kafka import events_in, kafka_broker
from tests.servers.redis import redis_server

from snello.kit.conformance.targets import Subject, starts
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.events import TOKEN, events

LACKS: dict[Any, str] = {
    "foreign": "an event names its own source; it touches nobody's rows",
    "lost": "what became of an event is not ours to see",
    "own_purpose": "events serve any purpose",
    "says_json": "any 2xx is an acceptance, with a body or without",
    "answers_by_row": "an answer is a yes or a no, without a word about rows",
}
NO_HTTP: dict[Any, str] = {
    **LACKS,
    "http": "it speaks a protocol of its own; breakdowns are in tests/connectors/test_target_events.py",
    "authenticates": "the server of the suite asks for no password; tests/connectors/test_target_events.py has one",
}
BAD = ({"name": "canary " + "n" * 3_000, "visits": 1}, "too_large")
REFUSED = (({"name": "canary", "visits": 1_000}, "too_old"), BAD)
Told = Callable[[], Iterable[Mapping[str, Any]]]


def _subject(url: str, told: Told, bad: Any = (BAD,), secrets: tuple[str, ...] = (), **more: Any) -> Subject:
    def once() -> list[Mapping[str, Any]]:
        """The events as a consumer takes them: each id once."""
        return list({event["id"]: event for event in told()}.values())

    def held() -> list[tuple[str, Any]]:
        last = {event["rowkey"]: event for event in once()}
        return [(key, event["data"]) for key, event in last.items() if event["type"].endswith(("added", "updated"))]

    return Subject(
        command="target_events:main",
        url=url,
        config=lambda url: {"url": url, "batch_size": 2, "max_bytes": 2_000, **more},
        terms={"purpose": "profiling", "channel": "any"},
        columns=lambda number, version: {"name": f"canary {number}.", "visits": version},
        held=held,
        shown=dict,
        effects=lambda: [(event["type"], event["rowkey"], event.get("fingerprint")) for event in once()],
        bad=bad,
        secrets=secrets,
    )


def _endpoint(mode: str) -> Iterator[Subject]:
    with serve(events(refuses=lambda data: "too_old" if (data.get("visits") or 0) >= 1_000 else None)) as url:

        def told() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = requests.get(f"{url}/_inspect/events", timeout=60).json()
            return found

        yield _subject(f"{url}/events", told, REFUSED, (TOKEN,), mode=mode, token=TOKEN)


@starts(LACKS)
def over_http() -> Iterator[Subject]:
    """An event a call, its attributes in headers."""
    yield from _endpoint("binary")


@starts(LACKS)
def over_http_structured() -> Iterator[Subject]:
    """An event a call, whole in the body."""
    yield from _endpoint("structured")


@starts(LACKS)
def over_http_batched() -> Iterator[Subject]:
    """Many events a call."""
    yield from _endpoint("batched")


@starts(NO_HTTP)
def into_a_redis_stream() -> Iterator[Subject]:
    """A stream of a real server."""
    with redis_server() as url, closing(redis.Redis.from_url(url)) as client:
        yield _subject(f"{url}/loyal", lambda: [json.loads(one[b"event"]) for _, one in client.xrange("loyal")])


@starts(NO_HTTP)
def to_a_kafka_broker() -> Iterator[Subject]:
    """A topic of a cluster that speaks the protocol."""
    topic = f"audience-{uuid4().hex[:8]}"
    with kafka_broker() as servers:
        yield _subject(f"kafka://{servers}/{topic}", lambda: [one["value"] for one in events_in(servers, topic)])
