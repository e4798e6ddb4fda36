"""A connector by its name: a plugin of ``meltano.yml``, or a folder."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
import tomllib
import traceback
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from singer_sdk.plugin_base import PluginBase

from snello.cli.checks.ground import Ground, Plugin
from snello.errors import ConfigError, choices
from snello.settings import project_root

_CODE = "import sys; from {module} import {function} as main; sys.argv[0] = {name!r}; main()"


@dataclass(frozen=True)
class Package:
    """The Python package of a connector that is built on the kit.

    - ``home``: the folder that holds it; ``module`` and ``function``: what its command calls
    """

    home: Path
    module: str
    function: str

    @property
    def folder(self) -> Path:
        """Where its modules are."""
        return self.home / self.module

    def plugin(self, name: str) -> type[PluginBase]:
        """Its plugin class. Raises ``ConfigError`` when the module cannot be imported or has none."""
        sys.path.insert(0, str(self.home))
        try:
            module = importlib.import_module(self.module)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            line = error.lineno if isinstance(error, SyntaxError) else last.lineno
            what = f"its module cannot be imported: {type(error).__name__} in {Path(last.filename).name}, line {line}"
            raise ConfigError(name, what, f"mend it, and try: python -c 'import {self.module}'") from error
        finally:
            sys.path.remove(str(self.home))
        kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, PluginBase)]
        own = [kind for kind in kinds if kind.__module__.partition(".")[0] == self.module]
        if not own:
            raise ConfigError(name, f"module {self.module} has no tap", "declare a class such as TapAcme(RestTap)")
        return own[-1]


@dataclass(frozen=True)
class Connector:
    """A connector that can be started.

    - ``settings``: its configuration; ``package``: of a connector of ours, else None
    """

    name: str
    executable: str
    settings: dict[str, Any] = field(repr=False)
    package: Package | None = None

    @property
    def command(self) -> list[str]:
        """What starts it."""
        if self.package is None:
            return [self.executable]
        code = _CODE.format(module=self.package.module, function=self.package.function, name=self.name)
        return [sys.executable, "-P", "-c", code]

    @property
    def environment(self) -> dict[str, str]:
        """The variables to start it with."""
        if self.package is None:
            return dict(os.environ)
        path = os.pathsep.join(filter(None, [str(self.package.home), os.environ.get("PYTHONPATH")]))
        return {**os.environ, "PYTHONPATH": path}

    def at(self, home: Path) -> Connector:
        """The same connector with its package in another folder."""
        assert self.package is not None
        return replace(self, package=replace(self.package, home=home))


def find(name: str, config: Path | None = None) -> Connector:
    """The connector called ``name``: a folder, a plugin of ``meltano.yml``, or a folder of ``connectors/``.

    - ``config``: a JSON file of settings, in place of the plugin's

    Raises ``ConfigError`` when there is none, or the file cannot be read.
    """
    settings = _read(config) if config else None
    folder = _folder(name)
    if folder is not None:
        given = _of_plugin(folder.name) if settings is None else settings
        return Connector(folder.name, folder.name, given, _package_in(folder))
    ground = Ground(project_root())
    if name not in ground.plugins:
        raise ConfigError(name, "it is neither a folder nor a plugin of meltano.yml", choices(name, ground.plugins))
    connector = connected(ground.plugins[name])
    return connector if settings is None else replace(connector, settings=settings)


def connected(plugin: Plugin) -> Connector:
    """The connector behind a plugin, with the plugin's settings. Raises ``ConfigError`` when it is not installed."""
    beside = str(Path(sys.executable).parent)
    path = shutil.which(plugin.executable) or shutil.which(plugin.executable, path=beside)
    package = _installed(plugin.executable)
    if path is None and package is None:
        raise ConfigError(plugin.name, f"no executable {plugin.executable!r} on PATH", "run `make setup`")
    return Connector(plugin.name, path or plugin.executable, plugin.settings, package)


def _read(config: Path) -> dict[str, Any]:
    try:
        found = json.loads(config.read_text())
    except OSError:
        raise ConfigError("--config", f"there is no file {config.name}", "name an existing file") from None
    except ValueError:
        raise ConfigError("--config", f"{config.name} is not valid JSON", "mend the file") from None
    if not isinstance(found, dict):
        raise ConfigError("--config", f"{config.name} holds no object", 'write settings as {{"name": value}}')
    return found


def _folder(name: str) -> Path | None:
    """A path to a connector's folder; a bare name is one only when no plugin may be meant."""
    named = Path(name)
    if os.sep in name or name in (".", ".."):
        if not (named / "pyproject.toml").exists():
            raise ConfigError(name, "the folder has no pyproject.toml", "name the folder of a connector")
        return named.resolve()
    try:
        root = project_root()
    except ConfigError:
        return named.resolve() if (named / "pyproject.toml").exists() else None
    within = root / "connectors" / name
    return within if (within / "pyproject.toml").exists() else None


def _package_in(folder: Path) -> Package:
    project = tomllib.loads((folder / "pyproject.toml").read_text()).get("project", {})
    script = project.get("scripts", {}).get(folder.name)
    if not script:
        raise ConfigError(folder.name, "pyproject.toml names no command of the folder's name", "add [project.scripts]")
    module, _, function = script.partition(":")
    return Package(folder, module, function)


def _installed(executable: str) -> Package | None:
    """The package behind an executable of this environment that is built on the kit."""
    for script in entry_points(group="console_scripts", name=executable):
        needed = (script.dist.requires if script.dist else None) or []
        if not any(each.replace(">", " ").replace("=", " ").split()[0] == "snello" for each in needed):
            continue
        spec = find_spec(script.module)
        if spec is not None and spec.origin:
            return Package(Path(spec.origin).parent.parent, script.module, script.attr)
    return None


def _of_plugin(name: str) -> dict[str, Any]:
    try:
        plugin = Ground(project_root()).plugins.get(name)
    except ConfigError:
        return {}
    return dict(plugin.settings) if plugin else {}
