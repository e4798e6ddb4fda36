"""The Singer target of the lake: the SDK's settings, ``--about`` and tests around a loop of our own."""

from __future__ import annotations

import secrets
import sys
from collections import Counter
from datetime import UTC, datetime
from types import FrameType
from typing import IO, Any, ClassVar, NoReturn

from pydantic import BaseModel, Field
from singer_sdk import Target
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities
from singer_sdk.singerlib.encoding.base import GenericSingerReader

from snello import settings as hub
from snello.errors import RowsRefused
from snello.kit.configuration import schema_of, settings_of
from snello.kit.loader.faults import KeysMissing
from snello.kit.loader.run import Plan, Run
from snello.kit.loader.stream import Method
from snello.lake import Lake


class StreamSettings(BaseModel, extra="forbid"):
    """What holds for one stream only."""

    load_method: Method = Field(description="How rows of this stream enter their table.")


class Settings(BaseModel):
    """Settings of the loader."""

    root: str | None = Field(
        None, description="Root of the lake, a folder or an object store URL; by default that of the hub (SNELLO_LAKE)."
    )
    source: str = Field(min_length=1, description="Name of the source; its tables are raw/<source>/<stream>.")
    load_method: Method = Field(
        "upsert",
        description="upsert: a row replaces the one of its key. append-only: a row whose key is there is left out. "
        "overwrite: the rows of a run replace the table when the run ends, unless none came.",
    )
    streams: dict[str, StreamSettings] = Field({}, description="Settings by stream name, for streams that differ.")
    batch_rows: int = Field(100_000, ge=1, description="Rows held in memory at most before they are committed.")
    batch_bytes: int = Field(32 << 20, ge=1, description="Bytes of records held in memory at most.")
    batch_seconds: float = Field(30, gt=0, description="Seconds that a row waits at most before it is committed.")
    fail_on_refused: bool = Field(False, description="Exit with code 5 when rows were refused; the others are loaded.")


class _LineReader(GenericSingerReader[bytes]):
    """Stands where the SDK reads line by line and hands the whole input to the run."""

    def __init__(self, target: LakeTarget) -> None:
        super().__init__()
        self._target = target

    default_input = sys.stdin.buffer

    def deserialize_json(self, line: bytes) -> NoReturn:
        raise NotImplementedError("lines are read in bulk")

    def process_lines(self, file_input: IO[Any] | None, callbacks: object) -> Counter[str]:
        try:
            return Counter(self._target.run.read(file_input))
        except BaseException:
            self._target.abandon()
            raise


class LakeTarget(Target):
    """Loads Singer streams into the lake, a column at a time."""

    settings = Settings
    config_jsonschema: ClassVar[dict[str, Any]] = schema_of(Settings)
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.BATCH,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.message_reader = _LineReader(self)
        self._run: Run | None = None

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """No settings beside those of the model: stream maps and flattening belong in dbt."""

    @property
    def run(self) -> Run:
        """The run under way, begun when it is first asked for."""
        if self._run is None:
            self._run = Run(self._plan(), _run_id(), self.logger)
        return self._run

    def process_endofpipe(self) -> None:
        """Commit the rest and tell what came; with ``fail_on_refused``, fail when rows were refused."""
        run = self.run
        try:
            run.finish()
        finally:
            self.abandon()
        for load in run.streams.values():
            self.logger.info("%s: %d rows in, %d refused", load.name, load.tally.rows, load.tally.refused)
            if load.tally.buried:
                self.logger.info("%s: %d rows of people who were erased left out", load.name, load.tally.buried)
        for stream, reasons in run.ledgers.reasons.items():
            told = ", ".join(f"{reason} ({count})" for reason, count in reasons.most_common(3))
            self.logger.warning("%s: %d rows in quarantine: %s", stream or "lines", reasons.total(), told)
        if run.ledgers.reasons and self.config.get("fail_on_refused"):
            self._fail(run)

    def abandon(self) -> None:
        """Give up what is not committed."""
        if self._run is not None:
            self._run.close()
            self._run = None

    def _fail(self, run: Run) -> NoReturn:
        reasons = Counter[str]()
        for found in run.ledgers.reasons.values():
            reasons += found
        kind = KeysMissing if all(reason.startswith("key ") for reason in reasons) else RowsRefused
        raise kind(self.name, f"{reasons.total()} rows refused", f"read raw/{run.plan.source}/_quarantine in the lake")

    def _plan(self) -> Plan:
        told = settings_of(Settings, self.config, self.name)
        return Plan(
            lake=Lake(told.root or hub.load().lake),
            source=told.source,
            method=told.load_method,
            methods={name: stream.load_method for name, stream in told.streams.items()},
            batch_rows=told.batch_rows,
            batch_bytes=told.batch_bytes,
            batch_seconds=told.batch_seconds,
        )

    def _handle_termination(self, signum: int, frame: FrameType | None) -> NoReturn:
        """Leave at once: what is committed is committed, and the state says so."""
        sys.exit(128 + signum)

    def _process_schema_message(self, message_dict: dict[str, Any]) -> NoReturn:
        raise NotImplementedError("lines are read in bulk")

    _process_record_message = _process_state_message = _process_schema_message
    _process_batch_message = _process_activate_version_message = _process_schema_message


def _run_id() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
