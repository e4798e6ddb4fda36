from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from codicefiscale import codicefiscale
from hypothesis import given, settings
from hypothesis import strategies as st

from snello.sandbox.atlas import atlas
from snello.sandbox.people import People
from snello.sandbox.taxcode import homocoded, name_code, tax_codes

LAW = settings(max_examples=60, deadline=None)
LETTERS = st.text("abcdefghijklmnopqrstuvwxyzàèéìòù' ", min_size=2).filter(lambda name: name.strip(" '"))
BIRTHS = st.dates(date(1935, 1, 1), date(2012, 12, 31))


def one(last: str, first: str, birth: date, sex: str, place: str) -> str:
    columns = (pl.Series([value]) for value in (last, first, birth, sex, place))
    return str(tax_codes(*columns)[0])


@LAW
@given(LETTERS)
def test_codes_of_names_equal_those_of_the_reference_library(name: str) -> None:
    assert name_code(name, given=False) == codicefiscale.encode_lastname(name)
    assert name_code(name, given=True) == codicefiscale.encode_firstname(name)


@LAW
@given(LETTERS, LETTERS, BIRTHS, st.sampled_from("MF"), st.sampled_from(atlas().towns["belfiore"].to_list()))
def test_codes_of_people_equal_those_of_the_reference_library(
    last: str, first: str, birth: date, sex: str, place: str
) -> None:
    assert one(last, first, birth, sex, place) == codicefiscale.encode(last, first, sex, birth.isoformat(), place)


def test_people_who_would_share_a_code_get_homocody_variants_that_decode_to_the_same() -> None:
    size = 4
    same = [pl.Series([value] * size) for value in ("Rossi", "Mario", date(1980, 1, 31), "M", "H501")]
    codes = tax_codes(*same).to_list()
    assert len(set(codes)) == size
    assert codes[0] == codicefiscale.encode("Rossi", "Mario", "M", "1980-01-31", "H501")
    assert all(codicefiscale.is_valid(code) for code in codes)
    assert all(codicefiscale.is_omocode(code) for code in codes[1:])
    assert all(codes[0] in codicefiscale.decode(code)["omocodes"] for code in codes)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_homocody_variant_of_a_valid_code_is_valid_and_another_text(place: int) -> None:
    codes = pl.Series(["RSSMRA80A01H501U", "BNCLRA92M58F205V"])
    variants = homocoded(codes, np.full(2, place)).to_list()
    for code, variant in zip(codes, variants, strict=True):
        assert variant != code
        assert codicefiscale.is_valid(variant)
        assert code in codicefiscale.decode(variant)["omocodes"]


def test_every_person_of_the_company_has_a_valid_code_of_their_own_that_tells_birth_and_sex(people: People) -> None:
    frame = people.frame
    assert frame["tax_code"].n_unique() == frame.height
    for row in frame.head(400).iter_rows(named=True):
        told = codicefiscale.decode(row["tax_code"])
        assert told["gender"] == row["sex"]
        assert told["birthdate"].date() == row["birth_date"]
        assert told["birthplace"]["code"] == row["birthplace"]
