"""What the checks look at: the project's folder, its settings, its Meltano file, its dbt project."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from snello import settings
from snello.errors import ConfigError
from snello.settings import QUICK, Settings, environment_name

EXTRACTORS, LOADERS, UTILITIES = "extractors", "loaders", "utilities"


@dataclass(frozen=True)
class Plugin:
    """A plugin of ``meltano.yml`` as Meltano resolves it for the active environment."""

    kind: str
    name: str
    executable: str
    settings: dict[str, Any] = field(repr=False)
    commands: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Ground:
    """The project at ``root``; a part is read when it is first asked for, or raises ``ConfigError``."""

    root: Path

    @cached_property
    def hub(self) -> Settings:
        """The hub's own settings."""
        _ = self.project
        return settings.load(self.root)

    @cached_property
    def project(self) -> dict[str, Any]:
        """``meltano.yml`` as it is written."""
        try:
            read = yaml.load((self.root / "meltano.yml").read_text(), Loader=QUICK)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            place = f" at line {mark.line + 1}" if mark else ""
            raise ConfigError("meltano.yml", f"it is not valid YAML{place}", "mend the file") from None
        if not isinstance(read, dict):
            raise ConfigError("meltano.yml", "it does not hold a mapping", "mend the file")
        return read

    @cached_property
    def jobs(self) -> dict[str, list[list[str]]]:
        """The tasks of every job, each split into its plugins."""
        return {
            job["name"]: [task.split() if isinstance(task, str) else list(task) for task in job.get("tasks") or []]
            for job in self.project.get("jobs") or []
        }

    @cached_property
    def plugins(self) -> dict[str, Plugin]:
        """Every plugin by name, with inherited, environment's and shell's settings applied."""
        _ = self.project
        return {plugin.name: plugin for plugin in _resolve(self.root, environment_name(self.root))}

    @cached_property
    def in_use(self) -> list[Plugin]:
        """The plugins that some job runs, in the order in which they are first named."""
        names = dict.fromkeys(name.partition(":")[0] for tasks in self.jobs.values() for task in tasks for name in task)
        return [self.plugins[name] for name in names if name in self.plugins]


def _resolve(root: Path, environment: str | None) -> list[Plugin]:
    with redirect_stdout(io.StringIO()):  # Meltano logs there until it is told otherwise
        from meltano.core.error import MeltanoError
        from meltano.core.plugin.settings_service import PluginSettingsService
        from meltano.core.project import Project

        try:
            project = Project(root)
            if environment:
                project.activate_environment(environment)
            return [
                Plugin(
                    kind=str(plugin.type),
                    name=plugin.name,
                    executable=plugin.executable or plugin.name,
                    settings=_given(PluginSettingsService(project, plugin).as_dict(extras=False, process=True)),
                    commands=frozenset(plugin.all_commands),
                    capabilities=frozenset(plugin.capabilities),
                )
                for plugin in project.plugins.plugins()
            ]
        except MeltanoError as error:
            raise ConfigError("meltano.yml", str(error).splitlines()[0], "mend the file") from None


def _given(resolved: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resolved.items() if value is not None}
