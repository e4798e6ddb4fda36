from __future__ import annotations

import phonenumbers
import polars as pl
from email_validator import validate_email

from snello.sandbox.atlas import atlas
from snello.sandbox.people import ATTITUDES, PROFILES, People, make_people

from .conftest import AS_OF, PEOPLE, SEED


def test_there_are_as_many_people_as_asked_for_and_they_live_in_households(people: People) -> None:
    frame = people.frame
    assert frame.height == PEOPLE
    sizes = frame.group_by("household_id").len()["len"]
    assert sizes.min() == 1
    assert sizes.max() == 5
    assert frame.group_by("household_id").agg((pl.col("role") == "head").sum())["role"].to_list() == [1] * len(sizes)


def test_a_household_shares_its_address_landline_and_family_address(people: People) -> None:
    shared = ["street", "postcode", "city", "province", "landline", "family_email"]
    spread = people.frame.group_by("household_id").agg(pl.col(shared).n_unique())
    assert spread.select(pl.max_horizontal(pl.col(shared).max())).item() == 1


def test_children_bear_the_surname_of_a_parent_and_are_younger(people: People) -> None:
    frame = people.frame
    family = frame.filter(pl.col("role") == "child").join(
        frame.filter(pl.col("role") != "child"), on="household_id", suffix="_parent"
    )
    heirs = family.group_by("person_id").agg((pl.col("last_name") == pl.col("last_name_parent")).any().alias("heir"))
    assert heirs["heir"].all()
    head = family.filter(pl.col("role_parent") == "head")
    assert (head["birth_date"] > head["birth_date_parent"]).mean() > 0.95


def test_there_are_twins_namesakes_homonyms_married_and_moved_people() -> None:
    frame = make_people(20_000, SEED, AS_OF).frame
    children = frame.filter(pl.col("role") == "child")
    twins = children.group_by("household_id", "birth_date", "birthplace").len().filter(pl.col("len") > 1)
    assert twins.height > 20
    sons = children.join(frame.filter(pl.col("role") == "head"), on=["household_id", "first_name", "last_name"])
    assert sons.height > 20
    assert frame.group_by("first_name", "last_name", "birth_date").len().filter(pl.col("len") > 1).height > 3
    homonyms = frame.group_by("first_name", "last_name").agg(pl.col("household_id").n_unique())
    assert homonyms.filter(pl.col("household_id") > 1).height > 500
    assert frame["married_name"].is_not_null().sum() > 300
    assert 0.08 < frame["old_street"].is_not_null().mean() < 0.14  # type: ignore[operator]


def test_addresses_are_real_pairs_of_postcode_and_town(people: People) -> None:
    known = atlas().towns.select("postcode", "city", "province")
    assert people.frame.join(known, on=["postcode", "city", "province"], how="anti").height == 0


def test_e_mail_addresses_are_unique_valid_and_in_domains_that_nobody_can_own(people: People) -> None:
    own = people.frame["email"].drop_nulls()
    assert own.is_unique().all()
    for email in [*own, *people.frame["email_2"].drop_nulls(), *people.frame["family_email"].drop_nulls().unique()]:
        assert email.endswith(".example")
        assert validate_email(email, check_deliverability=False).normalized == email


def test_mobiles_are_one_persons_landlines_one_households_and_both_possible_in_italy(people: People) -> None:
    mobiles = people.frame["mobile"].drop_nulls()
    assert mobiles.is_unique().all()
    homes = people.frame.drop_nulls("landline").group_by("landline").agg(pl.col("household_id").n_unique())
    assert homes["household_id"].max() == 1
    for number in [*mobiles.head(300), *homes["landline"].head(300)]:
        assert phonenumbers.is_valid_number(phonenumbers.parse(number, "IT"))


def test_every_way_of_living_and_every_attitude_occurs(people: People) -> None:
    assert set(people.frame["profile"]) == set(PROFILES)
    assert set(people.frame["attitude"]) == set(ATTITUDES)


def test_nobody_acts_after_the_present_or_before_they_came(people: People) -> None:
    assert (people.joined_us < people.active_us).all()
    assert people.active_us.max() < AS_OF.timestamp() * 1_000_000
