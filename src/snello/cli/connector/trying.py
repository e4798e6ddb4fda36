"""A first look at a tap: some rows of each stream, their schema, and the requests that brought them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snello.cli.connector.found import find
from snello.cli.connector.masks import masked, plain
from snello.cli.connector.sample import Failed, Sample, sampler
from snello.cli.screen import Block, Grid, Line
from snello.errors import ConfigError
from snello.kit.rest.values import EXTRA
from snello.kit.schemas import Difference, Shape, extended
from snello.kit.schemas.drift import written

OWN = ("_extra", "_deleted_at")


@dataclass(frozen=True)
class Look:
    """One stream as it came; values are masked unless they were asked for.

    - ``undeclared``: what ``_extra`` held
    """

    stream: str
    keys: tuple[str, ...]
    schema: dict[str, str]
    rows: list[dict[str, str]]
    refused: list[str]
    requests: list[dict[str, Any]]
    code: int
    fault: str
    undeclared: list[Difference] = field(default_factory=list)


@dataclass(frozen=True)
class Tried:
    """All streams that were looked at; ``code``: the first exit code of the tap that is no success."""

    name: str
    looks: list[Look]
    code: int = 0
    faults: list[str] = field(default_factory=list)


def tried(name: str, stream: str | None, rows: int, config: Path | None, show: bool) -> Tried:
    """Look at a tap's streams. Raises ``ConfigError`` when values shall go anywhere but to a terminal."""
    if show and not sys.stdout.isatty():
        raise ConfigError("--show", "values are shown on a terminal only", "leave --show out, or run it by hand")
    connector = find(name, config)
    looks: list[Look] = []
    try:
        with sampler(connector) as samples:
            looks.extend(_look(samples.read(each, rows), show) for each in samples.streams(stream))
    except Failed as failed:
        return Tried(name, looks, failed.code, [failed.fault])
    code = next((look.code for look in looks if look.code), 0)
    return Tried(name, looks, code, list(dict.fromkeys(look.fault for look in looks if look.fault)))


def _look(sample: Sample, show: bool) -> Look:
    schema = sample.schema.get("properties", {})
    seen = [name for name in schema if name not in OWN or any(row.get(name) for row in sample.rows)]
    rows = [_read(row, sample, show) for row in sample.rows]
    types = {name: written(schema[name]) for name in seen}
    told = (sample.refused, sample.requests, sample.code, sample.fault)
    return Look(sample.stream, sample.keys, types, rows, *told, _undeclared(sample))


def _undeclared(sample: Sample) -> list[Difference]:
    shape = Shape()
    for row in sample.rows:
        shape.add(row.get(EXTRA) or {})
    return extended({}, shape)[1]


def _read(row: Mapping[str, Any], sample: Sample, show: bool) -> dict[str, str]:
    return plain(row) if show else masked(row, sample.schema, sample.keys)


def page(tried: Tried) -> Iterator[Block]:
    """The look as blocks: a grid of fields for each stream, a grid of requests."""
    for look in tried.looks:
        key = f", key {', '.join(look.keys)}" if look.keys else ", no key"
        yield Line(f"{look.stream}: {len(look.rows)} rows{key}", "title")
        columns = ("field", "type", *(str(number) for number in range(1, len(look.rows) + 1)))
        yield Grid("", columns, [(name, kind, *_across(look, name)) for name, kind in look.schema.items()])
        for reason, count in Counter(look.refused).items():
            yield Line(f"{count} row{'s' * (count > 1)} refused: {reason}", "warn")
        yield from _told(tried.name, look.undeclared)
        if look.requests:
            names = ("request", "query", "status", "ms", "bytes")
            yield Grid("", names, [_request(request) for request in look.requests])
        yield Line("")


def _told(name: str, undeclared: list[Difference]) -> Iterator[Block]:
    new, secret = ([each.field for each in undeclared if each.kind == kind] for kind in ("new", "secret"))
    if new:
        yield Line(f"in _extra, undeclared: {', '.join(new)}; `snello tap infer {name}` adds them", "warn")
    if secret:
        cure = "leave out what nobody needs: Values(left_out=…)"
        yield Line(f"in _extra, and sounds secret: {', '.join(secret)}; {cure}", "warn")


def _across(look: Look, name: str) -> Iterator[str]:
    return (row.get(name, "-") for row in look.rows)


def _request(request: Mapping[str, Any]) -> tuple[object, ...]:
    query = "&".join(f"{name}={value}" for name, values in request["query"].items() for value in values)
    status = str(request.get("status") or request.get("fault"))
    again = f" (try {request['attempt']})" if request["attempt"] > 1 else ""
    return f"{request['method']} {request['path']}", query, status + again, request["ms"], request["bytes"]
