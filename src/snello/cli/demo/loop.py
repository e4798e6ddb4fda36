"""Run Meltano's job ``loop`` and follow it block by block."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from snello.cli.summary.figures import Phase
from snello.errors import RowsRefused, SnelloError

JOB = "loop"
_SENTENCE = re.compile(r"^(?P<where>.+?): (?P<what>.+)\. Next: (?P<cure>.+?)\.?$")
_COUNTED = re.compile(r"PASS=\d+.*ERROR=\d+")  # the last words of dbt
_FAILED = re.compile(r"(?:Failure|Error) in (\w+ \w+)")  # what dbt names before them
_STOP_SECONDS = 20


@dataclass(frozen=True)
class Block:
    """A part of the job that Meltano runs as one: a tap with its target, or a command."""

    phase: str
    name: str


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


@dataclass(frozen=True)
class Done:
    """A block that has ended, and how long it took."""

    block: Block
    seconds: float


def run(
    project: Path, environment: Mapping[str, str], log: Path, tell: Callable[[Done], None]
) -> tuple[list[Phase], RowsRefused | None]:
    """Run the job; the time of each of its phases, and what its last block says of rows that were refused.

    - ``tell`` is called when a block has ended
    - ``log`` takes every line that Meltano and the plugins write
    - raises the fault of a block that failed, but for the last one's word that everything ran and rows were refused
    """
    expected = blocks(project)
    began = time.monotonic()
    done: list[Done] = []
    events: list[dict[str, Any]] = []
    for event in _events(project, environment, log):
        events.append(event)
        if event.get("event") == "Block run completed" and event["success"]:
            done.append(Done(expected[event["set_number"]], event["duration_seconds"]))
            tell(done[-1])
            events.clear()
    refused = None
    if len(done) < len(expected):
        found = fault(expected[len(done)], events, log)
        if len(done) < len(expected) - 1 or not isinstance(found, RowsRefused):
            raise found
        refused = found
    spent = time.monotonic() - began - sum(step.seconds for step in done)
    return [*phases(done), Phase("meltano", round(spent, 1))], refused


def _events(project: Path, environment: Mapping[str, str], log: Path) -> Iterator[dict[str, Any]]:
    command = ["meltano", "--log-format=json", "run", JOB]
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w") as kept,
        subprocess.Popen(
            command, cwd=project, env=dict(environment), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                event = _event(line)
                kept.write(_line(event))
                yield event
        except BaseException:  # whoever stops us must not leave Meltano behind
            _stop(process)
            raise


def phases(done: list[Done]) -> list[Phase]:
    """Seconds by phase, in order."""
    return [
        Phase(phase, round(sum(step.seconds for step in steps), 1))
        for phase, steps in groupby(done, key=lambda step: step.block.phase)
    ]


def fault(block: Block, events: list[dict[str, Any]], log: Path) -> SnelloError:
    """What dbt says that failed, else the last *where: what. Next: cure.* of the block, in the kind of its code."""
    kinds = {kind.exit_code: kind for kind in SnelloError.__subclasses__()}
    code = next((code for event in reversed(events) for code in _codes(event)), 1)
    kind = kinds.get(code, SnelloError)
    said = [str(event.get("event", "")) for event in events]
    counted = [found[0] for text in said if (found := _COUNTED.search(text))]
    if counted:  # dbt's sentences before them are warnings
        failed = [found[1] for text in said if (found := _FAILED.search(text))]
        return kind(block.name, f"{', '.join(failed[:3]) or 'it'} failed ({counted[-1]})", f"read {log}")
    told = next((found for text in reversed(said) if (found := _SENTENCE.match(text))), None)
    if told:
        return kind(told["where"], told["what"], f"{told['cure']}; the whole log is {log}")
    return kind(block.name, "it failed", f"read {log}")


def _codes(event: dict[str, Any]) -> Iterator[int]:
    yield from (event.get("exit_codes") or {}).values()
    said = re.search(r"exit code:? (\d+)", str(event.get("err") or ""))
    if said:
        yield int(said[1])


def _event(line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    return event if isinstance(event, dict) else {"event": line.rstrip("\n")}


def _line(event: dict[str, Any]) -> str:
    at = str(event.get("timestamp", ""))[11:19]
    return f"{at:8} {event.get('name', 'meltano'):30} {event.get('event', '')}\n"


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
