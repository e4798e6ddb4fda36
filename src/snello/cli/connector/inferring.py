"""Schemas of a tap's streams out of what the tap reads: written once, then only extended."""

from __future__ import annotations

import inspect
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from snello.cli.connector.found import Connector, find
from snello.cli.connector.sample import Failed, Sample, sampler
from snello.cli.screen import Block, Line
from snello.errors import ConfigError, ContractError
from snello.kit.rest import RestStream, RestTap
from snello.kit.rest.values import EXTRA, GONE
from snello.kit.schemas import Difference, Shape, extended

ANYTHING = ["object", "array", "string", "number", "integer", "null"]


@dataclass(frozen=True)
class Inferred:
    """One stream: what differed from its schema, and whether the file was written."""

    stream: str
    file: str
    rows: int
    differences: list[Difference] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)
    written: bool = False
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
    declared = {each.name: each for each in _stream_classes(connector)}
    if not declared:
        what = "its streams are not declared, so its types come from the source"
        raise ConfigError(name, what, f"`snello tap try {name}` shows them")
    with TemporaryDirectory(prefix="snello-") as home:
        untyped = _untyped(connector, declared, Path(home))
        try:
            with sampler(untyped) as samples:
                names = samples.streams(stream)
                return [
                    _stream(declared[each], samples.read(each, rows), replace) for each in names if each in declared
                ]
        except Failed as failed:
            return [Inferred(stream or "", "", 0, fault=failed.fault, code=failed.code)]


def _stream_classes(connector: Connector) -> tuple[type[RestStream], ...]:
    if connector.package is None:
        raise ConfigError(connector.name, "it is not built on the kit", "its types are its own")
    plugin = connector.package.plugin(connector.name)
    return plugin.stream_classes if issubclass(plugin, RestTap) else ()


# ---------------------------------------------------------------- a copy of the tap that declares no types


def _untyped(connector: Connector, declared: Mapping[str, type[RestStream]], home: Path) -> Connector:
    assert connector.package is not None
    folder = connector.package.folder
    shutil.copytree(folder, home / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    for stream in declared.values():
        if stream.openapi is None:
            file = home / folder.name / _schema_file(stream).relative_to(folder)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(_seed(stream, declared.values())))
    return connector.at(home)


def _schema_file(stream: type[RestStream]) -> Path:
    return Path(inspect.getfile(stream)).parent / "schemas" / f"{stream.name}.json"


def _declared(stream: type[RestStream]) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(_schema_file(stream).read_text())
    except FileNotFoundError:
        return {"type": "object", "properties": {}}
    except ValueError:
        file = f"schemas/{stream.name}.json"
        raise ContractError(file, "it is not valid JSON", "mend the file, or remove it") from None
    return found


def _seed(stream: type[RestStream], others: Iterable[type[RestStream]]) -> dict[str, Any]:
    """A schema that any row fits, with the fields that the manifest names: only those are read as it says."""
    values, known = stream.values, _declared(stream)["properties"]
    named = [*_keys(stream), stream.replication_key, *values.minor_units, *values.texts, *values.moments]
    for child in (other for other in others if other.parent is stream):
        named += [*child.by.values(), child.only_with]
    fields = [name for name in (*known, *named, *values.nested, *stream.by) if isinstance(name, str)]
    return {"type": "object", "properties": {name: _anything(known.get(name)) for name in fields}}


def _keys(stream: type[RestStream]) -> tuple[str, ...]:
    given: Any = stream.primary_keys  # a class that names none has the SDK's property
    return tuple(given) if isinstance(given, tuple | list) else ()


def _anything(declared: Mapping[str, Any] | None) -> dict[str, Any]:
    """Any type, read as the declared format says; ``false`` is a value only where it is declared."""
    if declared is None:
        return {"type": [*ANYTHING, "boolean"]}
    boolean = ["boolean"] if "boolean" in json.dumps(declared.get("type", "boolean")) else []
    return {"type": [*ANYTHING, *boolean], **({"format": declared["format"]} if "format" in declared else {})}


# ---------------------------------------------------------------- what the rows look like


def _stream(stream: type[RestStream], sample: Sample, replace: bool) -> Inferred:
    file, rows = _schema_file(stream), len(sample.rows)
    place = f"{file.parent.parent.name}/schemas/{file.name}"
    told: dict[str, Any] = {"fault": sample.fault, "code": sample.code}
    if stream.openapi is not None:
        return Inferred(stream.name, f"schemas/{stream.openapi[0]}", rows, **told)
    if not rows:
        return Inferred(stream.name, place, rows, **told)
    shape, declared = _shape(stream, sample), _declared(stream)
    if not declared["properties"]:
        declared = {"type": "object", "properties": {}, "required": list(_keys(stream))}
    new, differences = extended(declared, shape, replace=replace)
    changed = new != declared
    if changed:
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(new, indent=2, ensure_ascii=False) + "\n")
    return Inferred(stream.name, place, rows, differences, shape.advice(), changed, **told)


def _shape(stream: type[RestStream], sample: Sample) -> Shape:
    shape = Shape(_keys(stream))
    empty = [value for value in stream.values.empty if value is not False]  # where it is no value shows in the others
    for row in sample.rows:
        extra = row.get(EXTRA) or {}
        own = {name: value for name, value in row.items() if name not in (EXTRA, GONE)}
        shape.add({**own, **{name: None if value in empty else value for name, value in extra.items()}})
    return shape


def page(name: str, found: list[Inferred], replace: bool) -> Iterator[Block]:
    """What was learned, as lines."""
    for each in found:
        if each.stream:
            yield Line(f"{each.stream}: {each.rows:,} rows{_done(each)}", "ok" if each.written else None)
        for difference in each.differences:
            left = difference.kind == "changed" and not replace
            yield Line(f"  {difference}{'; not written' if left else ''}", "bad" if left else None)
        for advice in each.advice:
            yield Line(f"  {advice}", "warn")
    if any(each.breaking for each in found) and not replace:
        yield Line(f"Types that changed break what reads them. Next: snello tap infer {name} --replace, once they may.")


def _done(each: Inferred) -> str:
    if each.file.endswith(".json") and not each.rows:
        return ": nothing is known, nothing written"
    return f", {each.file} written" if each.written else f", {each.file} stays as it is"
