"""What a process costs while it runs, told by the steps it is at: seconds of the processors, the most memory.

Seconds on the wall depend on who else is at work; those of the processors hardly do.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

EVERY = 0.1  # seconds between two looks at the process
TICK = 1 / os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")

Spans = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Look:
    """What a process had used up at one moment: seconds since 1970, seconds of the processors, bytes of memory held."""

    at: float
    busy: float
    held: int


@dataclass(frozen=True)
class Step:
    """The cost of one step: seconds on the wall and of the processors; the most that the process held meanwhile.

    Where steps run side by side, what the processors did is shared among them evenly.
    """

    seconds: float
    busy: float
    peak_bytes: int


@dataclass(frozen=True)
class Followed:
    """A process from start to end: its exit code, its cost, and the looks at it on the way."""

    code: int
    seconds: float
    busy: float
    system: float
    peak_bytes: int
    looks: list[Look]

    def steps(self, spans: Spans) -> dict[str, Step]:
        """The cost of each step; ``spans`` are its first and last moment, in seconds since 1970."""
        busy = dict.fromkeys(spans, 0.0)
        peak = dict.fromkeys(spans, 0)
        for one, other in zip(self.looks, self.looks[1:], strict=False):
            both = {name: min(last, other.at) - max(first, one.at) for name, (first, last) in spans.items()}
            running = {name: overlap for name, overlap in both.items() if overlap > 0}
            shared = max(sum(running.values()), other.at - one.at)
            for name, overlap in running.items():
                busy[name] += (other.busy - one.busy) * overlap / shared
                peak[name] = max(peak[name], other.held)
        return {name: Step(last - first, busy[name], peak[name]) for name, (first, last) in spans.items()}


def follow(command: Iterable[str], environment: Mapping[str, str], log: Path) -> Followed:
    """Run a command to its end, its words written to ``log``."""
    started = time.perf_counter()
    looks = []
    with log.open("wb") as out:
        process = subprocess.Popen(list(command), env=dict(environment), stdout=out, stderr=out)
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            looks.append(look(process.pid))
            time.sleep(EVERY)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Followed(
        code=process.returncode,
        seconds=time.perf_counter() - started,
        busy=usage.ru_utime + usage.ru_stime,
        system=usage.ru_stime,
        peak_bytes=usage.ru_maxrss * 1024,
        looks=looks,
    )


def look(pid: int) -> Look:
    """One look at a process that has not been waited for."""
    # The name of the program stands in brackets and may hold anything.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Look(time.time(), (int(fields[11]) + int(fields[12])) * TICK, int(fields[21]) * PAGE)
