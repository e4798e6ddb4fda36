"""How fast the demo company is generated: people a second, rows a stream, bytes a source.

.venv/bin/python bench/generate.py [PEOPLE ...]     default: 10,000 and 1,000,000
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SEED = 1
GOAL = "goal: 1,000,000 people with every trace in under 60 s on 2 cores"


def size(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def run(people: int) -> None:
    from snello.sandbox import generate

    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        since = started

        def told(stream: str, rows: int) -> None:
            nonlocal since
            now = time.perf_counter()
            print(f"  {stream:30} {rows:>12,} rows {now - since:8.2f} s")
            since = now

        world = generate(Path(folder), people, SEED, told=told)
        seconds = time.perf_counter() - started
        rows = sum(world.rows.values())
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(f"{people:,} people, {rows:,} rows, {size(world.company):,.0f} MB in {seconds:.1f} s: ", end="")
        print(f"{people / seconds:,.0f} people/s, {rows / seconds:,.0f} rows/s, ", end="")
        print(f"{used.ru_utime + used.ru_stime:.1f} s of processor, {used.ru_maxrss / 1e6:.1f} GB at most")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        run(int(sys.argv[2]))
    else:
        print(GOAL)
        for number in [int(text.replace(",", "")) for text in sys.argv[1:]] or [10_000, 1_000_000]:
            # Each in a process of its own, so that the memory is its own.
            subprocess.run([sys.executable, __file__, "--one", str(number)], check=True)
