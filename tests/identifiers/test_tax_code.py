"""The tax code against an independent implementation, python-codicefiscale."""

from __future__ import annotations

import random
from datetime import date

import pytest
from codicefiscale import codicefiscale as oracle
from hypothesis import assume, given
from hypothesis import strategies as st

from snello.identifiers import (
    normalise_name,
    normalise_tax_code,
    tax_code_birth_date,
    tax_code_birthplace,
    tax_code_canonical,
    tax_code_disagrees,
    tax_code_fault,
    tax_code_letters,
    tax_code_sex,
)
from snello.identifiers.tax_code import decode

PLACES = ("H501", "F205", "L219", "F839", "A562", "Z404", "Z112", "A001", "D612", "G273")
LAST_YEAR = date(date.today().year - 1, 12, 31)
born = st.dates(date(1930, 1, 1), LAST_YEAR)


@st.composite
def codes(draw: st.DrawFn) -> str:
    """A code of a person, as the oracle makes it."""
    letters = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=8)
    born = draw(st.dates(date(1930, 1, 1), LAST_YEAR)).isoformat()
    return str(
        oracle.encode(draw(letters), draw(letters), draw(st.sampled_from("MF")), born, draw(st.sampled_from(PLACES)))
    )


@given(code=codes())
def test_a_code_of_the_oracle_is_decoded_alike(code: str) -> None:
    known = oracle.decode(code)
    assert normalise_tax_code(code) == code
    assert tax_code_canonical(code) == code
    assert tax_code_birth_date(code) == known["birthdate"].date().isoformat()
    assert tax_code_sex(code) == known["gender"]
    assert tax_code_birthplace(code) == known["birthplace"]["name"]


@given(
    first=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ' ", min_size=1, max_size=12),
    last=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ' ", min_size=1, max_size=12),
)
def test_the_letters_of_a_name_are_those_of_the_oracle(first: str, last: str) -> None:
    letters = tax_code_letters(f"Q{first}", f"Q{last}")  # a title or a way of writing nothing never begins with Q
    assume(letters is not None)
    given = "".join(c for c in f"Q{first}" if c.isalpha())
    family = "".join(c for c in f"Q{last}" if c.isalpha())
    assert letters == oracle.encode_lastname(family) + oracle.encode_firstname(given)


@given(first=st.text("BCDFGAEIO", min_size=3, max_size=9), last=st.text("BCDFGAEIO", min_size=3, max_size=9), born=born)
def test_a_code_never_contradicts_the_person_it_was_made_for(first: str, last: str, born: date) -> None:
    assume(normalise_name(first) and normalise_name(last))  # AAA was typed to get past a form
    code = oracle.encode(last, first, "F", born.isoformat(), "H501")
    assert tax_code_disagrees(code, first, last, born.isoformat(), "F") is None
    assert tax_code_disagrees(code, last, first, born.isoformat(), "F") is None
    assert "sex" in (tax_code_disagrees(code, first, last, born.isoformat(), "M") or "")


@given(code=codes(), place=st.integers(0, 15), letter=st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
def test_a_code_is_valid_or_has_a_fault_and_never_both(code: str, place: int, letter: str) -> None:
    mistyped = code[:place] + letter + code[place + 1 :]
    assert (normalise_tax_code(mistyped) is None) == (tax_code_fault(mistyped) is not None)


@given(code=codes(), turn=st.integers(0, 127))
def test_all_homocody_variants_have_one_canonical_code(code: str, turn: int) -> None:
    variant = oracle.decode(code)["omocodes"][turn]
    assert normalise_tax_code(variant) == variant
    assert tax_code_canonical(variant) == code
    assert tax_code_birth_date(variant) == tax_code_birth_date(code)


@given(code=codes(), place=st.integers(0, 15), letter=st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
def test_a_mistyped_code_is_judged_as_the_oracle_judges_it(code: str, place: int, letter: str) -> None:
    mistyped = code[:place] + letter + code[place + 1 :]
    assume(
        oracle.decode_raw(code)["birthdate_year"] == mistyped[6:8]
    )  # the century of a year to come is ours to choose
    assert (normalise_tax_code(mistyped) is not None) == oracle.is_valid(mistyped)


@given(code=codes(), place=st.integers(0, 14))
def test_two_neighbours_exchanged_are_noticed_unless_the_check_letter_agrees(code: str, place: int) -> None:
    exchanged = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert (normalise_tax_code(exchanged) is not None) == oracle.is_valid(exchanged)


@pytest.mark.parametrize("code", ["RSSMRA85T10A562S", "BNCNNA80A41H501R"])
def test_a_code_is_found_through_spaces_and_small_letters(code: str) -> None:
    spaced = f"  {code[:6].lower()} {code[6:11]}-{code[11:]} "
    assert normalise_tax_code(spaced) == code


def test_a_birth_in_the_future_is_a_century_ago() -> None:
    year = (date.today().year + 1) % 100
    code = oracle.encode("Rossi", "Mario", "M", f"19{year:02d}-06-01", "H501")
    assert tax_code_birth_date(code) == f"19{year:02d}-06-01"


@pytest.mark.parametrize(
    ("today", "born"), [("2026-05-31", "1926-06-01"), ("2026-06-01", "2026-06-01"), ("2069-01-01", "2026-06-01")]
)
def test_what_is_in_the_future_is_told_by_the_day_that_is_given(
    today: str, born: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = oracle.encode("Rossi", "Mario", "M", "1926-06-01", "H501")
    monkeypatch.setenv("SNELLO_TODAY", today)
    assert tax_code_birth_date(code) == born


def test_a_code_says_the_same_two_births_on_every_day(monkeypatch: pytest.MonkeyPatch) -> None:
    said = set()
    for today in ("1999-12-31", "2026-06-01", "2068-01-01"):
        monkeypatch.setenv("SNELLO_TODAY", today)
        said.add(tuple(decode(oracle.encode("Rossi", "Mario", "M", f"19{n}-02-28", "H501")) for n in range(10, 100)))
    assert len(said) == 1


def test_a_stated_birth_of_either_century_contradicts_no_code() -> None:
    code = oracle.encode("Rossi", "Mario", "M", "1920-06-01", "H501")
    assert tax_code_birth_date(code) == "2020-06-01"
    assert tax_code_disagrees(code, "Mario", "Rossi", "1920-06-01", "M") is None
    assert tax_code_disagrees(code, "Mario", "Rossi", "2020-06-01", "M") is None


def test_random_letters_are_no_code() -> None:
    rng = random.Random(7)
    words = ("".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=16)) for _ in range(2_000))
    assert [word for word in words if (normalise_tax_code(word) is not None) != oracle.is_valid(word)] == []
