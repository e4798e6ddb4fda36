"""Telephone numbers: the quick path against the library, and what the numbers reach."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from snello.identifiers import normalise_phone, phone, phone_kind

# Shapes near the quick path: prefixes, separators, and a digit too many or too few.
numbers = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "+39", "0039", "39", "+39 ", "+", "00", "+44"]),
        st.sampled_from(["3", "33", "347", "39", "31", "30", "43", "02", "0", ""]),
        st.lists(st.sampled_from([*"0123456789", " ", ".", "-", "/", "(", ")"]), min_size=4, max_size=12).map("".join),
    ),
)


def plain(value: str) -> str | None:
    """The library alone, as the slow path asks it."""
    return phone._full(value, "IT")


@given(value=numbers)
@example(value="+39 3331234567")
@example(value="393912345678")
@example(value="3912345678")
@example(value="0039-333.123.4567")
def test_the_quick_path_answers_as_the_library(value: str) -> None:
    assert normalise_phone(value) == plain(value)


@given(value=numbers, country=st.sampled_from(["IT", "FR", "GB", "US", "DE"]))
def test_a_normal_number_is_one_the_library_holds_possible(value: str, country: str) -> None:
    found = normalise_phone(value, country)
    assert found is None or phonenumbers.is_valid_number(phonenumbers.parse(found, None))


@given(value=numbers, country=st.sampled_from(["IT", "FR", "GB", "US", "DE"]))
def test_a_normal_number_needs_no_country(value: str, country: str) -> None:
    found = normalise_phone(value, country)
    assert found is None or found == normalise_phone(found, "US")


@given(value=numbers)
def test_the_quick_kind_is_the_librarys(value: str) -> None:
    found = normalise_phone(value)
    assert found is None or phone_kind(found) == phone._kind(found)


@pytest.mark.parametrize(
    ("value", "kind"), [("3471902856", "mobile"), ("0276004312", "landline"), ("800123456", "toll_free")]
)
def test_a_pocket_is_told_from_a_house(value: str, kind: str) -> None:
    assert phone_kind(normalise_phone(value)) == kind
