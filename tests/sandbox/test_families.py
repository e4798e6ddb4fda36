from __future__ import annotations

import time

import polars as pl
import pytest

from snello.errors import ConfigError
from snello.identifiers import normalise_email, normalise_phone, tax_code_canonical
from snello.sandbox.families import Families, make_families, people, placeholders, records, slips

PEOPLE = 12_000


@pytest.fixture(scope="module")
def families() -> Families:
    return make_families(PEOPLE, 7)


@pytest.fixture(scope="module")
def spoken(families: Families) -> pl.DataFrame:
    """Every record beside the person it speaks of."""
    both = families.records.join(families.truth, on=["source", "stream", "record_key"])
    return both.join(families.people, on="person_id", suffix="_real")


def share(mask: pl.Series) -> float:
    return float(mask.sum()) / len(mask)


def test_the_same_seed_gives_the_same_set_and_another_gives_another(families: Families) -> None:
    again, other = make_families(PEOPLE, 7), make_families(PEOPLE, 8)
    assert again.records.equals(families.records)
    assert again.truth.equals(families.truth)
    assert not other.records.equals(families.records)


def test_there_are_two_and_a_half_records_a_person_in_four_streams_of_two_sources(families: Families) -> None:
    assert families.records.height == pytest.approx(2.5 * PEOPLE, rel=0.02)
    assert families.truth["person_id"].n_unique() == PEOPLE
    held = families.records.group_by("source", "stream").len().sort("source", "stream")
    for one in records.STREAMS:
        rows = held.filter((pl.col("source") == one.source) & (pl.col("stream") == one.name))["len"].item()
        assert rows / families.records.height == pytest.approx(one.share, abs=0.015)


def test_three_people_in_ten_share_address_telephone_and_surname_with_a_relative(families: Families) -> None:
    alike = ["household_id", "last_name", "home_phone", "street"]
    with_phone = families.people.filter(pl.col("home_phone").is_not_null())
    sharing = with_phone.filter(pl.len().over(alike) > 1)
    assert 0.28 <= sharing.height / PEOPLE <= 0.33


def test_families_hold_namesakes_twins_and_shared_mailboxes(families: Families) -> None:
    everybody = families.people
    namesakes = everybody.filter(pl.len().over("household_id", "first_name", "last_name") > 1)
    twins = everybody.filter(pl.len().over("household_id", "birth_date") > 1)
    assert 0.008 <= namesakes.height / PEOPLE <= 0.04
    assert 0.015 <= twins.height / PEOPLE <= 0.06
    assert (namesakes["birth_date"].n_unique() / namesakes.height) > 0.9
    alike = twins.filter(
        pl.col("first_name").is_in([name for pairs in people.ALIKE.values() for p in pairs for name in p])
    )
    assert alike.height > 20
    assert share(everybody["family_email"].is_not_null()) > 0.15


def test_homonyms_are_born_in_one_year_and_some_on_one_day_under_codes_of_their_own(families: Families) -> None:
    named = pl.struct("first_name", "last_name")
    everybody = families.people.with_columns(year=pl.col("birth_date").dt.year())
    apart = everybody.filter(pl.col("household_id").n_unique().over(named, "year") > 1)
    same_day = apart.filter(pl.len().over(named, "birth_date") > 1)
    assert apart.height / PEOPLE > 0.015
    assert 0 < same_day.height < apart.height / 2
    assert everybody["tax_code"].n_unique() == PEOPLE
    assert all(tax_code_canonical(code) for code in everybody["tax_code"].head(500))


def test_half_of_the_true_pairs_share_neither_tax_code_nor_email(families: Families) -> None:
    known = families.records.join(families.truth, on=["source", "stream", "record_key"]).select(
        "person_id",
        "record_key",
        code=pl.col("tax_code").map_elements(tax_code_canonical, return_dtype=pl.String),
        email=pl.col("email").map_elements(normalise_email, return_dtype=pl.String),
    )
    both = known.join(known, on="person_id", suffix="_other").filter(pl.col("record_key") < pl.col("record_key_other"))
    sharing = both.select(
        (pl.col("code") == pl.col("code_other")).fill_null(False)
        | (pl.col("email") == pl.col("email_other")).fill_null(False)
    ).to_series()
    assert 0.44 <= share(sharing) <= 0.52


