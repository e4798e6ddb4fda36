"""The two connectors that carry a sync, found in ``meltano.yml``: a tap, and the target that it is piped into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from snello.activation import Sync
from snello.cli.checks.ground import EXTRACTORS, LOADERS, Ground, Plugin
from snello.cli.connector.found import Connector, connected
from snello.errors import ConfigError, choices
from snello.lake import Lake

TAP = "tap-activation"


@dataclass(frozen=True)
class Carriers:
    """Tap and target of one sync, with the settings that Meltano would give them."""

    sync: str
    tap: Connector
    target: Connector


def published(ground: Ground) -> dict[str, Sync]:
    """Every published sync by name; empty before the first publication."""
    manifest = Lake(ground.hub.lake).manifest()
    return {name: Sync.read(name, terms) for name, terms in sorted(manifest.syncs.items())} if manifest else {}


def carriers(ground: Ground, name: str) -> Carriers:
    """Tap and target of the sync ``name``.

    The tap is the plugin whose setting `sync` names it; the target the one that a job pipes it into, or the sync's.
    Raises ``ConfigError`` when no such sync is published, or a plugin is missing.
    """
    manifest = Lake(ground.hub.lake).manifest()
    sync = Sync.find(name, manifest.syncs if manifest else {})
    tap = next((plugin for plugin in _taps(ground) if plugin.settings.get("sync") == name), None)
    target = _piped(ground, tap.name) if tap else None
    loaders = {plugin.name: plugin for plugin in ground.plugins.values() if plugin.kind == LOADERS}
    wanted = target or sync.target
    if wanted not in loaders:
        raise ConfigError(f"sync {name}", f"no target {wanted!r} in meltano.yml", choices(wanted, loaders))
    reader = tap or _plain(ground, name)
    return Carriers(name, _asked(reader, name), connected(loaders[wanted]))


def _taps(ground: Ground) -> Iterator[Plugin]:
    return (one for one in ground.plugins.values() if one.kind == EXTRACTORS and one.executable == TAP)


def _plain(ground: Ground, name: str) -> Plugin:
    found = next((plugin for plugin in _taps(ground) if not plugin.settings.get("sync")), None)
    if found is None:
        cure = f"add an extractor with executable: {TAP} and config: {{sync: {name}}}"
        raise ConfigError("meltano.yml", f"no plugin reads the sync {name}", cure)
    return found


def _asked(plugin: Plugin, sync: str) -> Connector:
    connector = connected(plugin)
    return replace(connector, settings={**connector.settings, "sync": sync})


def _piped(ground: Ground, tap: str) -> str | None:
    """The plugin that some job runs right after ``tap``."""
    for tasks in ground.jobs.values():
        words = [word for task in tasks for word in task]
        for word, following in pairwise(words):
            if word == tap:
                return following
    return None
