"""From records to batches that belong together: one kind of change, and one earlier try or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from singer_sdk import Sink

from snello.activation import Change, Ledger
from snello.errors import ContractError, SnelloError
from snello.kit.channel.delivery import Delivery
from snello.kit.channel.due import kind_of
from snello.kit.channel.ending import channel_of, listed, look_back, take_back, unfinished
from snello.kit.channel.lines import Lines
from snello.kit.channel.session import Session, cut_off, superseded
from snello.kit.channel.settings import ChannelSettings
from snello.kit.channel.sink import ActivationSink, check_mode

NEEDED = ("_op", "_key", "_fingerprint", "_purpose", "_consent")


class Target(Protocol):
    """What a feed asks of the target."""

    values: ChannelSettings
    sinks: tuple[type[ActivationSink[Any]], ...]

    @property
    def ledger(self) -> Ledger:
        """The ledger that this run writes to."""

    def ended(self, sync: str, run_id: str) -> bool:
        """Whether the last message of the run has come."""


class Feed(Sink):
    """The records of one sync on their way to its delivery."""

    target: Target
    delivers: type[Delivery] = Delivery

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.target = given["target"]
        properties = _checked(self.stream_name, self.original_schema)
        title = self.original_schema.get("title")  # the one place that the SDK leaves for a word about the whole
        self.channel = self.target.sinks[0](self.target.values, self.stream_name, title or self.stream_name)
        self.channel.schema = self.original_schema
        self.target.ledger.locks.take(self.stream_name, "target")
        self.delivery = self.delivers(
            self.target.ledger,
            self.stream_name,
            self.channel,
            purpose=self.channel.purpose,
            max_attempts=self.target.values.max_attempts,
        )
        self._columns = [name for name in properties if not name.startswith("_")]
        self._lines = Lines(self.stream_name, self._columns)
        self._channel = channel_of(self.original_schema)
        self._waiting: list[Change] = []
        self._together: object = None
        self._replayed = False
        self.run_id = ""

    @property
    def is_full(self) -> bool:
        """Never, as the SDK sees it."""
        return False  # batches end where they belong together, not where the SDK counts

    def take(self, record: Mapping[str, Any]) -> None:
        """One record; a batch that is whole goes out."""
        self._take(change_of(record, self.stream_name, self._columns))

    def take_line(self, line: bytes) -> bool:
        """The same of the line that a record stands in; False of one that has to be read as any message is."""
        change = self._lines.change(line)
        if change is not None:
            self._take(change)
        return change is not None

    def _take(self, change: Change) -> None:
        together = (kind_of(change), change.batch)
        if together != self._together or len(self._waiting) >= self.delivery.sizing.now:
            self.flush()
            self._together = together
        if not self.run_id:
            self._begin(change)
        if change.mode == "replace" and change.op == "upsert" and not self._enter(change):
            return
        self._waiting.append(change)

    def process_record(self, record: dict[str, Any], context: Mapping[str, Any]) -> None:
        """One record, from the SDK."""
        self.take(record)

    def _begin(self, change: Change) -> None:
        """Before the first change of a run."""
        check_mode(type(self.channel), self.stream_name, change.mode)
        self.run_id, self._channel = change.run_id, change.channel

    def _enter(self, change: Change) -> bool:
        """Open the session that replaces the whole; False for a replay, of which nothing is sent."""
        if self._session is None and not self._replayed:
            self._replayed = superseded(self.target.ledger, self.stream_name, change.run_id)
            if not self._replayed:
                self._guarded(lambda: self.delivery.replace_all(change))
        return not self._replayed

    @property
    def _session(self) -> Session | None:
        book = self.delivery.book
        return book if isinstance(book, Session) else None

    def process_batch(self, context: Mapping[str, Any]) -> None:
        """Hand on what waits."""
        self.flush()

    def flush(self, *, whole: bool = False) -> None:
        """Hand on what waits; with ``whole`` until each outcome is in the ledger."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self.record_counter_metric.increment(len(waiting))
            self._guarded(lambda: self.delivery.deliver(waiting))
        if whole:
            self._guarded(self._whole)

    def _whole(self) -> None:
        self.delivery.finish()
        if self._session:
            if not self.target.ended(self.stream_name, self.run_id):
                raise cut_off(self.stream_name)
            self._session.commit()

    def _look_back(self) -> None:
        ledger, sync = self.target.ledger, self.stream_name
        look_back(ledger, sync, self.run_id, self.channel, self.delivery.book.tally)
        if back := take_back(ledger, sync, self.channel, self._channel):
            self.logger.info("%s: %s addresses came back and are suppressed", sync, f"{back:,}")

    def _guarded(self, step: Callable[[], None]) -> None:
        """A step of the delivery; a fault ends the run, and the session if there is one."""
        try:
            step()
        except BaseException as fault:
            if self._session:
                self._session.abandon()
            if isinstance(fault, SnelloError):
                self.close_run("stopped", fault.what)
            raise

    def close_run(self, outcome: str, message: str = "") -> None:
        """Write how the run ended."""
        if self.run_id:
            refused = sum(n for (status, _), n in self.delivery.book.tally.items() if status in ("refused", "dead"))
            self.target.ledger.finish(self.run_id, self.stream_name, outcome, refused=refused, message=message)

    def clean_up(self) -> None:
        """The end of the input: every outcome is written, then the run's."""
        self.flush(whole=True)
        super().clean_up()
        self.delivery.close()
        self._guarded(self._look_back)
        self.channel.close()
        tally, codes = self.delivery.book.tally, self.delivery.book.codes
        waiting = self.delivery.book.waiting
        refused, said = codes.total(), listed(codes)
        self.close_run("rows refused" if refused else "delivered", said)
        if not self.run_id:
            return
        again = tally["retrying", "upsert"] + tally["retrying", "remove"]
        sent = f"{tally['delivered', 'upsert']:,} upserted, {tally['delivered', 'remove']:,} removed"
        self.logger.info("%s: %s, %s refused, %s to retry", self.stream_name, sent, f"{refused:,}", f"{again:,}")
        if emptied := self.channel.emptied:
            left_out = listed(emptied)
            self.logger.info("%s: left out, as nothing of it was left once normalised: %s", self.stream_name, left_out)
        for sentence in unfinished(self.stream_name, codes, waiting, self.channel.waits):
            self.logger.warning("%s", sentence)


