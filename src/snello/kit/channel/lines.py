"""Record lines of one stream straight into changes, without a dictionary of each."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Literal

import msgspec

from snello.activation import Change

Text = str | None


class Consent(msgspec.Struct, gc=False):
    """The evidence, as far as a target asks for it."""

    state: Text = None


class Envelope(msgspec.Struct, kw_only=True, gc=False, rename=lambda name: f"_{name}"):
    """What a record says beside its payload."""

    op: Literal["upsert", "remove"]
    key: str
    fingerprint: Text = None
    purpose: Text = None
    channel: Text = None
    consent: Consent | None = None
    reason: Text = None
    batch: Text = None
    run_id: Text = None
    mode: Text = None
    customer: Text = None
    contact: bool | None = None
    moved_from: Text = None


class Lines:
    """Reads the lines of ``stream``, whose payload has these ``columns``."""

    def __init__(self, stream: str, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        places = [f"column_{index}" for index in range(len(self._columns))]
        self._payload = attrgetter(*places) if len(places) > 1 else None
        self._decode = self._decoder(stream, places) if self._payload else None

    def _decoder(self, stream: str, places: Sequence[str]) -> Any:
        """None where a column's name is none that a field can have."""
        rename = dict(zip(places, self._columns, strict=True)).get
        fields: Any = [(place, Any) for place in places]
        try:
            row = msgspec.defstruct("Row", fields, bases=(Envelope,), kw_only=True, gc=False, rename=rename)
        except ValueError:
            return None
        fields = [("type", Literal["RECORD"]), ("stream", Literal.__getitem__(stream)), ("record", row)]
        return msgspec.json.Decoder(msgspec.defstruct("Line", fields, gc=False)).decode

    def change(self, line: bytes) -> Change | None:
        """The change of a line that is as ``tap-activation`` writes it; None of any other, to be read as a record."""
        if self._decode is None or self._payload is None:
            return None
        try:
            row = self._decode(line).record
        except msgspec.DecodeError:
            return None
        key, op = row.key, row.op
        if not key or (op == "upsert" and not row.fingerprint):
            return None
        return Change(
            op=op,
            key=key,
            fingerprint=row.fingerprint if op == "upsert" else None,
            payload=dict(zip(self._columns, self._payload(row), strict=True)),
            consent=row.consent.state if row.consent else None,
            purpose=row.purpose or "",
            channel=row.channel or "",
            reason=row.reason or "",
            run_id=row.run_id or "",
            batch=row.batch,
            mode=row.mode or "mirror",
            customer=row.customer or key,
            contact=bool(row.contact),
            moved_from=row.moved_from,
        )
