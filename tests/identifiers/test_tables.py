"""The shipped tables are what their sources say, and fit one another."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from snello.identifiers import fold_name, null_like, postcode_city, postcode_has_city, postcode_province, tables

BUILD = runpy.run_path(str(Path(__file__).with_name("build_tables.py")))


def lines(text: str) -> list[str]:
    """Without the first line, which names the versions."""
    return text.splitlines()[1:]


@pytest.mark.parametrize("name", sorted(BUILD["TABLES"]))
def test_a_table_is_what_its_source_says(name: str) -> None:
    shipped = (BUILD["DATA"] / f"{name}.csv").read_text(encoding="utf-8")
    assert lines(shipped) == lines(BUILD["TABLES"][name]())


def test_every_table_says_where_it_comes_from() -> None:
    firsts = {path.name: path.read_text(encoding="utf-8").splitlines()[0] for path in BUILD["DATA"].glob("*.csv")}
    assert len(firsts) == 7
    assert all(first.startswith("# ") for first in firsts.values())


def test_every_province_of_a_postcode_has_a_region() -> None:
    found = {place["province"] for places in tables.postcodes().values() for place in places}
    assert found <= set(tables.provinces())
    assert len({row["region"] for row in tables.provinces().values()}) == 20


def test_nearly_every_postcode_names_one_province_and_most_one_town() -> None:
    every = list(tables.postcodes())
    assert sum(postcode_province(postcode) is None for postcode in every) < 10
    assert sum(postcode_city(postcode) is not None for postcode in every) > 0.75 * len(every)


def test_the_town_of_a_postcode_is_one_of_its_places() -> None:
    assert all(postcode_has_city(postcode, postcode_city(postcode)) is not False for postcode in tables.postcodes())


def test_words_are_listed_as_they_are_compared() -> None:
    assert all(null_like(word) is None for word in tables.words("nothing"))
    assert all(word == word.lower() for row in tables.rows("words") for word in [row["word"]])


def test_names_are_listed_as_they_are_compared() -> None:
    names = tables.given_names() | set(tables.nicknames())
    assert {name for name in names if fold_name(name) != name.replace("'", "").replace("-", " ")} == set()
