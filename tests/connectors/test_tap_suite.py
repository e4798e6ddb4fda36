"""Every tap passes every case that applies to its source; taps and cases are found, never listed."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.testing import SuiteConfig
from singer_sdk.testing.runners import TapTestRunner
from singer_sdk.testing.suites import tap_stream_attribute_tests, tap_stream_tests, tap_tests

from snello.kit.conformance.runs import Runs
from snello.kit.conformance.taps import CASES, Case, Start, cases_of, found, trial

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent for path in ROOT.glob("connectors/tap-*/pyproject.toml"))
STARTS = {start: folder.name for folder in FOLDERS for start in found(folder)}
APPLYING = cases_of(STARTS)
# of a tap that is tried in several ways the first is among the quick tests
FIRST = {name: start for start, name in reversed(STARTS.items()) if not start.real}.values()
LONG = {"memory_stays_flat_however_many_rows_there_are"}


def named(start: Start, *more: Case) -> Any:
    """A parameter under the tap's name; a server of weight has its marker, and so has what takes long."""
    name = "-".join([STARTS[start], start.name, *(case.name for case in more)])
    long = any(case.name in LONG for case in more)
    further = () if start in FIRST and not long else pytest.mark.long
    return pytest.param(start, *more, id=name, marks=pytest.mark.real if start.real else further)


class Kept:
    """One process a command that forks its runs, kept until the last test."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack, self.runs = stack, dict[str, Runs]()

    def of(self, command: str) -> Runs:
        if command not in self.runs:
            self.runs[command] = self.stack.enter_context(Runs(command))
        return self.runs[command]


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    with ExitStack() as stack:
        yield Kept(stack)


def test_there_are_taps_and_cases() -> None:
    assert len(FOLDERS) >= 4
    assert len({case.name for case in CASES}) == len(CASES) >= 20


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_tap_says_how_it_is_tried(folder: Path) -> None:
    assert found(folder), f"{folder.name}/conformance.py is missing: see connectors/tap-woocommerce/conformance.py"


@pytest.mark.parametrize("start", [named(start) for start in STARTS])
def test_what_a_source_lacks_has_a_reason_and_what_it_has_is_given(start: Start) -> None:
    assert all(reason for reason in start.lacks.values())
    with start() as subject:
        assert subject.canaries
        given = {"http": subject.url, "changes": subject.change, "ties": subject.tie, "removes": subject.remove}
        given |= {"authenticates": subject.wrong, "grows": subject.grow}
        assert {name for name, value in given.items() if not value} == given.keys() & start.lacks.keys()


@pytest.mark.parametrize(("start", "case"), [named(start, case) for start, case in APPLYING])
def test_tap(start: Start, case: Case, kept: Kept, tmp_path: Path) -> None:
    with trial(start, tmp_path, kept.of) as one:
        case.check(one)


@pytest.mark.parametrize("start", [named(start) for start in STARTS if "again" not in start.lacks])
def test_the_sdks_own_suite_passes(start: Start, kept: Kept, tmp_path: Path) -> None:
    with trial(start, tmp_path, kept.of) as one:
        module, _, name = one.subject.plugin.partition(":")
        given = SuiteConfig(ignore_no_records_for_streams=["_quarantine"], ignore_no_records=True)
        runner = TapTestRunner(
            getattr(importlib.import_module(module), name),
            config=one.config,
            suite_config=given,
            parse_env_config=False,
        )
        runner.sync_all()
        streams = list(runner.new_tap().streams.values())
        asked = [(test, {}) for test in tap_tests.tests]
        asked += [(test, {"stream": each}) for test in tap_stream_tests.tests for each in streams]
        asked += [
            (test, {"stream": each, "attribute_name": field})
            for test in tap_stream_attribute_tests.tests
            for each in streams
            for field, schema in each.stream_maps[-1].transformed_schema["properties"].items()
            if test.evaluate(stream=each, property_name=field, property_schema=schema)
        ]
        for test, about in asked:
            with suppress(pytest.skip.Exception):  # a stream without records
                test().run(given, None, runner, **about)