def _checked(stream: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    missing = [name for name in NEEDED if name not in properties]
    if missing:
        raise ContractError(
            f"stream {stream}", f"it is no sync: it has no {', '.join(missing)}", "feed the target from tap-activation"
        )
    return properties


def change_of(record: Mapping[str, Any], stream: str, columns: list[str]) -> Change:
    """A record as a change, with these columns as its payload. Raises ``ContractError`` when it is none."""
    get = record.get
    op, key, fingerprint = get("_op"), get("_key"), get("_fingerprint")
    if op not in ("upsert", "remove") or not isinstance(key, str) or not key or (op == "upsert" and not fingerprint):
        raise ContractError(
            f"stream {stream}", "a record lacks its _op, _key or _fingerprint", "feed the target from tap-activation"
        )
    consent = get("_consent")
    try:
        payload = {name: record[name] for name in columns}
    except KeyError:
        payload = {name: record[name] for name in columns if name in record}
    return Change(
        op=op,
        key=key,
        fingerprint=fingerprint if op == "upsert" else None,
        payload=payload,
        consent=consent.get("state") if isinstance(consent, Mapping) else None,
        purpose=get("_purpose") or "",
        channel=get("_channel") or "",
        reason=get("_reason") or "",
        run_id=get("_run_id") or "",
        batch=get("_batch"),
        mode=get("_mode") or "mirror",
        customer=get("_customer") or key,
        contact=bool(get("_contact")),
        moved_from=get("_moved_from"),
    )
