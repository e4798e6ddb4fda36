"""What a call says: the changes as the receiver is told of them, as JSON or through a template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from snello.kit.channel import BatchRefused, Change, ConfigError

WHERE = "target-webhook"
OURS = ("op", "key", "fingerprint", "moved_from")  # names in a row that are not the audience's
TOLD = ("insert", "update", "append")  # modes that a receiver must know of to do what they promise
FAULT = "template_fault"
MARKUP = ("xml", "html")
FAULTS = (TemplateError, TypeError, ValueError, LookupError, ArithmeticError)
TRICKY = 'O\'Hara "Ada" <a&b> \\\n'  # what a template that writes values as they are trips over
STAMPS = {"date": "2026-01-31", "date-time": "2026-01-31T09:30:00+00:00"}
SAMPLES: Mapping[str, Any] = {"integer": 7, "number": 7.5, "boolean": True, "array": [], "object": {}}


class Bodies:
    """Makes the bodies of one sync; the same bytes whenever the same changes are repeated."""

    def __init__(self, sync: str, one: bool, template: Path | None, content_type: str) -> None:
        self.sync, self.one, self.json = sync, one, "json" in content_type
        self.file = template
        self._template = None if template is None else _parsed(template, any(kind in content_type for kind in MARKUP))

    def check(self, columns: Mapping[str, Any]) -> None:
        """Try the template on made-up changes. Raises ``ConfigError`` when it cannot say one of them."""
        if self._template is None:
            return
        row = {name: _sample(schema) for name, schema in columns.items()}
        upsert = Change("upsert", "c1", "0f", payload=row, purpose="profiling", channel="any", customer="c1")
        removal, erasure = (Change("remove", "c1", reason=why, customer="c1") for why in ("left_audience", "erased"))
        for told, change in {"an upsert": upsert, "a removal": removal, "an erasure": erasure}.items():
            try:
                self._rendered([change])
            except FAULTS as fault:
                word = "what it makes is no JSON" if isinstance(fault, msgspec.DecodeError) else type(fault).__name__
                cure = "ask for change.op before its columns are written, and write values with | tojson"
                raise ConfigError(f"template {_name(self.file)}", f"it cannot say {told}: {word}", cure) from None

    def of(self, changes: Sequence[Change]) -> bytes:
        """The body of a call. Raises ``BatchRefused`` for a row of which the template makes nothing."""
        _check_names(changes[0])
        if self._template is None:
            return msgspec.json.encode(self._said(changes))
        try:
            return self._rendered(changes)
        except FAULTS:
            raise BatchRefused(FAULT) from None

    def _said(self, changes: Sequence[Change]) -> dict[str, Any]:
        first = changes[0]
        columns = sorted(first.payload)
        rows = [_row(change, columns) for change in sorted(changes, key=attrgetter("key"))]
        head = {"sync": self.sync, "purpose": first.purpose, "channel": first.channel}
        if first.mode in TOLD:
            head["mode"] = first.mode
        return {**head, "change": rows[0]} if self.one else {**head, "changes": rows}

    def _rendered(self, changes: Sequence[Change]) -> bytes:
        assert self._template
        body: bytes = self._template.render({"mode": changes[0].mode, **self._said(changes)}).encode()
        if self.json:
            msgspec.json.decode(body)
        return body


def _parsed(file: Path, markup: bool) -> Any:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=markup)
    try:
        return environment.from_string(file.read_text(encoding="utf-8"))
    except TemplateError as fault:
        line = getattr(fault, "lineno", 1)
        raise ConfigError(f"template {file.name}", f"line {line} does not parse", "mend the template") from None
    except (OSError, UnicodeDecodeError) as fault:
        what = f"it cannot be read ({type(fault).__name__})"
        raise ConfigError(f"template {file.name}", what, "name a UTF-8 file that this user may read") from None


def _name(file: Path | None) -> str:
    return file.name if file else ""


def _sample(schema: Mapping[str, Any]) -> Any:
    """A value as a column may have it; texts are such as have to be escaped."""
    given = schema.get("type", "string")
    kinds: Sequence[str] = [given] if isinstance(given, str) else given
    if "string" in kinds:
        return STAMPS.get(schema.get("format", ""), TRICKY)
    return next((SAMPLES[kind] for kind in kinds if kind in SAMPLES), TRICKY)


def _check_names(change: Change) -> None:
    """A column called as a part of the row would take its place, and an addition could read as a removal."""
    taken = [name for name in OURS if name in change.payload and (name, change.payload[name]) != ("key", change.key)]
    if taken:
        what = f"the audience has a column {taken[0]!r}, by which the receiver knows what to do with a row"
        raise ConfigError(WHERE, what, "rename it in the model")


def _row(change: Change, columns: Sequence[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"op": change.op, "key": change.key, "fingerprint": change.fingerprint}
    if change.op == "remove":
        row["customer_id"] = change.customer or change.key
        if change.reason == "erased":
            row["erase"] = True
        return row
    if change.moved_from:
        row["moved_from"] = change.moved_from
    payload = change.payload
    for name in columns:
        row[name] = payload[name]
    return row
