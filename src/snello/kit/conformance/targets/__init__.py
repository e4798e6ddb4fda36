"""The suite for activation targets: what a connector's ``conformance.py`` says, and every case that it must pass.

    @starts(lacks={"foreign": "a receiver of posts shows no rows"})
    def subject() -> Iterator[Subject]:
        with serve(acme()) as url:
            yield Subject("target_acme:main", url, …)

Everything goes through the real tap-activation, the real ledger and real Singer messages; each run is a process.
"""

from snello.kit.conformance.runs import Outcome, Runs
from snello.kit.conformance.targets import consent, crashes, differences, refusals, weather
from snello.kit.conformance.targets.case import CASES, Case, cases_of
from snello.kit.conformance.targets.subject import Start, Subject, found, starts
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
    "found",
    "refusals",
    "starts",
    "trial",
    "weather",
]