def test_forms_hold_a_name_and_a_telephone_or_a_name_and_an_address_and_nothing_else(families: Families) -> None:
    vague = ["source", "stream", "record_key", "placeholder"]
    forms = families.records.join(families.truth.select(vague), on=vague[:3]).filter(
        (pl.col("stream") == "forms") & ~pl.col("placeholder")
    )
    for column in ("birth_date", "sex", "tax_code", "email"):
        assert forms[column].null_count() == forms.height
    assert forms.filter(pl.col("phone").is_not_null() & pl.col("street").is_not_null()).height == 0
    assert 0.4 <= share(forms["street"].is_not_null()) <= 0.6


@pytest.mark.parametrize("field", list(placeholders.SHARES))
def test_every_field_holds_placeholders_in_the_share_that_is_told(field: str, families: Families) -> None:
    column, values = {
        "tax_code": ("tax_code", placeholders.TAX_CODES),
        "email": ("email", placeholders.EMAILS),
        "phone": ("phone", placeholders.PHONES),
        "birth_date": ("birth_date", placeholders.BIRTHS),
        "names": ("last_name", [last for _, last in placeholders.NAMES]),
        "address": ("street", [place[0] for place in placeholders.ADDRESSES]),
    }[field]
    seen = families.records[column]
    if column in ("last_name", "street"):
        seen, values = seen.str.to_uppercase(), [str(value).upper() for value in values]
    assert share(seen.is_in(list(values)).fill_null(False)) == pytest.approx(placeholders.SHARES[field], rel=0.25)


def test_some_placeholders_look_like_a_persons_own(families: Families) -> None:
    assert normalise_email("clienti.bottega@posta.example") in placeholders.EMAILS
    assert normalise_phone("3391112233", "IT")
    assert tax_code_canonical("BNCLRD72T14F205C")


def test_records_are_bent_in_the_shares_that_are_told(spoken: pl.DataFrame) -> None:
    names = share(spoken["name_bent"])
    assert slips.TYPO + slips.SWAPPED < names < slips.TYPO + slips.SWAPPED + slips.INITIAL + slips.NICKNAME
    dated = spoken.filter(pl.col("birth_date").is_not_null())
    assert share(dated["wrong_birth"]) == pytest.approx(slips.WRONG_DIGIT + slips.DAY_MONTH * 0.4, rel=0.3)
    coded = spoken.filter(pl.col("tax_code").is_not_null())
    assert share(coded["wrong_code"]) == pytest.approx(slips.SOMEBODY_ELSE, rel=0.3)
    valid = coded.filter(~pl.col("placeholder"))["tax_code"].map_elements(tax_code_canonical, return_dtype=pl.String)
    assert valid.null_count() / len(valid) == pytest.approx(slips.BAD_CHECK, rel=0.35)
    wives = spoken.filter(pl.col("married_name").is_not_null())
    assert share(wives["married"]) == pytest.approx(slips.MARRIED, rel=0.15)
    assert 0.03 <= share(spoken.filter(pl.col("street").is_not_null())["moved"]) <= 0.12


def test_a_wrong_tax_code_is_a_relatives_where_there_is_one(spoken: pl.DataFrame, families: Families) -> None:
    homes = families.people.select(tax_code_real="tax_code", other_home="household_id")
    wrong = spoken.filter(pl.col("wrong_code") & (pl.len().over("household_id") > 3)).with_columns(
        tax_code_real=pl.col("tax_code").str.to_uppercase()
    )
    found = (
        wrong.drop("tax_code_real")
        .with_columns(tax_code_real=pl.col("tax_code").str.to_uppercase())
        .join(homes, on="tax_code_real")
    )
    assert share(found["other_home"] == found["household_id"]) > 0.6


def test_record_ids_say_nothing_of_the_person(families: Families) -> None:
    assert families.records["record_key"].n_unique() == families.records.height
    assert set(families.records["record_key"].str.len_chars().unique()) == {10}
    together = families.truth.sort("record_key")["person_id"]
    assert share(together == together.shift(1).fill_null(-1)) < 0.002
    loaded = families.truth["person_id"]
    assert share(loaded == loaded.shift(1).fill_null(-1)) < 0.002


def test_the_shapes_hold_every_record_under_its_source(families: Families) -> None:
    shapes = families.shapes()
    assert set(shapes) == {"counter", "web"}
    assert sum(tables["person_observed"].num_rows for tables in shapes.values()) == families.records.height


def test_the_work_grows_with_the_people_and_not_faster() -> None:
    def busy(size: int) -> float:
        started = time.process_time()
        make_families(size, 3)
        return time.process_time() - started

    busy(1_000)
    assert busy(40_000) < 12 * busy(8_000)


def test_sizes_out_of_reach_are_refused() -> None:
    with pytest.raises(ConfigError, match="ask for 100 to"):
        make_families(10)
