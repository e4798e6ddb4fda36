from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snello.sandbox.draw import DAY_US, Draw, days, daytime, instants, spread
from snello.sandbox.texts import apostrophised, blank, choose, mapped, patch, plain

from .conftest import AS_OF

LAW = settings(max_examples=60, deadline=None)
MOMENTS = st.lists(st.integers(0, 40_000 * DAY_US), min_size=1, max_size=40)
TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=5)), max_size=30)


def draw(topic: str = "a", seed: int = 1) -> Draw:
    return Draw(seed, topic, AS_OF)


def test_a_topic_draws_the_same_whatever_other_topics_draw() -> None:
    other = draw("b")
    other.ints(0, 10**9, 1000)
    first, again = draw("a").ints(0, 10**9, 50), draw("a").ints(0, 10**9, 50)
    assert (first == again).all()
    assert (first != draw("b").ints(0, 10**9, 50)).any()
    assert (first != draw("a", seed=2).ints(0, 10**9, 50)).any()


def test_what_is_drawn_apart_leaves_the_topic_as_it_was() -> None:
    plain, parted = draw(), draw()
    aside = parted.apart("b").ints(0, 10**9, 50)
    assert (plain.ints(0, 10**9, 50) == parted.ints(0, 10**9, 50)).all()
    assert (aside == draw().apart("b").ints(0, 10**9, 50)).all()
    assert (aside != draw().apart("c").ints(0, 10**9, 50)).any()


@LAW
@given(MOMENTS)
def test_pressing_moments_into_the_day_keeps_their_order_and_their_day(moments: list[int]) -> None:
    before = np.sort(np.array(moments, np.int64))
    after = daytime(before)
    assert (np.diff(after) >= 0).all()
    assert (days(after) == days(before)).all()
    assert instants(before).dt.hour().is_between(6, 19).all()


@LAW
@given(MOMENTS, st.floats(0.1, 5))
def test_a_moment_between_two_bounds_lies_between_them(moments: list[int], lean: float) -> None:
    first = np.array(moments, np.int64)
    last = first + 5 * DAY_US
    drawn = draw().within(first, last, lean)
    assert ((first <= drawn) & (drawn <= last)).all()


@LAW
@given(st.lists(st.integers(0, 4), max_size=20))
def test_spread_names_each_subject_as_often_as_it_has_events(counts: list[int]) -> None:
    assert np.bincount(spread(np.array(counts, np.int64)), minlength=len(counts)).tolist() == counts


def test_weights_decide_how_often_a_value_is_drawn_and_zero_is_never() -> None:
    drawn = draw().pick(["a", "b", "c"], 10_000, (0.7, 0.0, 0.3))
    assert set(drawn) == {"a", "c"}
    assert (drawn == "a").mean() == pytest.approx(0.7, abs=0.03)


@LAW
@given(TEXTS, st.data())
def test_patching_changes_the_chosen_rows_alone(texts: list[str | None], data: st.DataObject) -> None:
    series = pl.Series("t", texts, dtype=pl.String)
    where = np.array(data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts))), dtype=bool)
    values = pl.Series([f"new {n}" for n in range(int(where.sum()))], dtype=pl.String)
    fresh = iter(values)
    expected = [next(fresh) if chosen else text for text, chosen in zip(texts, where, strict=True)]
    assert patch(series, where, values).to_list() == expected
    assert blank(series, where).to_list() == [None if c else t for t, c in zip(texts, where, strict=True)]
    assert choose(where, series, series.fill_null("")).to_list() == [
        t if c else (t or "") for t, c in zip(texts, where, strict=True)
    ]


@LAW
@given(TEXTS)
def test_mapping_by_distinct_values_equals_mapping_each(texts: list[str | None]) -> None:
    series = pl.Series(texts, dtype=pl.String)
    assert mapped(series, str.upper).to_list() == [text if text is None else text.upper() for text in texts]


def test_accents_become_apostrophes_or_disappear() -> None:
    assert apostrophised("Niccolò Cantù") == "Niccolo' Cantu'"
    assert plain("D'Angelo Niccolò") == "dangeloniccolo"
