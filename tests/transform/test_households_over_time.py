"""A household's id outlives runs, whoever is born into it or moves out, in a warehouse that remembers nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from snello.lake import Lake

if TYPE_CHECKING:
    from conftest import Hub

BUILD = (
    "build", "--select", "+household_members", "+customer_sources", "+identity_events",
    "--exclude-resource-type", "test", "unit_test",
)  # fmt: skip
HOME = {"last_name": "Bellini", "street": "Via Mazzini 3", "postcode": "40121", "city": "Bologna"}
ANNA = {"customer_no": 1, "first_name": "Anna", "birth_date": date(1980, 1, 2), **HOME}
CARLO = {"customer_no": 2, "first_name": "Carlo", "birth_date": date(1978, 3, 4), **HOME}
MIA = {"customer_no": 3, "first_name": "Mia", "birth_date": date(2015, 5, 6), **HOME}
GONE = {**CARLO, "street": "Via Emilia 11", "postcode": "40139"}
PUBLISHED = ("household_members", "customer_sources", "identity_events")


def publish(hub: Hub, run: str) -> None:
    with duckdb.connect(str(hub.home / "warehouse.duckdb"), read_only=True) as connection:
        tables = {name: connection.sql(f"select * from marts.{name}").to_arrow_table() for name in PUBLISHED}
    Lake(str(hub.lake)).publish(tables, run_id=run, syncs={})


def households(hub: Hub) -> dict[str, str]:
    """The household of each record."""
    return dict(
        hub.query(
            "select known.record_key, members.household_id from marts.household_members as members"
            " inner join marts.customer_sources as known using (customer_id)"
        )
    )


@pytest.fixture(scope="module")
def years(make_hub: Callable[..., Hub]) -> list[dict[str, str]]:
    """Who lives with whom: a couple; with a child; after he moved out."""
    found: list[dict[str, str]] = []
    published: Path | None = None
    days: list[list[dict[str, Any]]] = [[ANNA, CARLO], [ANNA, CARLO, MIA], [ANNA, GONE, MIA]]
    for number, people in enumerate(days):
        hub = make_hub({"crm.customers": people})
        if published:
            shutil.copytree(published, hub.lake / "published")
        publish(hub.make(*BUILD), f"run-{number}")
        published = hub.lake / "published"
        found.append(households(hub))
    return found


def test_a_couple_is_one_household(years: list[dict[str, str]]) -> None:
    assert years[0]["1"] == years[0]["2"]


def test_a_child_joins_the_household_that_there_is(years: list[dict[str, str]]) -> None:
    assert set(years[1]) == {"1", "2", "3"}
    assert set(years[1].values()) == {years[0]["1"]}


def test_who_moves_out_gets_a_household_of_his_own_and_those_who_stay_keep_theirs(years: list[dict[str, str]]) -> None:
    assert years[2]["1"] == years[2]["3"] == years[0]["1"]
    assert years[2]["2"] not in {"", years[0]["1"]}
