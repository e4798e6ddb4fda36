"""Schemas of a tap's streams out of what the tap reads: written once, then only extended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from snello.cli.connector.found import Connector, find
from snello.cli.connector.sample import Failed, Sample, sampler
from snello.cli.connector.untyped import declared, keys_of, named, schema_file, stale, untyped
from snello.cli.screen import Block, Line
from snello.errors import ConfigError
from snello.kit.rest import RestStream, RestTap
from snello.kit.rest.values import EXTRA, GONE
from snello.kit.schemas import Difference, Shape, extended


@dataclass(frozen=True)
class Inferred:
    """One stream: what differed from its schema, and whether the file was written.

    - ``left_out``: the line for the manifest that drops the fields that sound secret
    - ``stale``: no stream but a file that none has any more; ``removed``: no longer
    """

    stream: str
    file: str
    rows: int
    differences: list[Difference] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)
    written: bool = False
    left_out: str = ""
    stale: bool = False
    removed: bool = False
    fault: str = ""
    code: int = 0

    @property
    def breaking(self) -> bool:
        """Whether a declared field has another type now, and was left as it is."""
        return any(each.kind == "changed" for each in self.differences)


def inferred(name: str, stream: str | None, rows: int, config: Path | None, replace: bool) -> list[Inferred]:
    """Read some rows of a tap's streams and write what they look like into its schemas.

    Raises ``ConfigError`` for a tap whose types are not declared in files.
    """
    connector = find(name, config)
    streams = _streams(connector)
    with TemporaryDirectory(prefix="snello-") as home:
        copy = untyped(connector, streams, Path(home))
        try:
            with sampler(copy) as samples:
                names = [each for each in samples.streams(stream) if each in streams]
                return [_stream(streams, each, samples.read(each, rows), replace) for each in names]
        except Failed as failed:
            return [Inferred(stream or "", "", 0, fault=failed.fault, code=failed.code)]


def leftovers(name: str, *, prune: bool) -> list[Inferred]:
    """The schema files of a tap that none of its streams has, which ``prune`` removes."""
    found = [(file, _place(file)) for file in stale(_streams(find(name)).values())]
    for file, _ in found if prune else ():
        file.unlink()
    return [Inferred(file.stem, place, 0, stale=True, removed=prune) for file, place in found]


def _streams(connector: Connector) -> dict[str, type[RestStream]]:
    if connector.package is None:
        raise ConfigError(connector.name, "it is not built on the kit", "its types are its own")
    plugin = connector.package.plugin(connector.name)
    if not issubclass(plugin, RestTap) or not plugin.stream_classes:
        what = "its streams are not declared, so its types come from the source"
        raise ConfigError(connector.name, what, f"`snello tap try {connector.name}` shows them")
    return {stream.name: stream for stream in plugin.stream_classes}


def _stream(streams: dict[str, type[RestStream]], name: str, sample: Sample, replace: bool) -> Inferred:
    stream = streams[name]
    file, rows = schema_file(stream), len(sample.rows)
    told: dict[str, Any] = {"fault": sample.fault, "code": sample.code}
    if stream.openapi is not None:
        return Inferred(name, f"schemas/{stream.openapi[0]}", rows, **told)
    if not rows:
        return Inferred(name, _place(file), rows, **told)
    shape, old = _shape(stream, sample), declared(stream)
    if not old["properties"]:
        old = {"type": "object", "properties": {}, "required": list(keys_of(stream))}
    new, differences = extended(old, shape, replace=replace, named=named(stream, streams.values()))
    changed = new != old
    if changed:
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(new, indent=2, ensure_ascii=False) + "\n")
    secret = tuple(each.field for each in differences if each.kind == "secret")
    advice = [each for each in shape.advice() if each.partition(": ")[0] not in secret]
    left_out = f"left_out={(*stream.values.left_out, *secret)!r}".replace("'", '"') if secret else ""
    return Inferred(name, _place(file), rows, differences, advice, changed, left_out, **told)


def _place(file: Path) -> str:
    return f"{file.parent.parent.name}/schemas/{file.name}"


def _shape(stream: type[RestStream], sample: Sample) -> Shape:
    shape = Shape(keys_of(stream))
    empty = [value for value in stream.values.empty if value is not False]  # where it is no value shows in the others
    for row in sample.rows:
        extra = row.get(EXTRA) or {}
        own = {name: value for name, value in row.items() if name not in (EXTRA, GONE)}
        shape.add({**own, **{name: None if value in empty else value for name, value in extra.items()}})
    return shape


def page(name: str, found: list[Inferred], replace: bool) -> Iterator[Block]:
    """What was learned, as lines."""
    for each in found:
        if each.stale:
            next_ = "" if each.removed else f" Next: snello tap infer {name} --prune"
            yield Line(f"{each.file}: no stream has it; {'removed' if each.removed else 'it stays.'}{next_}", "warn")
        elif each.stream:
            yield from _page(each, replace)
    if any(each.breaking for each in found) and not replace:
        yield Line(f"Types that changed break what reads them. Next: snello tap infer {name} --replace, once they may.")


def _page(each: Inferred, replace: bool) -> Iterator[Block]:
    yield Line(f"{each.stream}: {each.rows:,} rows{_done(each)}", "ok" if each.written else None)
    for difference in each.differences:
        if difference.kind not in ("empty", "secret"):
            left = difference.kind == "changed" and not replace
            yield Line(f"  {difference}{'; not written' if left else ''}", "bad" if left else None)
    empty, secret = (", ".join(d.field for d in each.differences if d.kind == kind) for kind in ("empty", "secret"))
    if empty:
        yield Line(f"  never filled, so not written; in _extra until there is a value: {empty}", "dim")
    if secret:
        yield Line(f"  sounds secret, so not written: {secret}. Next: values = Values({each.left_out})", "warn")
    for advice in each.advice:
        yield Line(f"  {advice}", "warn")


def _done(each: Inferred) -> str:
    if each.file.endswith(".json") and not each.rows:
        return ": nothing is known, nothing written"
    return f", {each.file} written" if each.written else f", {each.file} stays as it is"
