"""Each function answers as its golden file says: arguments, then the answer, ``\\N`` for nothing."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from snello import identifiers

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.csv"))


def rows(path: Path) -> Iterator[tuple[list[str | None], str | None]]:
    with path.open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        next(lines)
        for line in lines:
            *arguments, expected = (None if cell == "\\N" else cell for cell in line)
            yield arguments, expected


def as_text(answer: object) -> str | None:
    return str(answer).lower() if isinstance(answer, bool) else None if answer is None else str(answer)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_function_answers_as_its_golden_file_says(path: Path) -> None:
    function = getattr(identifiers, path.stem)
    wrong = {
        tuple(arguments): (answer, expected)
        for arguments, expected in rows(path)
        if (answer := as_text(function(*arguments))) != expected
    }
    assert wrong == {}


def test_every_function_has_a_golden_file() -> None:
    # split_name answers a pair: its halves have files of their own.
    assert {path.stem for path in GOLDEN} == set(identifiers.__all__) - {"split_name"}


def test_the_public_functions_are_sorted() -> None:
    assert list(identifiers.__all__) == sorted(identifiers.__all__)
