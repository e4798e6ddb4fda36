"""The Singer target around a channel: reads the messages of ``tap-activation``, hands them to a sink in batches."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any, ClassVar, NoReturn

import msgspec
from singer_sdk import Sink, Target
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine

from snello.activation import Change, Ledger
from snello.errors import ContractError, RowsRefused, SnelloError
from snello.kit.channel.delivery import Delivery
from snello.kit.channel.settings import ChannelSettings, from_hub
from snello.kit.channel.sink import ActivationSink
from snello.kit.configuration import schema_of, settings_of

NEEDED = ("_op", "_key", "_fingerprint", "_purpose", "_consent")


class QuietReader(GenericSingerReader[str]):
    """Reads Singer lines as the SDK does; a line that does not parse is not shown."""

    default_input = sys.stdin

    def deserialize_json(self, line: str) -> dict[str, Any]:
        """One message. Raises ``ContractError`` for half a line, as a tap that was killed leaves behind."""
        try:
            found: dict[str, Any] = msgspec.json.decode(line)
        except msgspec.DecodeError:
            raise ContractError("input", "a line is not JSON", "run the tap and the target again") from None
        return found

    @staticmethod
    def assert_line_requires(line_dict: dict[str, Any], requires: set[str]) -> None:
        """Refuse a message that lacks a part; the SDK's own message would show the record."""
        if not requires.issubset(line_dict):
            raise InvalidInputLine(f"a message lacks {', '.join(sorted(requires - set(line_dict)))}")


class _Feed(Sink):
    """Collects records of one sync into batches that belong together: one op, and one earlier try or none."""

    target: ActivationTarget

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.target = given["target"]
        _check_stream(self.stream_name, self.original_schema)
        title = self.original_schema.get("title")  # the one place that the SDK leaves for a word about the whole
        self.channel = self.target.sinks[0](self.target.values, self.stream_name, title or self.stream_name)
        self.channel.schema = self.original_schema
        self.target.ledger.locks.take(self.stream_name, "target")
        self.delivery = Delivery(
            self.target.ledger,
            self.stream_name,
            self.channel,
            purpose=self.channel.purpose,
            max_attempts=self.target.values.max_attempts,
        )
        self._waiting: list[Change] = []
        self.run_id = ""

    @property
    def is_full(self) -> bool:
        return False  # batches end where they belong together, not where the SDK counts

    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        return record  # the audience's contract was enforced by dbt; the SDK's checks put values into messages

    def process_record(self, record: dict[str, Any], context: Mapping[str, Any]) -> None:
        change = _change(record, self.stream_name)
        self.run_id = change.run_id
        if self._waiting and (change.op, change.batch) != (self._waiting[-1].op, self._waiting[-1].batch):
            self.flush()
        self._waiting.append(change)
        if len(self._waiting) >= self.channel.max_size:
            self.flush()

    def process_batch(self, context: Mapping[str, Any]) -> None:
        self.flush()

    def flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        try:
            self.delivery.deliver(waiting)
        except SnelloError as fault:
            self.close_run("stopped", fault.what)
            raise

    def close_run(self, outcome: str, message: str = "") -> None:
        if self.run_id:
            refused = sum(n for (status, _), n in self.delivery.tally.items() if status in ("refused", "dead"))
            self.target.ledger.finish(self.run_id, self.stream_name, outcome, refused=refused, message=message)

    def clean_up(self) -> None:
        super().clean_up()
        self.channel.close()
        tally = self.delivery.tally
        refused = sum(self.delivery.codes.values())
        codes = ", ".join(f"{code} {n:,}" for code, n in self.delivery.codes.most_common())
        self.close_run("rows refused" if refused else "delivered", codes)
        if not self.run_id:
            return
        again = tally["retrying", "upsert"] + tally["retrying", "remove"]
        sent = f"{tally['delivered', 'upsert']:,} upserted, {tally['delivered', 'remove']:,} removed"
        self.logger.info("%s: %s, %s refused, %s to retry", self.stream_name, sent, f"{refused:,}", f"{again:,}")
        if refused:
            self.logger.warning("%s", _refusal(self.stream_name, refused, codes))


class ActivationTarget(Target):
    """Base of every activation target: ``name``, ``sinks`` (one) and ``settings`` are all that a subclass says."""

    sinks: ClassVar[tuple[type[ActivationSink[Any]], ...]]
    settings: ClassVar[type[ChannelSettings]] = ChannelSettings
    default_sink_class = _Feed
    message_reader_class = QuietReader
    capabilities: ClassVar[list[Any]] = [PluginCapabilities.ABOUT, PluginCapabilities.STRUCTURED_LOGGING]

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        cls.config_jsonschema = schema_of(cls.settings)

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._max_parallelism = 1  # the ledger has one writer
        self.values = settings_of(self.settings, self.config, self.name)
        self._ledger: Ledger | None = None

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """None of the SDK's own settings: stream maps would change payloads after they were fingerprinted."""

    @property
    def ledger(self) -> Ledger:
        """The ledger that this run writes to."""
        if self._ledger is None:
            given = self.values.ledger.get_secret_value() if self.values.ledger else None
            self._ledger = Ledger(from_hub("ledger", given))
        return self._ledger

    def process_endofpipe(self) -> None:
        """Deliver the rest, let state through, then tell of refusals. Raises ``RowsRefused`` when asked to."""
        super().process_endofpipe()
        feeds = [sink for sink in self._sinks_active.values() if isinstance(sink, _Feed)]
        for feed in feeds:
            refused = sum(feed.delivery.codes.values())
            if refused and self.values.fail_on_refused:
                raise RowsRefused(
                    f"sync {feed.stream_name}",
                    f"{refused:,} rows were refused ({', '.join(sorted(feed.delivery.codes))})",
                    f"run `snello receipts {feed.stream_name}`",
                )

    def _handle_termination(self, signum: int, frame: FrameType | None) -> NoReturn:
        """Stop where we are: the ledger knows what is in doubt, and a drain inside a drain would send it twice."""
        sys.exit(128 + signum)


def _check_stream(stream: str, schema: Mapping[str, Any]) -> None:
    missing = [name for name in NEEDED if name not in schema.get("properties", {})]
    if missing:
        raise ContractError(
            f"stream {stream}", f"it is no sync: it has no {', '.join(missing)}", "feed the target from tap-activation"
        )


def _change(record: Mapping[str, Any], stream: str) -> Change:
    op, key, fingerprint = record.get("_op"), record.get("_key"), record.get("_fingerprint")
    if op not in ("upsert", "remove") or not isinstance(key, str) or not key or (op == "upsert" and not fingerprint):
        raise ContractError(
            f"stream {stream}", "a record lacks its _op, _key or _fingerprint", "feed the target from tap-activation"
        )
    consent = record.get("_consent")
    return Change(
        op=op,
        key=key,
        fingerprint=fingerprint if op == "upsert" else None,
        payload={name: value for name, value in record.items() if not name.startswith("_")},
        consent=consent.get("state") if isinstance(consent, Mapping) else None,
        purpose=record.get("_purpose") or "",
        channel=record.get("_channel") or "",
        reason=record.get("_reason") or "",
        run_id=record.get("_run_id") or "",
        batch=record.get("_batch"),
        mode=record.get("_mode") or "mirror",
        customer=record.get("_customer") or key,
        contact=bool(record.get("_contact")),
        moved_from=record.get("_moved_from"),
    )


def _refusal(sync: str, refused: int, codes: str) -> str:
    return f"{sync}: {refused:,} rows refused ({codes}). Next: snello receipts {sync}."
