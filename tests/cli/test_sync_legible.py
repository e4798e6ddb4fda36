"""Whom a platform can find at most: only what is left of a value once it is normalised counts."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from snello.activation import Ledger, Plan, Planner
from snello.cli.screen import Grid
from snello.cli.sync.legible import Members
from snello.cli.sync.page import _reached
from snello.cli.sync.reach import Reach, matching, reach
from snello.kit.channel import ActivationTarget
from snello.kit.channel.forecast import Recognition, recognition
from snello.kit.channel.rehearsal import SALT, Rehearsal
from target_google_audiences import TargetGoogleAudiences
from target_meta_audiences import TargetMetaAudiences
from target_meta_audiences.people import row_of

META = {"access_token": "t", "ad_account": "1"}
GOOGLE = {"client_id": "c", "client_secret": "s", "refresh_token": "r", "account_id": "1"}
PLATFORMS = pytest.mark.parametrize(
    ("target", "config"), [(TargetMetaAudiences, META), (TargetGoogleAudiences, GOOGLE)], ids=["meta", "google"]
)
TEXT = pa.string()
Target, Config = type[ActivationTarget], dict[str, Any]


def seen(
    folder: Path, target: Target, config: Config, rows: list[dict[str, Any]], **more: Any
) -> tuple[Plan, Recognition, Reach]:
    terms = {"target": target.name, "purpose": "ads_audiences", "channel": "ads", **more.pop("terms", {})}
    stage = Rehearsal(folder, sync="ads__loyal", **terms)
    stage.publish([{"customer_id": f"c{n}", **row} for n, row in enumerate(rows)], **more)
    with closing(Ledger(stage.ledger_url)) as ledger:
        plan = Planner(stage.lake, ledger, SALT).preview(stage.sync)
        known = recognition(target, config, plan.sync, plan.schema.names)
        return plan, known, reach(plan, ledger, known, [])


def sets(found: Reach) -> dict[str, int]:
    return {row["columns"]: row["members"] for row in found.sets}


@PLATFORMS
def test_an_address_that_is_none_and_a_number_that_is_none_find_nobody(
    tmp_path: Path, target: Target, config: Config
) -> None:
    rows = [
        {"email": "ada@example.org", "phone": "+393471234567"},
        {"email": "x", "phone": "+393471234567"},
        {"email": "x", "phone": "abc"},
        {"email": " ", "phone": None},
        {"email": "ada@example.org", "phone": "abc"},
    ]
    _, _, found = seen(tmp_path, target, config, rows)
    assert sets(found) == {"email": 2, "phone": 2}
    assert found.at_most == 3
    assert found.lost == [{"column": "email", "members": 2}, {"column": "phone", "members": 2}]
    [grid] = [b for b in _reached(found) if isinstance(b, Grid) and b.title.startswith("Nothing is left")]
    assert grid.rows == [["email", 2], ["phone", 2]]


@PLATFORMS
def test_a_number_is_read_by_the_country_of_its_row(tmp_path: Path, target: Target, config: Config) -> None:
    countries = ["US", "IT", None, "IT", "US"]
    rows = [{"phone": "347 123 4567", "country": country} for country in countries]
    _, known, found = seen(tmp_path, target, config, [*rows, {"phone": "abc", "country": "IT"}])
    assert known.legible is not None
    read = {row["country"]: "phone" in known.legible([row])[0] for row in rows}
    assert read["IT"]
    assert sets(found)["phone"] == sum(read[country] for country in countries)


@PLATFORMS
def test_a_list_counts_when_any_of_its_values_does(tmp_path: Path, target: Target, config: Config) -> None:
    rows = [{"email": ["x", "ada@example.org"]}, {"email": ["x"]}, {"email": []}, {"email": None}]
    schema = pa.schema([("customer_id", TEXT), ("email", pa.list_(TEXT))])
    _, _, found = seen(tmp_path, target, config, rows, schema=schema)
    assert (found.at_most, found.lost) == (1, [{"column": "email", "members": 1}])


@PLATFORMS
def test_a_set_is_whole_only_when_each_of_its_columns_is(tmp_path: Path, target: Target, config: Config) -> None:
    person = {"first_name": "Ada", "last_name": "Neri", "postcode": "20121", "country": "IT"}
    rows = [person, {**person, "first_name": "n/a"}, {**person, "country": "Atlantis"}, {**person, "postcode": None}]
    _, _, found = seen(tmp_path, target, config, rows)
    assert (found.at_most, sets(found)["first_name + last_name + postcode + country"]) == (1, 1)


def test_columns_are_read_under_the_names_that_the_settings_give_them(tmp_path: Path) -> None:
    config = {**META, "columns": {"mobile": "phone", "nation": "country"}}
    rows = [{"mobile": "3471234567", "nation": "IT"}, {"mobile": "abc", "nation": "IT"}]
    _, known, found = seen(tmp_path, TargetMetaAudiences, config, rows)
    assert (known.country, sets(found), found.lost) == ("nation", {"mobile": 1}, [{"column": "mobile", "members": 1}])


def test_at_google_the_country_of_the_settings_stands_in_for_one_that_a_row_lacks(tmp_path: Path) -> None:
    rows = [{"phone": "(201) 555-0123", "country": None}, {"phone": "abc", "country": None}]
    schema = pa.schema([("customer_id", TEXT), ("phone", TEXT), ("country", TEXT)])
    (tmp_path / "with").mkdir()
    _, _, found = seen(tmp_path / "with", TargetGoogleAudiences, {**GOOGLE, "country": "US"}, rows, schema=schema)
    assert found.at_most == 1
    _, _, found = seen(tmp_path, TargetGoogleAudiences, GOOGLE, rows, schema=schema)
    assert found.at_most == 0


def test_what_is_counted_is_what_a_run_then_sends(tmp_path: Path) -> None:
    rows = [{"email": value} for value in ("ada@example.org", "x", "null", "a@b", "BOB@Example.org ", "@", "n/a", "")]
    _, _, found = seen(tmp_path, TargetMetaAudiences, META, rows)
    assert found.at_most == sum(row_of("c", row) is not None for row in rows) == 2


def test_the_sync_s_own_match_keys_are_counted_alike(tmp_path: Path) -> None:
    rows = [{"email": "ada@example.org", "city": "Roma"}, {"email": "x", "city": "Roma"}, {"email": None, "city": None}]
    terms = {"match_keys": ["email", "city"]}
    plan, known, _ = seen(tmp_path, TargetMetaAudiences, META, rows, terms=terms)
    assert matching(plan, Members(plan, known)) == [
        {"column": "email", "members": 1, "of": 3},
        {"column": "city", "members": 2, "of": 3},
    ]


def test_who_is_kept_back_is_not_counted_among_what_is_lost(tmp_path: Path) -> None:
    _, _, found = seen(tmp_path, TargetMetaAudiences, META, [{"email": "x"}, {"email": "x"}], refusing=["c0"])
    assert found.lost == [{"column": "email", "members": 1}]
