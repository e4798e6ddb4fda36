"""A new connector's folder, out of the templates of the kit."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from snello.cli.connector.names import Names
from snello.errors import ConfigError

TEMPLATE = ".j2"
KINDS = ("rest", "graphql", "sql", "files")
DESCRIPTIONS = {
    "rest": "Singer tap for {title}, over its REST API.",
    "graphql": "Singer tap for {title}, over its GraphQL API.",
    "sql": "Singer tap for the database of {title}.",
    "files": "Singer tap for the files that {title} exports.",
    "target": "Singer target that keeps the contacts of {title} equal to an audience.",
}


def render(names: Names, kind: str, folder: Path) -> list[Path]:
    """Write a connector of a kind into ``folder``; the files that were written.

    Raises ``ConfigError`` when the folder is there already.
    """
    if folder.exists():
        where = f"snello new {names.role}"
        raise ConfigError(where, f"{folder.parent.name}/{folder.name} is there already", "take another name")
    given = _values(names, kind)
    with as_file(files("snello.kit") / "templates") as root:
        environment = Environment(
            loader=FileSystemLoader(root), undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True,
            autoescape=False,
        )  # fmt: skip
        try:
            for source in _sources(root, kind):
                _write(environment, root, source, folder / _place(source.relative_to(root), names), given)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _values(names: Names, kind: str) -> dict[str, Any]:
    described = DESCRIPTIONS[kind].format(title=names.title)
    own = ("name", "package", "title", "stem", "class_name", "variable")
    return {**{name: getattr(names, name) for name in own}, "description": described, "more": _more(kind)}


def _more(kind: str) -> Mapping[str, str]:
    """Settings of the SQL reader that a template's README does not dwell on, in its own words."""
    if kind != "sql":
        return {}
    from snello.kit.sql import Settings

    told = ("url", "schemas", "tables", "stream_name", "replication", "primary_keys", "timezone")
    return {name: str(each.description) for name, each in Settings.model_fields.items() if name not in told}


def _sources(root: Path, kind: str) -> list[Path]:
    own = [path for path in sorted((root / kind).rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    return [root / "common" / f"pyproject.toml{TEMPLATE}", *own]


def _place(source: Path, names: Names) -> Path:
    parts = [names.package if part == "_package_" else part for part in source.parts[1:]]
    return Path(*parts).with_name(parts[-1].removesuffix(TEMPLATE))


def _write(environment: Environment, root: Path, source: Path, place: Path, given: Mapping[str, Any]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix != TEMPLATE:
        shutil.copyfile(source, place)
        return
    text = environment.get_template(source.relative_to(root).as_posix()).render(given)
    place.write_text(text.rstrip() + "\n")
