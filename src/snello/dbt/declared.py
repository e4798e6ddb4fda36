"""What a dbt project says it reads: the sources in its YAML files, with the columns it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from snello.errors import ConfigError
from snello.settings import QUICK


@dataclass(frozen=True)
class Declared:
    """One source table as the project declares it; ``columns`` maps name to SQL type where a type is given."""

    schema: str
    table: str
    columns: dict[str, str] = field(default_factory=dict)


def declared_sources(project: Path) -> list[Declared]:
    """The source tables of the dbt project in ``project``, in the order of its files.

    Raises ``ConfigError`` when there is no project or a file is not YAML.
    """
    settings = _yaml(project / "dbt_project.yml")
    found: list[Declared] = []
    for folder in settings.get("model-paths") or ["models"]:
        for path in sorted(p for p in (project / folder).rglob("*") if p.suffix in (".yml", ".yaml")):
            found.extend(_sources(_yaml(path)))
    return found


def _sources(content: dict[str, Any]) -> Iterator[Declared]:
    for source in content.get("sources") or []:
        schema = str(source.get("schema") or source["name"])
        for table in source.get("tables") or []:
            columns = {
                str(column["name"]): str(column["data_type"])
                for column in table.get("columns") or []
                if column.get("data_type")
            }
            yield Declared(schema, str(table.get("identifier") or table["name"]), columns)


def _yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=QUICK)
    except FileNotFoundError:
        raise ConfigError("dbt", f"no {path.name} in {path.parent}", "run dbt with --project-dir") from None
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f" at line {place.line + 1}" if place else ""
        raise ConfigError("dbt", f"{path.name} is not YAML{line}", "mend the file") from None
    return content if isinstance(content, dict) else {}
