"""Columns at once send what each rule sends of each value alone, however many people, and whatever their values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snello.identifiers.platforms import GOOGLE, META, PLATFORMS, Platform, Prepared, part, platform
from snello.identifiers.platforms.columns import COLUMNS, Plain
from snello.identifiers.platforms.places import iso_country
from snello.identifiers.platforms.rule import Rule, sha256, text_of

NAMES = sorted({rule.column for each in PLATFORMS.values() for rule in each.rules})
HASH = sha256("mario.rossi@example.com")
DIGITS = "3331234567" * 6 + "3331"  # of a hash's length, and a number to who reads its signs
addresses = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", " ", "\t", "Rossi <"]),
    st.text("abAB.+_-9\u212a", min_size=1, max_size=6),
    st.sampled_from(["@gmail.com", "@GoogleMail.com", "@notgmail.com", "@x.it", "@@x.it", "@\u00e8.it", "@gmail.com>"]),
    st.sampled_from(["", " ", "\n", ">"]),
)
phones = st.builds(
    "{}{}".format,
    st.sampled_from(["+39", "0039", "+", "+0", "+1", "+44 ", "", "\uff0b39"]),
    st.text("0123456789 -/\u0663", min_size=4, max_size=15),
)
odd = st.sampled_from(
    ["", " ", "n/a", "\ud800@x.it", HASH, HASH.upper(), DIGITS, sha256(""), "x" * 64, "IT", "us", "UK"]
)
texts = st.text(max_size=12) | addresses | phones | odd | st.dates().map(str) | st.sampled_from(["Di Maria", "00184"])
typed = st.none() | st.integers(0, 200) | st.sampled_from([184, 184.0, True, date(1980, 2, 3), datetime(1980, 2, 3, 4)])
values = texts | typed | st.lists(texts | typed, max_size=3) | st.tuples(texts)
people = st.lists(st.dictionaries(st.sampled_from(NAMES), values), max_size=9)


def alone(each: Platform, rows: list[dict[str, Any]]) -> Prepared:
    """The rules as they are written: field by field, value by value."""
    prepared = Prepared([], Counter())
    for place, row in enumerate(rows):
        prepared.rows.append({})
        country = iso_country(text_of(row.get("country"))) or ""
        for rule in each.rules:
            given = row.get(rule.column)
            several = given if isinstance(given, list | tuple) else [given]
            read = [rule.sent(one, country if rule.by_country else "") for one in several]
            found = list(dict.fromkeys(one for one in read if one is not None))
            if found:
                prepared.rows[-1][rule.field] = found[0]
            if found[1:]:
                prepared.further.setdefault(place, {})[rule.field] = tuple(found[1:])
            if lost := sum(sent is None and text_of(one) != "" for one, sent in zip(several, read, strict=True)):
                prepared.dropped[rule.field] += lost
    return prepared


@pytest.mark.parametrize("each", PLATFORMS.values(), ids=PLATFORMS)
@settings(max_examples=60)
@given(rows=people)
def test_people_come_out_as_the_rules_say_of_each_value(each: Platform, rows: list[dict[str, Any]]) -> None:
    prepared = each.prepare(rows)
    assert prepared == alone(each, rows)
    assert [list(row) for row in prepared.rows] == [list(row) for row in alone(each, rows).rows]


@pytest.mark.parametrize("each", [META, GOOGLE], ids=["meta", "google"])
@settings(max_examples=60)
@given(rows=people)
def test_people_in_many_slices_come_out_as_in_one(each: Platform, rows: list[dict[str, Any]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platform, "_AT_ONCE", 2)
        assert each.prepare(rows) == alone(each, rows)


@settings(max_examples=60)
@given(rows=people)
def test_what_was_forgotten_is_read_again(rows: list[dict[str, Any]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(part, "_KEPT", 1)
        assert META.prepare(rows) == alone(META, rows)


@pytest.mark.parametrize(("read", "plain"), COLUMNS.items(), ids=lambda each: each.__name__)
@given(column=st.lists(texts, max_size=6), country=st.sampled_from(["", "IT", "US", "FR"]))
def test_a_plain_value_is_read_as_the_function_reads_it(
    read: Callable[[str, str], str | None], plain: Plain, column: list[str], country: str
) -> None:
    for value, found in zip(column, plain(column), strict=True):
        assert found is None or (found == read(value.strip(), country) and found.isascii())


@pytest.mark.parametrize("plain", COLUMNS.values(), ids=lambda each: each.__name__)
def test_what_is_not_ascii_is_never_plain(plain: Plain) -> None:
    assert plain(["+39333123456\u0663", "\uff0b393331234567", "m\u00e0rio@x.it", "mario@\u00e8.it"]) == [None] * 4


@pytest.mark.parametrize("plain", COLUMNS.values(), ids=lambda each: each.__name__)
def test_what_could_be_a_hash_is_never_plain(plain: Plain) -> None:
    assert plain([HASH, HASH.upper(), DIGITS, ""]) == [None] * 4


def test_values_in_order_are_plain() -> None:
    for read, plain in COLUMNS.items():
        value = "+393331234567" if read.__name__ in ("e164", "digits") else "Mario.Rossi+shop@Gmail.com"
        assert plain([value]) == [read(value, "")], read


@given(
    rows=st.lists(
        st.fixed_dictionaries({"a": values, "country": st.sampled_from(["IT", "us", None, ["IT"]])}), max_size=9
    )
)
def test_a_rule_is_told_the_country_only_where_it_asks(rows: list[dict[str, Any]]) -> None:
    rules = (
        Rule("a", "PLAIN", _with_country, clear=True),
        Rule("a", "PLACED", _with_country, by_country=True),
        Rule("a", "AGAIN", _with_country, by_country=True),
        Rule("a", "ALONE", _with_country, clear=True, by_country=True, shared=False),
    )
    made = Platform("made", rules)
    assert made.prepare(rows) == alone(made, rows)


def _with_country(value: str, country: str) -> str | None:
    return f"{value} {country}" if len(value) > 1 else None


def test_numbers_that_compare_equal_are_read_each_as_it_is_written() -> None:
    def sent(rows: list[Mapping[str, Any]]) -> list[str | None]:
        return [row.get("ZIP") for row in META.prepare(rows).rows]

    whole: list[Mapping[str, Any]] = [{"postcode": 184}] * 3
    broken: list[Mapping[str, Any]] = [{"postcode": 184.0}] * 3
    assert sent(whole) == sent([{"postcode": "184"}]) * 3
    assert sent(broken) == sent([{"postcode": "184.0"}]) * 3
    assert sent([*whole, *broken]) == sent(whole) + sent(broken)
