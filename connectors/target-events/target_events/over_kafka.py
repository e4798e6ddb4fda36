"""Events to a broker that speaks Kafka's protocol: keyed by row, acknowledged by all replicas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from cloudevents.core.bindings.kafka import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat

from snello.kit.channel import ConfigError, ContractError, RetryLater, Verdict
from target_events.sending import WHERE, Told
from target_events.settings import Settings

PORT = 9092
CURE = "check TARGET_EVENTS_URL and the options"
ROW = {"MSG_SIZE_TOO_LARGE": "too_large", "INVALID_RECORD": "invalid_record", "INVALID_MSG": "invalid_record"}
OURS = ("bootstrap.servers", "acks", "enable.idempotence")
ACCOUNT = (
    "SASL_AUTHENTICATION_FAILED",
    "_AUTHENTICATION",
    "TOPIC_AUTHORIZATION_FAILED",
    "CLUSTER_AUTHORIZATION_FAILED",
    "_UNKNOWN_TOPIC",
    "UNKNOWN_TOPIC_OR_PART",
    "TOPIC_EXCEPTION",
    "_SSL",
)


class OverKafka:
    """Produces events and waits for the broker's report on each."""

    def __init__(self, settings: Settings) -> None:
        try:
            import confluent_kafka
        except ImportError:
            cure = "install it: pip install 'snello[kafka]'"
            raise ConfigError(WHERE, "events to Kafka need the package confluent-kafka", cure) from None
        self._kafka: Any = confluent_kafka
        self.settings = settings
        parts = urlsplit(settings.url.get_secret_value())
        self.topic = parts.path.strip("/")
        if not parts.netloc or not self.topic or "/" in self.topic:
            raise ConfigError(WHERE, "its URL names no topic", "write kafka://host:port/topic")
        servers = ",".join(each if ":" in each else f"{each}:{PORT}" for each in parts.netloc.split(","))
        try:
            self._producer: Any = confluent_kafka.Producer(self._options(servers))
        except (confluent_kafka.KafkaException, ValueError, TypeError) as error:
            word = _word(error)
            raise ConfigError(WHERE, f"the options are none that librdkafka takes ({word})", CURE) from None

    def send(self, told: Sequence[Told]) -> Iterable[Verdict]:
        """Hand all over, wait for all reports; who has none by then is in doubt, and comes again under the same id."""
        reports: dict[str, Any] = {}
        for one in told:
            self._produce(one, reports)
        self._producer.flush(self.settings.timeout + 5)
        missing = [one for one in told if one.key not in reports]
        verdicts = [self._verdict(key, error) for key, error in reports.items()]
        faults = [each for each in verdicts if isinstance(each, Exception)]
        yield from (each for each in verdicts if isinstance(each, Verdict))
        if faults:
            raise next((each for each in faults if isinstance(each, ConfigError)), faults[0])
        if missing:
            raise RetryLater(WHERE, f"no report from the broker within {self.settings.timeout:g} s", "run again later")

    def close(self) -> None:
        """Nothing waits any more when a run ends; what was given up is purged."""
        self._producer.purge()
        self._producer.flush(1)

    def _options(self, servers: str) -> dict[str, Any]:
        given = {name: value.get_secret_value() for name, value in self.settings.options.items()}
        for name in OURS:
            if name in given:
                raise ConfigError(WHERE, f"option {name} is set by the target", "leave it out")
        return {
            "client.id": WHERE,
            "log_level": 0,  # what it says of connections is told by the verdicts
            "linger.ms": 5,
            "compression.type": "lz4",
            "message.max.bytes": self.settings.max_bytes + 10_000,
            "delivery.timeout.ms": int(self.settings.timeout * 1000),
            **given,
            "bootstrap.servers": servers,
            "acks": "all",
            "enable.idempotence": True,
        }

    def _produce(self, one: Told, reports: dict[str, Any]) -> None:
        form = to_binary if self.settings.mode == "binary" else to_structured
        message = form(one.event, JSONFormat())

        def noted(error: Any, _message: Any) -> None:
            reports[one.key] = error

        words = {"key": message.key, "headers": message.headers, "on_delivery": noted}
        try:
            self._producer.produce(self.topic, message.value, **words)
        except BufferError:
            self._producer.flush(self.settings.timeout)
            self._producer.produce(self.topic, message.value, **words)
        except self._kafka.KafkaException as fault:
            reports[one.key] = fault.args[0]

    def _verdict(self, key: str, error: Any) -> Verdict | Exception:
        if error is None:
            return Verdict.delivered(key)
        name = error.name()
        if name in ROW:
            return Verdict.refused(key, ROW[name])
        if name in ACCOUNT:
            return ConfigError(WHERE, f"the broker refuses ({name})", CURE)
        if error.fatal():
            return ContractError(WHERE, f"the producer cannot go on ({name})", "run again; tell us if it stays so")
        return RetryLater(WHERE, f"the broker does not take events ({name})", "run again later; nothing is lost")


def _word(error: Exception) -> str:
    first: Any = error.args[0] if error.args else None
    return str(first.name()) if hasattr(first, "name") else type(error).__name__
