"""What one run of dbt cost, by model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gauge import Followed, Step

ENDS = ("started_at", "completed_at")


@dataclass(frozen=True)
class Run:
    """One ``dbt build``: seconds on the wall and of the processors, peak bytes of its process, the cost of each model.

    ``system`` is the part of the processors' seconds that the kernel took, mostly for memory.
    """

    seconds: float
    busy: float
    system: float
    peak_bytes: int
    steps: dict[str, Step]

    @classmethod
    def of(cls, followed: Followed, results: Path) -> Run:
        """From what was seen of dbt, and what dbt wrote of itself."""
        spans = {}
        for entry in json.loads(results.read_text())["results"]:
            moments = [datetime.fromisoformat(one[end]) for one in entry["timing"] for end in ENDS if one[end]]
            if moments:
                spans[entry["unique_id"].rpartition(".")[2]] = (min(moments).timestamp(), max(moments).timestamp())
        cost = (followed.seconds, followed.busy, followed.system, followed.peak_bytes)
        return cls(*cost, followed.steps(spans))

    @property
    def in_models(self) -> float:
        """Seconds of the processors that models took: all but dbt's own start and end."""
        return sum(step.busy for step in self.steps.values())

    def slowest(self, count: int = 12) -> str:
        """The models that cost most, one a line."""
        ranked = sorted(self.steps.items(), key=lambda entry: -entry[1].busy)[:count]
        return "\n".join(
            f"    {name:34}{step.seconds:8.1f} s{step.busy:8.1f} s busy{step.peak_bytes / 2**30:6.1f} GiB"
            for name, step in ranked
        )
