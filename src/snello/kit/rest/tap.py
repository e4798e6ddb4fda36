"""A Singer tap over an interface: a list of streams and a settings model."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar

from pydantic import BaseModel
from singer_sdk import Stream, Tap
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.helpers._batch import BatchConfig
from singer_sdk.helpers.capabilities import CapabilitiesEnum, TapCapabilities

from snello.errors import ContractError, RowsRefused, SnelloError
from snello.kit.batches import BatchFolder
from snello.kit.configuration import schema_of, settings_of
from snello.kit.http import Client, Limit
from snello.kit.memory import Memory
from snello.kit.places import state_folder
from snello.kit.quarantine import QuarantineStream
from snello.kit.rest.host import Declared, Runs
from snello.kit.rest.reading import Reading
from snello.kit.rest.settings import RestSettings
from snello.kit.rest.stream import RestStream


class RestTap(Tap):
    """Reads the streams of ``stream_classes`` with the settings of the model ``settings``.

    - a row that does not fit its schema goes to the stream ``_quarantine`` and does not stop the others
    - a stream that cannot be read does not stop the others; the run then ends with that fault's exit code
    """

    stream_classes: ClassVar[tuple[type[RestStream], ...]] = ()
    settings: ClassVar[type[BaseModel]] = RestSettings
    message_writer_class = MsgSpecWriter
    # without ACTIVATE_VERSION: pages that end early look like pages that ended, and absence is never a delete
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        capability for capability in Tap.capabilities if capability is not TapCapabilities.ACTIVATE_VERSION
    ]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.config_jsonschema = schema_of(cls.settings)

    def __init__(self, **given: Any) -> None:
        self._faults: list[SnelloError] = []
        self._clients: dict[Any, Client] = {}
        self._folder: BatchFolder | None = None
        super().__init__(**given)

    @cached_property
    def options(self) -> Any:
        """The settings, typed."""
        return settings_of(self.settings, self.config, self.name)

    def _option(self, name: str) -> Any:
        return getattr(self.options, name, None)

    # ------------------------------------------------------------ what the streams ask for

    @cached_property
    def quarantine(self) -> QuarantineStream:
        """The stream of refused rows."""
        return next(stream for stream in self.streams.values() if isinstance(stream, QuarantineStream))

    @property
    def start_date(self) -> datetime | None:
        """The moment before which nothing is read, in UTC where it names no zone."""
        given = self._option("start_date")
        moment = datetime.fromisoformat(given) if isinstance(given, str) and given else given
        return moment.replace(tzinfo=moment.tzinfo or UTC) if isinstance(moment, datetime) else None

    @property
    def deletes_at_most(self) -> float | None:
        """Share of a compared stream's rows that may be gone at once; None for what the stream declares."""
        given: float | None = self._option("deletes_at_most")
        return given

    @property
    def started(self) -> datetime:
        """When this run began."""
        return datetime.fromtimestamp(self.initialized_at / 1000, UTC)

    def reading(self, stream: Stream) -> Runs:
        """How a stream is read."""
        assert isinstance(stream, RestStream)
        return Reading(stream)

    def client(self, declared: Declared) -> Client:
        """What sends the requests; streams that are declared alike share one."""
        rate = self._option("rate_limit")
        limit = Limit.parse(rate, f"{self.name}: setting rate_limit") if rate else declared.limit
        alike = (declared.auth, declared.retry, limit, declared.cached)
        if alike not in self._clients:
            self._clients[alike] = Client(
                self.name,
                auth=declared.auth,
                config=self.config,
                retry=declared.retry,
                limit=limit,
                timeout=self._option("timeout") or 60,
                workers=self._workers(declared),
                cache=self.name if declared.cached else None,
                tell=self.logger.warning,
            )
        return self._clients[alike]

    def _workers(self, declared: Declared) -> int:
        most = self._option("workers")
        return min(declared.workers, most) if most else declared.workers

    def pool(self, declared: Declared) -> tuple[Executor, int]:
        """Threads for requests, and how many of them may work at once."""
        return self._pool, self._workers(declared)

    @cached_property
    def _pool(self) -> Executor:
        most = max(self._workers(stream) for stream in self.streams.values() if isinstance(stream, RestStream))
        return ThreadPoolExecutor(most, thread_name_prefix="pages")

    def memory(self, stream: str) -> Memory:
        """What a compared stream held last."""
        return Memory(self._option("memory") or str(state_folder() / "memory"), self._pipeline, stream)

    @property
    def _pipeline(self) -> str:
        """What tells this account from another."""
        told = self.options.model_dump(mode="json", exclude=set(RestSettings.model_fields))
        return f"{self.name} {sorted(told.items())}"

    def folder(self, config: BatchConfig) -> BatchFolder:
        """Where batch files go, swept at first of what a killed run left there."""
        if self._folder is None:
            self._folder = BatchFolder(config, self.name, self._pipeline)
            self._folder.sweep()
        return self._folder

    def close(self) -> None:
        """Nothing more is asked for, now or after a wait."""
        for client in self._clients.values():
            client.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def failed(self, fault: SnelloError) -> None:
        """A stream could not be read to its end; the others go on."""
        self.logger.error("%s", fault)
        self._faults.append(fault)

    # ------------------------------------------------------------ what the SDK asks for

    def discover_streams(self) -> Sequence[Stream]:
        """``_quarantine``, and one stream a class."""
        return [Refused(self), *(stream(self, self) for stream in self.stream_classes)]

    def setup_mapper(self) -> None:
        """Register the declared schemas: those of a catalog may be older, and lose the precision of decimals."""
        super(Tap, self).setup_mapper()
        for stream in self.streams.values():
            schema = stream.selected_schema if isinstance(stream, RestStream) else stream.schema
            self.mapper.register_raw_stream_schema(stream.name, schema, stream.primary_keys)

    def stream_done(self, name: str) -> None:
        """After the last stream, leave with the run's verdict: everything that could be read has been."""
        streams = [stream for stream in self.streams.values() if isinstance(stream, RestStream)]
        if name != streams[-1].name:
            return
        self.close()
        if self._faults:
            raise self._verdict()
        refused = sum(stream.reading.refused for stream in streams)
        if refused and self._option("fail_on_refused"):
            raise RowsRefused(self.name, f"{refused:,} rows were refused", "read the stream _quarantine")

    def _verdict(self) -> SnelloError:
        first = self._faults[0]
        if len(self._faults) == 1 or len({(fault.exit_code, fault.cure) for fault in self._faults}) == 1:
            return first
        what = f"{len(self._faults)} streams could not be read, the first: {first.where}: {first.what}"
        worst = max(self._faults, key=lambda fault: fault.exit_code == ContractError.exit_code)
        return type(worst)(self.name, what, f"{first.cure}; each is in the log above")


class Refused(QuarantineStream):
    """Selected whatever the catalog says, and never in files: a row that is refused must not vanish."""

    @property
    def selected(self) -> bool:
        """Always."""
        return True

    @selected.setter
    def selected(self, value: bool | None) -> None:
        del value

    def get_batch_config(self, config: Any) -> BatchConfig | None:
        """None."""
        return None
