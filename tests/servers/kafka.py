"""A Kafka broker for tests: librdkafka's own mock cluster, in a process of its own, so that it outlives its clients.

    with kafka_broker() as servers: ...      # "127.0.0.1:41234"

It speaks the protocol: metadata, idempotent production, fetching. It has no disk, no replicas, no rights and no
limits of its own. It lives as long as the process whose producer brought it up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

BROKERS = 3


def serve() -> None:
    """Bring the cluster up, print where it listens, and stay until the input ends."""
    from confluent_kafka import Producer

    found: list[str] = []
    producer = Producer({"test.mock.num.brokers": BROKERS, "bootstrap.servers": "", "logger": _quiet()})
    metadata = producer.list_topics(timeout=30)
    found = [f"{broker.host}:{broker.port}" for broker in metadata.brokers.values()]
    sys.stdout.write(",".join(sorted(found)) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


def _quiet() -> Any:
    import logging

    logger = logging.getLogger("mock")
    logger.setLevel(logging.CRITICAL)
    return logger


@contextmanager
def kafka_broker() -> Iterator[str]:
    """A cluster as long as the block lasts; yields its bootstrap servers."""
    words = [sys.executable, __file__]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()


def events_in(servers: str, topic: str) -> list[dict[str, Any]]:
    """All that a topic holds, of all partitions: key, headers, value and partition."""
    from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

    settings = {"bootstrap.servers": servers, "group.id": "look", "enable.partition.eof": True}
    consumer = Consumer({**settings, "fetch.wait.max.ms": 10})  # else it waits half a second for more
    try:
        partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
        open_ones, found = set(partitions), list[dict[str, Any]]()
        while open_ones:
            message = consumer.poll(30)
            assert message is not None, "the broker is silent"
            if (error := message.error()) is not None:
                assert error.code() == KafkaError._PARTITION_EOF, error
                open_ones.discard(message.partition())
                continue
            headers = {name: value.decode() for name, value in message.headers() or []}
            key = message.key()
            found.append(
                {
                    "key": key.decode() if key else None,
                    "headers": headers,
                    "value": json.loads(message.value() or b"null"),
                    "partition": message.partition(),
                }
            )
        return found
    finally:
        consumer.close()


if __name__ == "__main__":
    serve()
