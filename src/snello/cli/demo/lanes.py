"""Pipelines that do not wait for one another run side by side, each lane in a Meltano of its own."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from snello.cli.demo.blocks import Block, is_side_by_side

LANES = 3  # of two processors: a lane waits now and then, for a channel or for what it starts
_STOP_SECONDS = 20

Event = dict[str, Any]


@dataclass(frozen=True)
class Done:
    """A block that has ended, and how long it took."""

    block: Block
    seconds: float


@dataclass(frozen=True)
class Broken:
    """The block at which a lane ended, and what was said since it began."""

    block: Block
    events: list[Event]


def lanes(stretch: Sequence[Block]) -> list[list[Block]]:
    """The blocks of a stretch by lane; those that wait for one another have one."""
    side_by_side = min(LANES, len(stretch)) if is_side_by_side(stretch) else 1
    return [list(stretch[lane::side_by_side]) for lane in range(side_by_side)]


@dataclass
class Meltano:
    """Runs blocks of a project.

    - ``kept`` takes every line that Meltano and the plugins write
    - ``tell`` is called when a block has ended
    """

    project: Path
    environment: Mapping[str, str]
    kept: IO[str]
    tell: Callable[[Done], None]
    _turn: threading.Lock = field(default_factory=threading.Lock)
    # the first Meltano in a new project makes its database, which a second must not do at the same time
    _begun: threading.Event = field(default_factory=threading.Event)
    _running: list[subprocess.Popen[str]] = field(default_factory=list)
    _stopped: bool = False

    def run(self, stretch: Sequence[Block]) -> Broken | None:
        """Run a stretch; a lane that breaks leaves the others to their end. The first that broke, if any did."""
        first, *others = lanes(stretch)
        with ThreadPoolExecutor(LANES) as pool:
            try:
                running = [pool.submit(self._lane, first)]
                self._begun.wait()
                running += [pool.submit(self._lane, lane) for lane in others]
                ended = [lane.result() for lane in running]
            except BaseException:  # whoever stops us must not leave Meltano behind
                self._stop()
                raise
        return next(filter(None, ended), None)

    def _lane(self, blocks: Sequence[Block]) -> Broken | None:
        ended = 0
        events: list[Event] = []
        try:
            for event in self._events([word for block in blocks for word in block.name.split()]):
                events.append(event)
                if str(event.get("event")).startswith("Running job"):
                    self._begun.set()
                if event.get("event") == "Block run completed" and event["success"]:
                    with self._turn:
                        self.tell(Done(blocks[ended], event["duration_seconds"]))
                    ended += 1
                    events.clear()
        finally:
            self._begun.set()
        return Broken(blocks[ended], events) if ended < len(blocks) else None

    def _events(self, words: Sequence[str]) -> Iterator[Event]:
        command = ["meltano", "--log-format=json", "run", *words]
        pipe, out = subprocess.PIPE, subprocess.STDOUT
        with self._turn:
            if self._stopped:
                return
            process = subprocess.Popen(
                command, cwd=self.project, env=dict(self.environment), text=True, stdout=pipe, stderr=out
            )
            self._running.append(process)
        with process:
            for line in process.stdout or ():
                event = _event(line)
                with self._turn:
                    self.kept.write(_line(event))
                yield event

    def _stop(self) -> None:
        with self._turn:
            self._stopped = True
        for process in self._running:
            process.terminate()
        for process in self._running:
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _event(line: str) -> Event:
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    return event if isinstance(event, dict) else {"event": line.rstrip("\n")}


def _line(event: Event) -> str:
    at = str(event.get("timestamp", ""))[11:19]
    return f"{at:8} {event.get('name', 'meltano'):30} {event.get('event', '')}\n"
