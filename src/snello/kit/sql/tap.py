"""A Singer tap over the tables and views of a SQL database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel
from singer_sdk import Stream, Tap
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.helpers._batch import BatchConfig
from singer_sdk.helpers.capabilities import CapabilitiesEnum, TapCapabilities
from singer_sdk.singerlib import Catalog

from snello.errors import ConfigError, ContractError, RowsRefused
from snello.kit.batches import BatchFolder
from snello.kit.configuration import schema_of, settings_of
from snello.kit.quarantine import NAME, QuarantineStream
from snello.kit.sql.bookmarks import Clock
from snello.kit.sql.host import Reader
from snello.kit.sql.rows import RowReader
from snello.kit.sql.settings import Settings
from snello.kit.sql.source import Source
from snello.kit.sql.stream import SqlStream
from snello.kit.sql.tables import Name, Table, describe, names, nearest


class SqlTap(Tap):
    """Reads tables and views, never writes.

    - PostgreSQL through ADBC straight into Arrow, every other database through SQLAlchemy; the values are the same
    - a row that the lake's types cannot hold goes to the stream ``_quarantine`` and does not stop the others
    """

    settings: ClassVar[type[BaseModel]] = Settings
    config_jsonschema = schema_of(Settings)
    message_writer_class = MsgSpecWriter
    dynamic_catalog = True
    # without ACTIVATE_VERSION: a resumed run is not the whole of a stream
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        capability for capability in Tap.capabilities if capability is not TapCapabilities.ACTIVATE_VERSION
    ]

    _folder: BatchFolder | None = None

    @cached_property
    def options(self) -> Settings:
        """The settings, typed."""
        return settings_of(Settings, self.config, self.name)

    @cached_property
    def source(self) -> Source:
        """The database."""
        return Source(self.options.url.get_secret_value(), self.name)

    @cached_property
    def reader(self) -> Reader:
        """How its rows are read."""
        zone = ZoneInfo(self.options.timezone)
        if self.source.dialect == "postgresql":
            from snello.kit.sql.postgres import PostgresReader  # a second of start-up, for PostgreSQL alone

            return PostgresReader(self.source, zone)
        return RowReader(self.source, zone, self.options.batch_rows)

    @cached_property
    def database(self) -> str:
        """Which database this is, without its secrets."""
        url = self.source.url
        return f"{self.source.dialect}://{url.host or url.query.get('host')}:{url.port}/{url.database}"

    @cached_property
    def clock(self) -> Clock:
        """When this run began."""
        began = datetime.fromtimestamp(self.initialized_at / 1000, UTC)
        return Clock(began, ZoneInfo(self.options.timezone), timedelta(seconds=self.options.overlap))

    @cached_property
    def quarantine(self) -> QuarantineStream:
        """The stream of refused rows."""
        return next(stream for stream in self.streams.values() if isinstance(stream, QuarantineStream))

    def folder(self, config: BatchConfig) -> BatchFolder:
        """Where batch files go, swept at first of what a killed run left there."""
        if self._folder is None:
            told = self.options.model_dump(mode="json", exclude={"url"})
            pipeline = json.dumps([self.source.url.render_as_string(hide_password=True), told], sort_keys=True)
            self._folder = BatchFolder(config, self.name, pipeline)
            if removed := self._folder.sweep():
                self.logger.info("%s: removed %s batch files that an earlier run left behind", self.name, removed)
        return self._folder

    def live(self, name: Name) -> Table | None:
        """A table as it is this moment."""
        return next(iter(describe(self.source, [name], self.options)), None)

    def discover_streams(self) -> Sequence[Stream]:
        """One stream a table or view, and ``_quarantine``; with a catalog, those that it selects."""
        found = self._by_stream(names(self.source, self.options))
        if not found:
            self.logger.warning("%s: %s shows no table to this user", self.name, self.source.place.server)
        if self.input_catalog is not None:
            found = {stream: self._known(stream, found) for stream in _selected(self.input_catalog)}
        streams = {name: stream for stream, name in found.items()}
        tables = describe(self.source, list(streams), self.options)
        return [_Refused(self), *(SqlStream(self, self, table, streams[table.name]) for table in tables)]

    def setup_mapper(self) -> None:
        """Register the live schemas: those of a catalog may be older, and lose the precision of decimals."""
        super(Tap, self).setup_mapper()
        for stream in self.streams.values():
            schema = stream.selected_schema() if isinstance(stream, SqlStream) else stream.schema
            self.mapper.register_raw_stream_schema(stream.name, schema, stream.primary_keys)

    def stream_done(self, name: str) -> None:
        """After the last stream, leave with the run's verdict: everything that could be read has been."""
        streams = [stream for stream in self.streams.values() if isinstance(stream, SqlStream)]
        refused = sum(stream.counts["refused"] for stream in streams)
        if name != streams[-1].name or not self.options.fail_on_refused:
            return
        if refused:
            raise RowsRefused(self.name, f"{refused} rows were refused", "read the stream _quarantine")
        if doubted := [stream.name for stream in streams if stream.deletions and stream.deletions.doubted]:
            what = f"{', '.join(doubted)}: too many rows were gone to tell them as deleted"
            raise RowsRefused(self.name, what, "if that is meant, set deletes_at_most to 1 for one run")

    def _by_stream(self, found: Sequence[Name]) -> dict[str, Name]:
        streams: dict[str, Name] = {}
        for name in found:
            stream = name.stream(self.options.stream_name)
            if stream == NAME:
                what = f"a table called {NAME} cannot be told from the rows that are refused"
                raise ConfigError(self.name, what, "leave it out in setting tables")
            if stream in streams:
                what = f"{stream} is in schema {streams[stream].schema} and in {name.schema}"
                raise ConfigError(self.name, what, "set stream_name to 'schema-table', or narrow schemas or tables")
            streams[stream] = name
        return streams

    def _known(self, stream: str, found: dict[str, Name]) -> Name:
        if stream not in found:
            what = f"the catalog selects {stream!r}, and there is no such table or view"
            raise ContractError(self.name, what, f"{nearest(stream, found)} Else deselect it")
        return found[stream]


class _Refused(QuarantineStream):
    """Selected whatever the catalog says: a row that is refused must not vanish."""

    @property
    def selected(self) -> bool:
        return True

    @selected.setter
    def selected(self, value: bool | None) -> None:
        del value

    def get_batch_config(self, config: Mapping[str, Any]) -> BatchConfig | None:
        return None


def _selected(catalog: Catalog) -> list[str]:
    chosen = [entry for entry in catalog.streams if entry.metadata.resolve_selection().get((), True)]
    return [entry.tap_stream_id for entry in chosen if entry.tap_stream_id != NAME]
