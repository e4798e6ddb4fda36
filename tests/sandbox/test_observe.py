from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from codicefiscale import codicefiscale
from email_validator import validate_email

from snello.sandbox.atlas import atlas
from snello.sandbox.draw import Draw
from snello.sandbox.emulators.brevo_rules import valid_email
from snello.sandbox.observe import ADDRESS, PLACEHOLDER_EMAILS, PLACEHOLDER_PHONES, Habits, observe
from snello.sandbox.people import People

from .conftest import AS_OF

FAITHFUL = dict.fromkeys(Habits.__dataclass_fields__, 0.0)


def seen(people: People, **habits: float) -> pl.DataFrame:
    who = np.arange(len(people))
    at = np.full(len(people), int(AS_OF.timestamp()) * 1_000_000)
    return observe(people, who, at, Habits(**(FAITHFUL | habits)), Draw(5, "test", AS_OF))


def test_a_faithful_source_writes_people_down_as_they_are(people: People) -> None:
    frame, real = seen(people), people.frame
    assert (frame["birth_date"] == real["birth_date"]).all()
    assert (frame["tax_code"].str.to_uppercase() == real["tax_code"]).all()
    assert (frame["email"].str.to_lowercase() == real["email"]).drop_nulls().all()
    assert (frame["postcode"] == real["postcode"]).all()
    digits = frame["mobile"].str.replace_all(r"\D", "").str.slice(-10)
    assert (digits == real["mobile"]).drop_nulls().all()


@pytest.mark.parametrize(
    ("habit", "column"),
    [
        ("no_tax_code", "tax_code"),
        ("no_email", "email"),
        ("no_phone", "mobile"),
        ("no_birth", "birth_date"),
        ("no_sex", "sex"),
    ],
)
def test_a_source_forgets_as_often_as_its_habits_say(people: People, habit: str, column: str) -> None:
    before = seen(people)[column].null_count()
    lost = (seen(people, **{habit: 0.4})[column].null_count() - before) / (len(people) - before)
    assert 0.35 < lost < 0.45


def test_swapped_names_stand_in_each_others_place(people: People) -> None:
    straight, crossed = seen(people), seen(people, swapped=1.0)
    assert crossed["first_name"].to_list() == straight["last_name"].to_list()
    assert crossed["last_name"].to_list() == straight["first_name"].to_list()


def test_a_typing_slip_changes_one_name_by_one_or_two_letters(people: People) -> None:
    straight, slipped = seen(people)["last_name"], seen(people, typo=1.0)["last_name"]
    assert (straight != slipped).mean() > 0.8  # type: ignore[operator]
    lengths = (straight.str.len_chars().cast(pl.Int32) - slipped.str.len_chars().cast(pl.Int32)).abs()
    assert lengths.max() == 1
    assert (straight.str.slice(0, 1) == slipped.str.slice(0, 1)).all()


def test_a_family_address_is_written_only_for_those_who_share_one(people: People) -> None:
    frame, real = seen(people, family_email=1.0), people.frame
    shared = real["family_email"].is_not_null()
    assert (frame["email"].str.to_lowercase() == real["family_email"]).filter(shared).all()
    assert (frame["email"].str.to_lowercase() == real["email"]).filter(~shared).drop_nulls().all()


def test_an_address_from_before_the_move_is_whole(people: People) -> None:
    frame, real = seen(people, stale_address=1.0), people.frame
    moved = real["moved_on"].is_not_null()
    assert moved.sum() > 100
    for column in ("postcode", "city", "province"):
        assert (frame[column] == real[f"old_{column}"]).filter(moved).all()
        assert (frame[column] == real[column]).filter(~moved).all()


def test_who_moved_after_the_record_was_written_stands_there_with_the_old_address(people: People) -> None:
    who = np.arange(len(people))
    frame = observe(people, who, np.zeros(len(people), np.int64), Habits(**FAITHFUL), Draw(5, "test", AS_OF))
    moved = people.frame["moved_on"].is_not_null()
    assert (frame["postcode"] == people.frame["old_postcode"]).filter(moved).all()


def test_a_wrong_check_character_makes_a_code_invalid_and_a_homocody_does_not(people: People) -> None:
    for code in seen(people, wrong_check=1.0)["tax_code"].head(200):
        assert not codicefiscale.is_valid(code)
    real = people.frame["tax_code"]
    for code, own in zip(seen(people, homocody=1.0)["tax_code"].head(200), real, strict=False):
        assert codicefiscale.is_valid(code)
        assert code.upper() != own


def test_placeholders_are_the_known_ones(people: People) -> None:
    frame = seen(people, placeholder=1.0)
    assert set(frame["email"]) == set(PLACEHOLDER_EMAILS)
    assert set(frame["mobile"]) == set(PLACEHOLDER_PHONES)


def test_broken_addresses_are_taken_by_no_mail_server(people: People) -> None:
    broken = seen(people, bad_email=1.0)["email"].drop_nulls()
    assert not broken.str.contains(r"^[^@\s]+@[^@\s,]+\.example$").any()


def test_a_wrong_postcode_is_one_of_another_town(people: People) -> None:
    known = atlas().towns.select("postcode", "city", "province")
    places = seen(people, wrong_postcode=1.0).select(ADDRESS)
    assert places.join(known, on=["postcode"], how="anti").height == 0
    assert places.join(known, on=["postcode", "city", "province"], how="anti").height > 0.9 * len(people)


def test_odd_addresses_are_right_by_the_standard_and_refused_by_brevo(people: People) -> None:
    odd = seen(people, odd_email=1.0)["email"].drop_nulls().head(100)
    assert odd.str.contains("#@", literal=True).all()
    for email in odd:
        assert validate_email(email, check_deliverability=False)
        assert not valid_email(email)


def test_an_absent_address_is_absent_in_all_its_parts(people: People) -> None:
    assert seen(people, no_address=1.0).select(ADDRESS).null_count().row(0) == (len(people),) * 4
