"""The Singer tap over a published audience: emits the difference to what the ledger says was delivered.

Ordinary SCHEMA, RECORD and STATE messages, so that any Singer target can consume them; ours write receipts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import BaseModel, Field, SecretStr
from singer_sdk import Stream, Tap
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities

from snello.activation import Ledger, Plan, Planner
from snello.activation.audience import published_schema
from snello.activation.breaker import VARIABLE
from snello.activation.planner import Edition
from snello.errors import ConfigError
from snello.kit.channel.settings import from_hub
from snello.kit.configuration import schema_of, settings_of
from snello.kit.records import RecordLines, records_of
from snello.lake import Lake

LIMIT = "SNELLO_LIMIT"
_CONSENT = {name: {"type": ["string", "null"]} for name in ("state", "source", "observed_at", "record_key")}
_ENVELOPE: dict[str, Any] = {
    "_op": {"type": "string", "description": "upsert or remove"},
    "_key": {"type": "string", "description": "what names the row: the customer_id, unless rows are events"},
    "_fingerprint": {"type": ["string", "null"], "description": "keyed hash of the payload; null for a removal"},
    "_purpose": {"type": "string"},
    "_channel": {"type": "string"},
    "_consent": {"type": ["object", "null"], "properties": _CONSENT, "description": "the evidence of the consent"},
    "_reason": {"type": "string", "description": "of a removal: left_audience, no_consent, or the gate's word"},
    "_batch": {"type": ["string", "null"], "description": "idempotency key of an earlier try without an outcome"},
    "_run_id": {"type": "string"},
    "_mode": {"type": "string", "description": "the sync's mode"},
    "_customer": {"type": "string", "description": "the customer_id; the key itself, unless rows are events"},
    "_contact": {"type": "boolean", "description": "whether a delivered row counts as a contact with the person"},
    "_moved_from": {"type": ["string", "null"], "description": "key under which the channel holds this row until now"},
}


class ActivationTapSettings(BaseModel):
    """Settings of tap-activation."""

    sync: str = Field(description="The sync to run: the name of its activation model, such as brevo__long_absent.")
    lake: str | None = Field(None, description="Root of the lake. Default: SNELLO_LAKE.")
    ledger: SecretStr | None = Field(None, description="SQLAlchemy URL of the ledger. Default: SNELLO_LEDGER.")
    salt: SecretStr | None = Field(None, description="Secret that keys the fingerprints. Default: SNELLO_SALT.")
    allow_breaker: str | None = Field(
        None,
        description="Lets one publication of a sync past the breaker: <sync>@<publication>, as the breaker prints it. "
        "Default: SNELLO_ALLOW_BREAKER.",
    )
    limit: int | None = Field(
        None,
        ge=1,
        description="Send the first so many changes only, for a first try; the breaker looks at all of them. "
        "Default: SNELLO_LIMIT, else all.",
    )


class SyncStream(Stream):
    """The changes of one sync: upserts with their payload and consent, removals with their reason."""

    primary_keys = ("_key",)

    def get_records(self, context: Mapping[str, Any] | None) -> Iterable[dict[str, Any]]:
        """The changes, what earlier runs left open first."""
        for table in self._planned().tables():
            yield from records_of(table)

    def _write_schema_message(self) -> None:
        """Plan first: when the breaker opens, or another run is under way, not even a SCHEMA goes out.

        But for people who were erased: they go out whatever else is stopped.
        """
        plan = self._planned()
        self.logger.info("%s", plan.sentence())
        for note in plan.notes:
            self.logger.warning("%s: %s: every row counts as changed", self.name, note)
        super()._write_schema_message()

    def _sync_records(
        self, context: Mapping[str, Any] | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        """Write the changes a table at a time; the SDK's own way encodes and checks them one by one."""
        if not write_messages:
            yield from super()._sync_records(context, write_messages=False)
            return
        plan = self._planned()
        for table in plan.tables():
            lines = RecordLines(self.name, table.column_names)
            sys.stdout.buffer.write(lines.of_table(table, datetime.now(UTC).isoformat()))
        mark = {"run_id": plan.run_id, "publication": plan.publication}
        self.tap_state.setdefault("bookmarks", {})[self.name] = mark
        self._write_state_message()
        if plan.stopped:
            raise plan.stopped

    def _planned(self) -> Plan:
        assert isinstance(self._tap, ActivationTap)
        return self._tap.plan


class ActivationTap(Tap):
    """Emits what has changed in a published audience since it was last delivered."""

    settings: ClassVar[type[BaseModel]] = ActivationTapSettings
    config_jsonschema: ClassVar[dict[str, Any]] = schema_of(ActivationTapSettings)
    message_writer_class = MsgSpecWriter
    # without CATALOG: a deselected column would leave the payload, and every fingerprint with it
    capabilities: ClassVar[list[Any]] = [
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """None of the SDK's own settings: stream maps would change payloads after they were fingerprinted."""

    @cached_property
    def _values(self) -> ActivationTapSettings:
        return settings_of(ActivationTapSettings, self.config, self.name)

    @cached_property
    def _lake(self) -> Lake:
        return Edition(Lake(from_hub("lake", self._values.lake)))  # schema and records of one publication

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger that says what was delivered."""
        given = self._values.ledger
        return Ledger(from_hub("ledger", given.get_secret_value() if given else None))

    @cached_property
    def plan(self) -> Plan:
        """What this run sends, computed before anything is; holds the sync's lock until the process ends."""
        values = self._values
        salt = from_hub("salt", values.salt.get_secret_value() if values.salt else None)
        allowed = values.allow_breaker or os.environ.get(VARIABLE)
        return Planner(self._lake, self.ledger, salt).plan(values.sync, allowed, values.limit or _limit())

    def discover_streams(self) -> list[Stream]:
        """The one stream of the sync, with the published audience's columns."""
        sync, columns = published_schema(self._lake, self._values.sync)
        properties = {field.name: _json_type(field.type) for field in columns}
        channel = {"type": "string", "enum": [sync.channel]}  # told even when no change is
        schema = {"type": "object", "properties": {**_ENVELOPE, "_channel": channel, **properties}}
        if sync.list:
            schema["title"] = sync.list
        return [SyncStream(tap=self, name=sync.name, schema=schema)]


def _limit() -> int | None:
    given = os.environ.get(LIMIT)
    if not given:
        return None
    if not given.isdecimal() or int(given) < 1:
        raise ConfigError(LIMIT, f"{given!r} is no number of rows", "set it to 1 or more, or leave it out")
    return int(given)


def _json_type(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_boolean(kind):
        return {"type": ["boolean", "null"]}
    if pa.types.is_integer(kind):
        return {"type": ["integer", "null"]}
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return {"type": ["number", "null"]}
    if pa.types.is_date(kind):
        return {"type": ["string", "null"], "format": "date"}
    if pa.types.is_timestamp(kind):
        return {"type": ["string", "null"], "format": "date-time"}
    if pa.types.is_nested(kind):
        return {"type": ["array" if pa.types.is_list(kind) else "object", "null"]}
    return {"type": ["string", "null"]}
