"""The suite for taps: what a connector's ``conformance.py`` says, and every case that it must pass.

    @starts(lacks={"renews": "its keys do not expire"})
    def subject() -> Iterator[Subject]:
        with serve(acme()) as url:
            yield Subject("tap_acme:main", "tap_acme:TapAcme", …)

Everything is real: the source or its emulator, the tap's own command, and the kill.
"""

from snello.kit.conformance.taps import holding, reading, stopping, weather
from snello.kit.conformance.taps.case import CASES, Case, cases_of
from snello.kit.conformance.taps.subject import Key, Start, Subject, found, starts
from snello.kit.conformance.taps.trial import Trial, rows_of, trial

__all__ = [
    "CASES",
    "Case",
    "Key",
    "Start",
    "Subject",
    "Trial",
    "cases_of",
    "found",
    "holding",
    "reading",
    "rows_of",
    "starts",
    "stopping",
    "trial",
    "weather",
]
