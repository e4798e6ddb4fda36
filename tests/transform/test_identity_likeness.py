"""What SQL says in its own words, because there are many pairs, is what the functions say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snello.identifiers import birth_dates_agree, fold_name, names_agree

MACROS = Path(__file__).parents[2] / "transform" / "macros"
TODAY = date.today()
WRONG_DIGIT = ("1980-01-12", "1980-11-02", "1980-10-21", "1990-01-12", "1880-01-12", "1980-12-01", "1970-01-01")
days = (
    st.dates(date(1890, 1, 1), TODAY + timedelta(days=400))
    | st.dates(date(1979, 12, 1), date(1980, 12, 31))
    | st.sampled_from([date.fromisoformat(day) for day in WRONG_DIGIT])
    | st.sampled_from([date(1900, 1, 1), date(1899, 12, 31), date(1911, 11, 11), TODAY, TODAY + timedelta(days=1)])
)


def macros(name: str) -> Any:
    text = (MACROS / f"{name}.sql").read_text(encoding="utf-8")
    return jinja2.Environment(extensions=["jinja2.ext.do"]).from_string(text).module


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("set TimeZone = 'UTC'")
        yield opened


@given(pairs=st.lists(st.tuples(st.none() | days, st.none() | days), min_size=1, max_size=60))
@settings(max_examples=60)
def test_birthdays_agree_in_sql_as_in_python(
    connection: duckdb.DuckDBPyConnection, pairs: list[tuple[date | None, date | None]]
) -> None:
    said = macros("likeness").duckdb__birthdays_agree("l", "r")
    rows = ", ".join(f"({literal(left)}, {literal(right)})" for left, right in pairs)
    found = connection.execute(f"select {said} from (values {rows}) as pairs (l, r)").fetchall()
    told = [birth_dates_agree(left and left.isoformat(), right and right.isoformat()) for left, right in pairs]
    assert [answer for (answer,) in found] == told


def literal(day: date | None) -> str:
    return f"date '{day}'" if day else "null::date"


@given(first=st.text("abcdeinor d'-", max_size=12), last=st.text(max_size=8), other=st.text(max_size=8))
def test_one_given_name_agrees_whatever_the_family(first: str, last: str, other: str) -> None:
    key = fold_name(first)
    if key is not None:
        assert names_agree(f"{key}|{fold_name(last) or ''}", f"{key}|{fold_name(other) or ''}")


def test_texts_that_differ_in_their_eighth_and_sixteenth_letter_have_different_prints(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    texts = [f"1234567{one}1234567{other}" for one in letters for other in letters]
    rows = ", ".join(f"('{text}')" for text in texts)
    said = macros("kept").duckdb__print_of(["value"])
    found = connection.execute(
        f"select count(distinct {said}), count(distinct hash(value)) from (values {rows}) t (value)"
    )
    prints, hashes = found.fetchall()[0]
    assert prints == len(texts)
    assert hashes < len(texts)
