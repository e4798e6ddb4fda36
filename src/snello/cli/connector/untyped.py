"""A copy of a tap that declares no types, and the files in which it declares them."""

from __future__ import annotations

import inspect
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from snello.cli.connector.found import Connector
from snello.errors import ContractError
from snello.kit.rest import RestStream

ANYTHING = ["object", "array", "string", "number", "integer", "null"]


def untyped(connector: Connector, streams: Mapping[str, type[RestStream]], home: Path) -> Connector:
    """The connector out of a copy in ``home`` whose schemas any row fits."""
    assert connector.package is not None
    folder = connector.package.folder
    shutil.copytree(folder, home / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    for stream in streams.values():
        if stream.openapi is None:
            file = home / folder.name / schema_file(stream).relative_to(folder)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(_seed(stream, streams.values())))
    return connector.at(home)


def schema_file(stream: type[RestStream]) -> Path:
    """Where a stream's types are declared."""
    return Path(inspect.getfile(stream)).parent / "schemas" / f"{stream.name}.json"


def declared(stream: type[RestStream]) -> dict[str, Any]:
    """The schema in a stream's file, empty when there is none. Raises ``ContractError`` for what is no JSON."""
    try:
        found: dict[str, Any] = json.loads(schema_file(stream).read_text())
    except FileNotFoundError:
        return {"type": "object", "properties": {}}
    except ValueError:
        file = f"schemas/{stream.name}.json"
        raise ContractError(file, "it is not valid JSON", "mend the file, or remove it") from None
    return found


def _seed(stream: type[RestStream], others: Iterable[type[RestStream]]) -> dict[str, Any]:
    """A schema that any row fits, with the fields that the manifest names: only those are read as it says."""
    known = declared(stream)["properties"]
    fields = {name: _anything(known.get(name)) for name in (*known, *named(stream, others))}
    return {"type": "object", "properties": fields}


def named(stream: type[RestStream], others: Iterable[type[RestStream]]) -> list[str]:
    """The fields of a stream that the manifest names."""
    values = stream.values
    told = [*keys_of(stream), stream.replication_key, *values.minor_units, *values.texts, *values.moments]
    for child in (other for other in others if other.parent is stream):
        told += [*child.by.values(), child.only_with]
    return [name for name in (*told, *values.nested, *stream.by) if isinstance(name, str)]


def keys_of(stream: type[RestStream]) -> tuple[str, ...]:
    """The stream's key."""
    given: Any = stream.primary_keys  # a class that names none has the SDK's property
    return tuple(given) if isinstance(given, tuple | list) else ()


def _anything(known: Mapping[str, Any] | None) -> dict[str, Any]:
    """Any type, read as the declared format says; ``false`` is a value only where it is declared."""
    if known is None:
        return {"type": [*ANYTHING, "boolean"]}
    boolean = ["boolean"] if "boolean" in json.dumps(known.get("type", "boolean")) else []
    return {"type": [*ANYTHING, *boolean], **({"format": known["format"]} if "format" in known else {})}


def stale(streams: Iterable[type[RestStream]]) -> Iterator[Path]:
    """Schema files that no stream has, and that no file of the package names."""
    files = {schema_file(stream) for stream in streams if stream.openapi is None}
    for folder in sorted({schema_file(stream).parent for stream in streams}):
        texts = [path for path in folder.parent.rglob("*") if path.suffix in (".py", ".json", ".yaml", ".yml")]
        for file in sorted(set(folder.glob("*.json")) - files):
            if not any(file.name in path.read_text() for path in texts):
                yield file
