"""Run Meltano's job ``loop`` and follow it block by block."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from snello.cli.demo.blocks import JOB, blocks, stretches
from snello.cli.demo.fault import fault
from snello.cli.demo.lanes import Done, Meltano
from snello.cli.summary.figures import Phase
from snello.errors import RowsRefused


def run(
    project: Path, environment: Mapping[str, str], log: Path, tell: Callable[[Done], None]
) -> tuple[list[Phase], RowsRefused | None]:
    """Run the job's blocks, pipelines that do not wait for one another side by side.

    - ``tell`` is called when a block has ended
    - ``log`` takes every line that Meltano and the plugins write
    - returns the time of each phase, and what the last block says of rows that were refused
    - raises the fault of a block that failed, but for the last one's word that everything ran and rows were refused
    """
    expected = blocks(project, JOB)
    spent: dict[str, float] = {}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as kept:
        meltano = Meltano(project, environment, kept, tell)
        for stretch in stretches(expected):
            began = time.monotonic()
            broken = meltano.run(stretch)
            phase = stretch[0].phase
            spent[phase] = spent.get(phase, 0) + time.monotonic() - began
            if broken:
                kept.flush()
                found = fault(broken.block, broken.events, log)
                if broken.block is not expected[-1] or not isinstance(found, RowsRefused):
                    raise found
                return _phases(spent), found
    return _phases(spent), None


def _phases(spent: Mapping[str, float]) -> list[Phase]:
    return [Phase(phase, round(seconds, 1)) for phase, seconds in spent.items()]
