"""The Singer target around a channel: reads the messages of ``tap-activation``, hands them to a sink in batches."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from io import BufferedReader, FileIO
from types import FrameType
from typing import IO, Any, ClassVar, NoReturn

import click
import msgspec
from singer_sdk import Target
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.singerlib.encoding.base import GenericSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine

from snello.activation import Ledger
from snello.errors import ContractError, RowsRefused
from snello.kit.channel.feed import Feed
from snello.kit.channel.reconciling import Drift, reconcile, title_of, told_of
from snello.kit.channel.settings import ChannelSettings, from_hub
from snello.kit.channel.sink import ActivationSink
from snello.kit.configuration import schema_of, settings_of

READ_AHEAD = 1 << 18  # bytes; each time the input is asked, every call under way may have its turn first
SELDOM = (50_000, 20, 100)  # what looks for garbage meets thousands of changes under way, and never a dead one


class QuietReader(GenericSingerReader[str]):
    """Reads Singer lines as the SDK does; a line that does not parse is not shown.

    ``quick``: takes a line that it knows at sight; False of any other.
    """

    default_input = sys.stdin
    quick: Callable[[bytes], bool] | None = None
    _decode = msgspec.json.Decoder(dict[str, Any]).decode

    def process_lines(
        self, file_input: IO[str] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        """Read to the end; the SDK's own way, without its looks at each line, and seldom looking for garbage."""
        read: Counter[str] = Counter()
        records = 0
        quick = self.quick
        gc.set_threshold(*SELDOM)
        for text in _lines(file_input or self.default_input):
            line = text if isinstance(text, bytes) else text.encode()
            if quick and quick(line):
                records += 1
                continue
            message = self.deserialize_json(line)
            kind = message.get("type", "")
            if kind not in callbacks:
                raise InvalidInputLine("a message is of no known type")
            callbacks[kind](message)
            read[kind] += 1
        read["RECORD"] += records
        return read

    def deserialize_json(self, line: str | bytes) -> dict[str, Any]:
        """One message. Raises ``ContractError`` for half a line, as a tap that was killed leaves behind."""
        try:
            return self._decode(line)
        except msgspec.DecodeError:
            raise ContractError("input", "a line is not JSON", "run the tap and the target again") from None

    @staticmethod
    def assert_line_requires(line_dict: dict[str, Any], requires: set[str]) -> None:
        """Refuse a message that lacks a part; the SDK's own message would show the record."""
        if not requires.issubset(line_dict):
            raise InvalidInputLine(f"a message lacks {', '.join(sorted(requires - set(line_dict)))}")


def _lines(given: IO[str]) -> Iterable[str | bytes]:
    """Bytes, where there are some: JSON is decoded from them."""
    if given is sys.__stdin__:
        return BufferedReader(FileIO(given.fileno(), closefd=False), READ_AHEAD)
    return getattr(given, "buffer", given)


class ActivationTarget(Target):
    """Base of every activation target: ``name``, ``sinks`` (one) and ``settings`` are all that a subclass says."""

    sinks: ClassVar[tuple[type[ActivationSink[Any]], ...]]
    settings: ClassVar[type[ChannelSettings]] = ChannelSettings
    default_sink_class = Feed
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
        self._feed: Feed | None = None
        if isinstance(self.message_reader, QuietReader):
            self.message_reader.quick = self._take_line

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

    def _take_line(self, line: bytes) -> bool:
        """A further record of the stream that the last one was of."""
        return self._feed is not None and self._feed.take_line(line)

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        """As the SDK does; the stream may have other columns from here on."""
        self._feed = None
        super()._process_schema_message(message_dict)

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        """Hand a record on as it is: dbt enforced the audience's contract, and the SDK's own way shows values."""
        feed = self._sinks_active.get(message_dict.get("stream", ""))
        if isinstance(feed, Feed) and "record" in message_dict:
            self._feed = feed
            feed.take(message_dict["record"])
        else:
            super()._process_record_message(message_dict)

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The SDK's command, with the question what the channel holds."""
        command = super().get_singer_command()
        told = "Compare what the channel holds of a sync with the ledger, print the drift as JSON, and deliver nothing."
        command.params.append(click.Option(["--reconcile", "sync"], metavar="SYNC", help=told))
        invoke = command.callback
        assert invoke

        def asked(*given: Any, sync: str | None = None, **more: Any) -> Any:
            return invoke(*given, **more) if sync is None else cls._tell_drift(sync, more["config"])

        command.callback = asked
        return command

    @classmethod
    def _tell_drift(cls, sync: str, config: Any) -> None:
        drift = cls(config=config.config, validate_config=True).reconcile(sync)
        sys.stdout.write(msgspec.json.encode(drift.said()).decode() + "\n")
        if drift:
            raise RowsRefused(f"sync {sync}", *told_of(drift))

    def reconcile(self, sync: str, title: str = "") -> Drift:
        """What the channel holds of a sync beside what the ledger says; ``title``: of its list in the channel.

        Raises ``ConfigError`` when the channel cannot say.
        """
        sink = self.sinks[0](self.values, sync, title or title_of(sync))
        try:
            return reconcile(self.ledger, sink, sync)
        finally:
            sink.close()

    def ended(self, sync: str, run_id: str) -> bool:
        """Whether the last message of a run of the sync has come."""
        marks = (self._latest_state or {}).get("bookmarks", {})
        return bool(run_id) and marks.get(sync, {}).get("run_id") == run_id

    def process_endofpipe(self) -> None:
        """Deliver the rest, let state through, then tell of refusals. Raises ``RowsRefused`` when asked to."""
        super().process_endofpipe()
        feeds = [sink for sink in self._sinks_active.values() if isinstance(sink, Feed)]
        for feed in feeds:
            codes = feed.delivery.book.codes
            if codes and self.values.fail_on_refused:
                raise RowsRefused(
                    f"sync {feed.stream_name}",
                    f"{codes.total():,} rows were refused ({', '.join(sorted(codes))})",
                    f"run `snello receipts {feed.stream_name}`",
                )

    def _handle_termination(self, signum: int, frame: FrameType | None) -> NoReturn:
        """Stop where we are: the ledger knows what is in doubt, and a drain inside a drain would send it twice."""
        sys.exit(128 + signum)
