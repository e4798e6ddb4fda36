"""The company's Odoo through the tap, the lake and dbt: its people arrive, and what they bought."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

import polars as pl
import pytest

from snello.kit.testing import run
from snello.sandbox import files
from snello.sandbox.draw import Draw
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.odoo import API_KEY, DATABASE, LOGIN
from snello.sandbox.emulators.odoo_company import of_company
from snello.sandbox.people import make_people
from snello.sandbox.traces import Traces
from snello.sandbox.traces.odoo import trace
from tap_odoo import main

if TYPE_CHECKING:
    from conftest import Hub

AS_OF, PEOPLE, SEED = datetime(2026, 10, 1, tzinfo=UTC), 800, 3
MADE = ("+order_lines", "+interactions", "+consent_said")
BUILD = ("build", "--select", *MADE, "--exclude-resource-type", "test", "unit_test")
CONFIG = {"database": DATABASE, "login": LOGIN, "api_key": API_KEY}


@pytest.fixture(scope="module")
def traces() -> Traces:
    return trace(make_people(PEOPLE, SEED, AS_OF), Draw(SEED, "odoo", AS_OF))


@pytest.fixture(scope="module")
def hub(traces: Traces, tmp_path_factory: pytest.TempPathFactory, make_hub: Callable[..., Hub]) -> Hub:
    hub, folder = make_hub({}), tmp_path_factory.mktemp("odoo")
    for name, frame in traces.tables.items():
        files.arrow(frame, folder / "company" / "odoo" / f"{name}.arrow")
    with serve(of_company(folder / "company")) as url:
        done = run(main, {"url": url, **CONFIG})
    assert done.code == 0, done.last_line
    for own in ("odoo", "snello"):  # the loader makes these itself
        rmtree(hub.lake / "raw" / own)
    (folder / "target.json").write_text(json.dumps({"root": str(hub.lake), "source": "odoo"}))
    target = [Path(sys.executable).parent / "target-lake", "--config", folder / "target.json"]
    subprocess.run(target, input=done.out.encode(), capture_output=True, check=True)
    return hub.make(*BUILD)


def test_every_person_of_the_truth_arrives_under_its_key(traces: Traces, hub: Hub) -> None:
    came = hub.query("select source, stream, record_key from canonical.person_observed order by all")
    assert came == sorted(pl.concat(traces.truth).select("source", "stream", "record_key").iter_rows())
    assert {stream for _, stream, _ in came} == {"partners", "leads"}


def test_orders_of_persons_and_of_organisations_arrive_with_their_lines(traces: Traces, hub: Hub) -> None:
    orders, lines = traces.tables["sale_orders"], traces.tables["sale_order_lines"]
    persons = set(traces.truth[0]["record_key"].cast(pl.Int64))
    theirs = orders.filter(pl.col("partner_id").is_in(persons))
    known = hub.query("select record_key from marts.orders where customer_id is not null")
    assert {int(key) for (key,) in known} == set(theirs["id"])
    assert hub.query("select count(*), count(total) from marts.orders") == [(orders.height, orders.height)]
    sold = lines.filter(pl.col("product_id").is_not_null()).height
    assert hub.query("select count(*), count(sku) from marts.order_lines") == [(sold, sold)]
    assert theirs.height < orders.height
    assert sold < lines.height


def test_enquiries_and_addresses_that_want_no_letters_arrive(traces: Traces, hub: Hub) -> None:
    asked = "select count(*) from marts.interactions where kind in ('lead', 'opportunity')"
    assert hub.query(asked) == [(traces.tables["leads"].height,)]
    blocked = set(traces.tables["blacklist"].filter("active")["email"])
    partners = traces.tables["partners"].filter(pl.col("email").str.to_lowercase().is_in(blocked))
    silent = "select distinct record_key from consents.consent_said where stream = 'partners' and answer = 'withdrawn'"
    persons = set(traces.truth[0]["record_key"])
    assert {key for (key,) in hub.query(silent)} == set(partners["id"].cast(pl.String)) & persons != set()
