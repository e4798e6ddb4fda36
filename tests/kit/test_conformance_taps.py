"""The suite for taps finds what is broken, and names it: each flaw fails the case that is about it."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from tests.kit.http_server import Call, Reply, serving

from snello.kit.conformance.runs import Runs
from snello.kit.conformance.taps import CASES, Case, Key, Start, Subject, starts, trial, weather

CANARY = "canary.person@aurora.example"
COMMAND = "broken_taps:main"
WEATHER = {case.name for case in CASES if case.name.endswith("_costs_no_row")}
FLAWS: dict[str, set[str]] = {
    "loses ties": {"rows_of_the_last_moment_that_come_late_are_read"},
    "doubles a page": {"no_row_comes_twice"},
    "state ahead": {
        "a_run_cut_off_at_a_state_is_made_whole_by_the_next",
        "a_run_killed_at_any_byte_is_made_whole_by_the_next",
    },
    "prints a row": {"every_row_comes"},
    "lies in the schema": {"every_value_fits_its_schema"},
    "hides a column": {"every_declared_column_comes"},
    "has no key": {"no_key_is_null", "every_value_fits_its_schema"},
    "goes back": {"a_state_never_goes_back"},
    "ends early": {"every_row_comes"},
    "forgets": {"a_second_run_moves_what_changed_and_no_more"},
    "gives up": WEATHER,
    "takes any setting": {"a_setting_that_is_none_is_told_in_one_sentence"},
    "takes any credentials for none": {"wrong_credentials_are_told_in_one_sentence"},
    "holds all": {"memory_stays_flat_however_many_rows_there_are"},
    "waits for ever": {"a_server_that_keeps_silent_is_asked_again"},
    "knows no exit codes": {"a_wait_that_is_too_long_is_left_to_the_next_run"},
}
EVERYWHERE = {"prints a row"}  # looked for after every run, so every case fails


def start_of(flaw: str) -> Start:
    """A source of eleven rows, several of one moment, read by a tap with this flaw."""

    def generate() -> Iterator[Subject]:
        rows: list[dict[str, Any]] = [
            {"id": n, "email": CANARY if n % 4 else None, "changed_at": _at(n // 4)} for n in range(1, 12)
        ]

        def answer(call: Call) -> Reply:
            if call.headers["Authorization"] != "right":
                return Reply({}, 401)
            place = (call.query["at"], int(call.query["id"]))
            rows.sort(key=lambda row: (row["changed_at"], row["id"]))
            start = bisect_right(rows, place, key=lambda row: (row["changed_at"], row["id"]))
            return Reply(rows[start : start + (3 if len(rows) < 100 else 1000)])

        def change() -> tuple[str, Key]:
            rows[2] |= {"changed_at": _at(30)}
            return "rows", (3,)

        def tie() -> tuple[str, list[Key]]:
            rows.extend({"id": n, "email": None, "changed_at": _at(2)} for n in (0, 99))
            return "rows", [(0,), (99,)]

        def grow(count: int) -> None:
            rows.extend({"id": n, "email": f"{n} {CANARY}" * 9, "changed_at": _at(2)} for n in range(len(rows), count))

        with serving(answer) as server:
            yield Subject(
                command=COMMAND,
                plugin="broken_taps:TapBroken",
                url=server.url,
                config=lambda url: {"url": url, "flaw": flaw},
                rows={"rows": 11},
                canaries=(CANARY,),
                change=change,
                overlap=4,
                tie=tie,
                grow=grow,
                hurried={"timeout": 0.2},
                wrong={"token": "wrong"},
            )

    return starts({"renews": "its token holds", "removes": "it tells of none"})(generate)


def _at(minute: int) -> str:
    return f"2026-01-01T00:{minute:02d}:00+00:00"


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    with ExitStack() as stack:
        stack.enter_context(patch.object(sys, "path", [str(Path(__file__).parent / "broken"), *sys.path]))
        yield stack.enter_context(Runs(COMMAND))


def failing(flaw: str, cases: list[Case], folder: Path, runs: Runs) -> set[str]:
    found = set()
    for case in cases:
        place = folder / case.name
        place.mkdir()
        start = start_of(flaw)
        if not case.applies_to(start):
            continue
        patience = 2.0 if flaw == "waits for ever" else weather.PATIENCE
        try:
            with patch.object(weather, "PATIENCE", patience), trial(start, place, lambda _: runs) as one:
                case.check(one)
        except AssertionError as fault:
            found.add(case.name if CANARY not in str(fault) else "a row is in the message")
    return found


def test_a_sound_tap_passes_every_case(tmp_path: Path, runs: Runs) -> None:
    assert failing("", CASES, tmp_path, runs) == set()


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_fails_the_case_that_is_about_it(flaw: str, tmp_path: Path, runs: Runs) -> None:
    about = [case for case in CASES if case.name in FLAWS[flaw]]
    assert failing(flaw, about, tmp_path, runs) == FLAWS[flaw]


@pytest.mark.parametrize("flaw", [flaw for flaw in FLAWS if flaw not in EVERYWHERE])
def test_a_flaw_fails_no_case_of_the_simplest(flaw: str, tmp_path: Path, runs: Runs) -> None:
    """What a flaw does not touch goes on passing: a case is about one thing."""
    simple = {"every_row_comes", "no_row_comes_twice", "every_declared_column_comes", "no_key_is_null"}
    cases = [case for case in CASES if case.name in simple - FLAWS[flaw]]
    assert failing(flaw, cases, tmp_path, runs) <= ({"every_row_comes"} if flaw == "has no key" else set())
