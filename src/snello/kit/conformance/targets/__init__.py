"""The suite for activation targets: what a connector's ``conformance.py`` says, and every case that it must pass.

    @starts(lacks={"foreign": "a receiver of posts shows no rows"})
    def subject() -> Iterator[Subject]:
        with serve(acme()) as url:
            yield Subject("target_acme:main", url, …)

Everything goes through the real tap-activation, the real ledger and real Singer messages; each run is a process.
"""

from snello.kit.conformance.runs import Outcome, Runs
from snello.kit.conformance.targets import (
    consent,
    crashes,
    differences,
    erasures,
    handles,
    moves,
    refusals,
    sessions,
    weather,
)
from snello.kit.conformance.targets.case import CASES, Case, cases_of
from snello.kit.conformance.targets.subject import Start, Subject, found, starts, unable
from snello.kit.conformance.targets.trial import Trial, trial

__all__ = [
    "CASES",
    "Case",
    "Outcome",
    "Runs",
    "Start",
    "Subject",
    "Trial",
    "cases_of",
    "consent",
    "crashes",
    "differences",
    "erasures",
    "found",
    "handles",
    "moves",
    "refusals",
    "sessions",
    "starts",
    "trial",
    "unable",
    "weather",
]
