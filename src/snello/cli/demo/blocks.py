"""The blocks of a job of Meltano: what it runs as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

JOB = "loop"


@dataclass(frozen=True)
class Block:
    """A part of the job that Meltano runs as one: a tap with its target, or a command."""

    phase: str
    name: str

    @property
    def is_pipeline(self) -> bool:
        """Whether it is a tap with its target, and no command."""
        return " " in self.name


def blocks(project: Path, job: str = JOB) -> list[Block]:
    """The blocks of ``job`` in order; their phase is the first other job that runs them."""
    file = yaml.safe_load((project / "meltano.yml").read_text())
    last = {plugin["name"] for kind in ("loaders", "utilities") for plugin in file["plugins"].get(kind) or []}
    jobs = {entry["name"]: list(_split(entry["tasks"], last)) for entry in file["jobs"]}
    whole, phases = jobs.pop(job), iter(jobs.items())
    phase, left = next(phases, (job, []))
    found = []
    for name in whole:
        while name not in left:
            phase, left = next(phases, (job, [name]))
        left = left[left.index(name) + 1 :]
        found.append(Block(phase, name))
    return found


def _split(tasks: list[Any], last: set[str]) -> Iterator[str]:
    """The blocks of some tasks: each ends with a loader or a utility."""
    for task in tasks:
        started: list[str] = []
        for word in task.split() if isinstance(task, str) else task:
            started.append(word)
            if word.partition(":")[0] in last:
                yield " ".join(started)
                started = []


def stretches(found: Sequence[Block]) -> list[list[Block]]:
    """The blocks of each phase by what one may start at once: pipelines in a row, or what has an order."""
    parts: list[list[Block]] = []
    for (phase, _), some in groupby(found, key=lambda block: (block.phase, block.is_pipeline)):
        part = list(some)
        if parts and parts[-1][0].phase == phase and not is_side_by_side(parts[-1]) and not is_side_by_side(part):
            parts[-1] += part
        else:
            parts.append(part)
    return parts


def is_side_by_side(stretch: Sequence[Block]) -> bool:
    """Whether no block waits for the one before: they are several pipelines, and no command."""
    return len(stretch) > 1 and all(block.is_pipeline for block in stretch)
