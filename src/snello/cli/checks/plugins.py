"""Would a plugin start with the settings that Meltano gives it?"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from singer_sdk.plugin_base import PluginBase

from snello.cli.checks.ground import Plugin
from snello.errors import ConfigError, RetryLater, SnelloError
from snello.kit.entry import config_from

_SECONDS = 60


def starts(plugin: Plugin, root: Path) -> None:
    """Raise ``ConfigError`` when ``plugin`` has no executable, or refuses its settings.

    Ours are asked in this process, others as ``executable --config … --about`` where they know that word.
    """
    beside = str(Path(sys.executable).parent)
    path = shutil.which(plugin.executable) or shutil.which(plugin.executable, path=beside)
    if path is None:
        raise ConfigError(plugin.name, f"no executable {plugin.executable!r} on PATH", "run `make setup`")
    own = _own(plugin.executable)
    if own is None and "about" not in plugin.capabilities:
        return
    with tempfile.TemporaryDirectory(prefix="snello-") as folder:
        config = Path(folder, "config.json")
        config.write_text(json.dumps(plugin.settings, default=str))
        if own is None:
            _ask(plugin, [path, "--config", str(config), "--about", "--format=json"], root)
        else:
            _read(plugin, own, config)


def _own(executable: str) -> type[PluginBase] | None:
    """The plugin class behind an executable that is built on our kit."""
    for script in entry_points(group="console_scripts", name=executable):
        if _is_built_on_us(script):
            script.load()
            found = vars(sys.modules[script.module]).values()
            named = (kind for kind in found if _is_plugin(kind) and getattr(kind, "name", "") == executable)
            return next(named, None)
    return None


def _is_built_on_us(script: EntryPoint) -> bool:
    needed = (script.dist.requires if script.dist else None) or []
    return any(requirement.replace(">", " ").replace("=", " ").split()[0] == "snello" for requirement in needed)


def _is_plugin(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, PluginBase)


def _read(plugin: Plugin, own: type[PluginBase], config: Path) -> None:
    try:
        config_from(own, (str(config),))
    except SnelloError as fault:
        where = fault.where.replace(own.name, plugin.name, 1)
        raise type(fault)(where, fault.what, fault.cure) from None


def _ask(plugin: Plugin, command: list[str], root: Path) -> None:
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise RetryLater(plugin.name, f"it did not start within {_SECONDS} s", "run the check again") from None
    if told.returncode:
        raise ConfigError(plugin.name, "it refuses its settings", f"run `{plugin.executable} --about`")
