"""The company's Shopify shop, segments and Bluesky account, through their taps, the lake and dbt, to the timelines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree, rmtree
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from snello.sandbox import files
from snello.sandbox.draw import Draw
from snello.sandbox.drops import drops
from snello.sandbox.emulators import bluesky_company, serve, shopify_company
from snello.sandbox.emulators.bluesky import PASSWORD
from snello.sandbox.emulators.bluesky_store import HANDLE
from snello.sandbox.emulators.shopify import TOKEN
from snello.sandbox.people import People, make_people
from snello.sandbox.traces import Traces, dmp, handles, loyalty
from snello.sandbox.traces import bluesky as bluesky_traces
from snello.sandbox.traces import shopify as shopify_traces

if TYPE_CHECKING:
    from conftest import Hub

BIN = Path(sys.executable).parent
AS_OF, PEOPLE, SEED = datetime(2026, 10, 1, tzinfo=UTC), 500, 7
MADE = ("+customer_sources", "+customer_values", "+interactions", "+orders", "+consent_said")
SOURCES = {"shopify": shopify_traces, "dmp": dmp, "bluesky": bluesky_traces}
DROP = {"format": "csv", "checksum": "beside"}


@pytest.fixture(scope="module")
def people() -> People:
    return make_people(PEOPLE, SEED, AS_OF)


@pytest.fixture(scope="module")
def told(people: People) -> dict[str, Traces]:
    return {name: module.trace(people, Draw(SEED, name, AS_OF)) for name, module in SOURCES.items()}


def known(people: People) -> dict[str, list[dict[str, Any]]]:
    """What other systems know: the names and addresses of all, their cards, and the handles that leads told."""
    cards = loyalty.trace(people, Draw(SEED, "loyalty", AS_OF))
    names = people.frame.select("person_id", "first_name", "last_name", "birth_date", "email")
    customers = names.rename({"person_id": "customer_no"}).to_dicts()
    held = cards.truth[0].select("record_key", "person_id").join(names, on="person_id").drop("person_id")
    fans = handles.fans(people)
    leads = [
        {"event_id": f"S{person}", "kind": "lead", "handle": handle, "email": people.frame["email"][person]}
        for person, handle in zip(fans.tolist(), handles.handle(people, fans), strict=True)
    ]
    return {
        "crm.customers": customers,
        "loyalty.cards": held.rename({"record_key": "card_no"}).to_dicts(),
        "marketing.social": leads,
    }


@pytest.fixture(scope="module")
def hub(
    people: People, told: dict[str, Traces], tmp_path_factory: pytest.TempPathFactory, make_hub: Callable[..., Hub]
) -> Hub:
    hub, folder = make_hub(known(people)), tmp_path_factory.mktemp("company")
    for name in ("shopify", "bluesky"):
        for table, frame in told[name].tables.items():
            files.arrow(frame, folder / name / f"{table}.arrow")
    drops(told["dmp"], folder / "dmp")
    with serve(shopify_company.of_company(folder)) as shop, serve(bluesky_company.of_company(folder)) as network:
        load(hub, folder, "shopify", {"url": shop, "access_token": TOKEN})
        load(hub, folder, "bluesky", {"url": network, "handle": HANDLE, "app_password": PASSWORD})
    load(
        hub, folder, "dmp",
        {
            "provider": dmp.PROVIDER,
            "memberships": {"path": f"{folder}/dmp/memberships_*.csv.gz", **DROP},
            "taxonomy": {"path": f"{folder}/dmp/taxonomy_*.csv.gz", **DROP},
            "id_links": {"path": f"{folder}/dmp/id_links_*.csv.gz", **DROP, "checksum": "manifest"},
        },
    )  # fmt: skip
    return hub.make("build", "--select", *MADE, "--exclude-resource-type", "test", "unit_test")


def load(hub: Hub, folder: Path, source: str, config: dict[str, Any]) -> None:
    """Read a source whole into the lake of the hub."""
    own = folder / f"state-{source}"
    own.mkdir()
    (own / "tap.json").write_text(json.dumps(config | {"memory": f"{own}/memory"}))
    (own / "target.json").write_text(json.dumps({"root": f"{folder}/lake", "source": source}))
    tap = [BIN / f"tap-{source}", "--config", own / "tap.json"]
    read = subprocess.run(tap, capture_output=True, check=False, env=os.environ | {"SNELLO_STATE": str(own)})
    assert read.returncode == 0, read.stderr.decode()
    target = [BIN / "target-lake", "--config", own / "target.json"]
    subprocess.run(target, input=read.stdout, capture_output=True, check=True)
    rmtree(hub.lake / "raw" / source)
    copytree(folder / "lake" / "raw" / source, hub.lake / "raw" / source)


def came(hub: Hub, shape: str, source: str) -> list[tuple[Any, ...]]:
    return hub.query(
        f"select source, stream, record_key from canonical.{shape} where source = ? order by all", [source]
    )


def truth(traces: Traces) -> list[tuple[Any, ...]]:
    return sorted(pl.concat(traces.truth).select("source", "stream", "record_key").iter_rows())


def test_every_customer_and_guest_of_the_shop_arrives_under_its_key(hub: Hub, told: dict[str, Traces]) -> None:
    found = came(hub, "person_observed", "shopify")
    assert found == truth(told["shopify"])
    assert {stream for _, stream, _ in found} == {"customers", "orders"}


def test_the_orders_of_the_shop_arrive_but_for_those_that_are_tests(hub: Hub, told: dict[str, Traces]) -> None:
    real = told["shopify"].tables["orders"].filter(~pl.col("is_test"))
    keys = sorted(f"gid://shopify/Order/{number}" for number in real["id"])
    found = hub.query("select record_key from marts.orders where source = 'shopify' order by all")
    assert [key for (key,) in found] == keys
    answers = hub.query("select distinct answer from consents.consent_said where source = 'shopify'")
    assert {("granted",), ("withdrawn",)} <= set(answers)


def test_devices_are_contacts_only_by_links_that_hold(hub: Hub, told: dict[str, Traces]) -> None:
    found = came(hub, "contact_observed", "dmp")
    assert found == truth(told["dmp"])
    assert len(found) > 5


def test_a_segment_reaches_the_person_of_the_truth_and_nobody_else(hub: Hub, told: dict[str, Traces]) -> None:
    rows = hub.query(
        "select distinct said.record_key, ours.record_key from marts.customer_values as said"
        " inner join marts.customer_sources as ours on said.customer_id = ours.customer_id"
        " where said.source = 'dmp' and said.attribute like 'dmp_segment_mediana_%' and ours.source = 'crm'"
    )
    whose = dict(told["dmp"].truth[0].select("record_key", "person_id").iter_rows())
    assert len(rows) > 3
    assert all(str(whose[device]) == person for device, person in rows)


def test_the_accounts_of_people_arrive_and_none_of_a_suspended_one(hub: Hub, told: dict[str, Traces]) -> None:
    found = came(hub, "contact_observed", "bluesky")
    assert set(truth(told["bluesky"])) <= set(found)
    shown = told["bluesky"].tables["accounts"].filter(~pl.col("is_suspended"))
    assert [key for *_, key in found] == sorted(shown["did"])


def test_what_followers_did_is_in_the_timeline_of_the_customer_who_told_the_handle(
    hub: Hub, people: People, told: dict[str, Traces]
) -> None:
    rows = hub.query(
        "select distinct did.record_key, ours.record_key from marts.interactions as seen"
        " inner join marts.customer_sources as did on seen.customer_id = did.customer_id and did.source = 'bluesky'"
        " inner join marts.customer_sources as ours on seen.customer_id = ours.customer_id and ours.source = 'crm'"
        " where seen.source = 'bluesky'"
    )
    whose = dict(told["bluesky"].truth[0].select("record_key", "person_id").iter_rows())
    assert rows
    assert all(str(whose[account]) == person for account, person in rows)
