"""Does ``meltano.yml`` hold together: executables, jobs, one name a pipeline, settings that the plugins accept?"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from snello.cli.checks.finding import Finding, Findings
from snello.cli.checks.ground import EXTRACTORS, LOADERS, Ground, Plugin
from snello.errors import ConfigError, RetryLater, SnelloError, choices

_AT_ONCE = 2
_SECONDS = 60


def check(ground: Ground) -> Iterator[Finding]:
    """The file itself, its jobs, and each plugin that a job runs."""
    findings = Findings("meltano.yml")
    with findings.ask("plugins"):
        _ = ground.plugins
    if findings.found[-1].exit_code:
        yield from findings.found
        return
    for job in ground.jobs:
        with findings.ask(f"job {job}"):
            _known(ground, job)
    with findings.ask("a name a pipeline"):
        _own_names(ground)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(lambda plugin: _fault(plugin, ground.root), ground.in_use))
    for plugin, fault in zip(ground.in_use, answers, strict=True):
        with findings.ask(plugin.name):
            if fault:
                raise fault
    yield from findings.found


def _known(ground: Ground, job: str) -> None:
    for task in ground.jobs[job]:
        for word in task:
            name, _, command = word.partition(":")
            plugin = ground.plugins.get(name)
            if plugin is None:
                raise ConfigError(f"meltano.yml: job {job}", f"no plugin {name!r}", choices(name, ground.plugins))
            if command and command not in plugin.commands:
                what = f"plugin {name!r} has no command {command!r}"
                raise ConfigError(f"meltano.yml: job {job}", what, choices(command, plugin.commands))


def _own_names(ground: Ground) -> None:
    partners: dict[str, set[str]] = defaultdict(set)
    for task in (task for tasks in ground.jobs.values() for task in tasks):
        for left, right in pairwise(task):
            kinds = [ground.plugins[name].kind for name in (left, right) if name in ground.plugins]
            if kinds == [EXTRACTORS, LOADERS]:
                partners[left].add(right)
                partners[right].add(left)
    for name, others in partners.items():
        if len(others) > 1:
            what = f"{name} runs with {' and with '.join(sorted(others))}; at the same time they would collide"
            raise ConfigError("meltano.yml", what, f"give each its own name with inherit_from: {name}")


def _fault(plugin: Plugin, root: Path) -> SnelloError | None:
    """What keeps ``plugin`` from starting with its settings, if anything."""
    beside = Path(sys.executable).parent
    path = shutil.which(plugin.executable) or shutil.which(plugin.executable, path=str(beside))
    if path is None:
        return ConfigError(plugin.name, f"no executable {plugin.executable!r} on PATH", "run `make setup`")
    if "about" not in plugin.capabilities:
        return None
    return _refusal(plugin, path, root)


def _refusal(plugin: Plugin, path: str, root: Path) -> SnelloError | None:
    with tempfile.TemporaryDirectory(prefix="snello-") as folder:
        config = Path(folder, "config.json")
        config.write_text(json.dumps(plugin.settings, default=str))
        asked = [path, "--config", str(config), "--about", "--format=json"]
        try:
            told = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=root, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            return RetryLater(plugin.name, f"it did not start within {_SECONDS} s", "run the check again")
    if told.returncode == 0:
        return None
    return sentence(told.stderr, plugin.name) or ConfigError(
        plugin.name, "it refuses its settings", f"run `{plugin.executable} --about`"
    )


def sentence(text: str, where: str) -> SnelloError | None:
    """The last *where: what. Next: cure.* in what a process wrote, as the fault that it tells."""
    for line in reversed(text.splitlines()):
        told, found, cure = line.strip().rpartition(". Next: ")
        with suppress(ValueError):
            if found:
                _, what = told.split(": ", 1)
                return ConfigError(where, what, cure)
    return None
