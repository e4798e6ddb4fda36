"""Cases of what a run holds in memory."""

from __future__ import annotations

from snello.kit.conformance.taps.case import case
from snello.kit.conformance.taps.trial import Trial

TIMES = 5
MORE = 12_000  # kB: of 20,000 rows and more, less than their Python objects take


@case("grows")
def memory_stays_flat_however_many_rows_there_are(trial: Trial) -> None:
    """Five times the rows, and no more memory."""
    assert trial.subject.grow
    few = trial.subject.full
    trial.subject.grow(few)
    small, less = trial.peak()
    trial.subject.grow(few * TIMES)
    large, more = trial.peak()
    if large - small >= MORE:  # a busy machine adds to a peak and never takes from it
        large = min(large, trial.peak()[0])
    assert more - less >= few * (TIMES - 1), f"only {more - less:,} rows more came"
    assert large - small < MORE, f"{large - small:,} kB more for {more - less:,} rows more"
