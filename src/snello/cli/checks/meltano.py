"""Does ``meltano.yml`` hold together: executables, jobs, one name a pipeline, settings that the plugins accept?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from snello.cli.checks.finding import Finding, Findings
from snello.cli.checks.ground import EXTRACTORS, LOADERS, Ground
from snello.cli.checks.plugins import starts
from snello.errors import ConfigError, choices


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
    for plugin in ground.in_use:
        with findings.ask(plugin.name):
            starts(plugin, ground.root)
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
