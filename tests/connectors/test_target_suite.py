"""Every target passes every case that applies to its channel; targets and cases are found, never listed."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from snello.kit.channel import ActivationTarget
from snello.kit.conformance.targets import CASES, Case, Runs, Start, cases_of, found, trial

ROOT = Path(__file__).parents[2]


def targets_in(folder: Path) -> list[type[Any]]:
    module = importlib.import_module(folder.name.replace("-", "_"))
    named = [each for each in vars(module).values() if isinstance(each, type)]
    return [each for each in named if issubclass(each, ActivationTarget) and each is not ActivationTarget]


FOLDERS = sorted(path.parent for path in ROOT.glob("connectors/target-*/pyproject.toml"))
ACTIVATING = [folder for folder in FOLDERS if targets_in(folder)]
STARTS = {start: folder.name for folder in ACTIVATING for start in found(folder)}
APPLYING = cases_of(STARTS)
# of a target that is tried in several ways the first is among the quick tests
FIRST = {name: start for start, name in reversed(STARTS.items())}.values()


def named(start: Start, case: Case) -> Any:
    """A parameter under the target's name; a further way has its marker."""
    name = f"{STARTS[start]}-{start.name}-{case.name}"
    return pytest.param(start, case, id=name, marks=() if start in FIRST else pytest.mark.long)


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


def test_there_are_targets_and_cases() -> None:
    assert len(ACTIVATING) >= 2
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("folder", ACTIVATING, ids=lambda folder: folder.name)
def test_a_target_says_how_it_is_tried(folder: Path) -> None:
    assert found(folder), f"{folder.name}/conformance.py is missing: see docs/guides/write-a-target.md"


@pytest.mark.parametrize("start", STARTS, ids=lambda start: f"{STARTS[start]}-{start.name}")
def test_what_a_channel_lacks_has_a_reason_and_what_it_has_is_given(start: Start) -> None:
    assert all(reason for reason in start.lacks.values())
    with start() as subject:
        assert bool(subject.bad) == ("refuses" not in start.lacks)
        assert bool(subject.seed and subject.foreign) == ("foreign" not in start.lacks)
        assert bool(subject.lose) == ("lost" not in start.lacks)
        assert list(subject.held()) == []


@pytest.mark.parametrize(("start", "case"), [named(start, case) for start, case in APPLYING])
def test_target(start: Start, case: Case, kept: Kept, tmp_path: Path) -> None:
    with trial(start, tmp_path, kept.of) as one:
        case.check(one)
