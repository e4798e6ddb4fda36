from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from snello.errors import ConfigError
from snello.sandbox import files
from snello.sandbox.draw import Draw
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.shopify import TOKEN
from snello.sandbox.emulators.shopify_company import TABLES, of_company, store_of
from snello.sandbox.emulators.shopify_store import ShopifyStore
from snello.sandbox.people import People, make_people
from snello.sandbox.traces import Traces
from snello.sandbox.traces.shopify import trace

from .conftest import AS_OF, SEED

LISTS = {"customers": "Customer", "orders": "Order", "abandonedCheckouts": "AbandonedCheckout"}


@pytest.fixture(scope="module")
def traces(people: People) -> Traces:
    return trace(people, Draw(SEED, "shopify", AS_OF))


def write(traces: Traces, company: Path) -> Path:
    for name, frame in traces.tables.items():
        files.arrow(frame, company / "shopify" / f"{name}.arrow")
    return company


@pytest.fixture(scope="module")
def store(traces: Traces, tmp_path_factory: pytest.TempPathFactory) -> ShopifyStore:
    return store_of(write(traces, tmp_path_factory.mktemp("company")))


def ids(rows: list[dict[str, Any]]) -> set[str]:
    return {row["id"] for row in rows}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    people: People, traces: Traces, tmp_path: Path
) -> None:
    def bytes_of(seed: int, folder: str) -> list[bytes]:
        company = write(trace(people, Draw(seed, "shopify", AS_OF)), tmp_path / folder)
        return [(company / "shopify" / f"{name}.arrow").read_bytes() for name in TABLES]

    assert bytes_of(SEED, "one") == bytes_of(SEED, "two")
    assert bytes_of(SEED, "one") != bytes_of(SEED + 1, "other")


def test_the_truth_speaks_of_every_customer_that_is_not_erased_and_of_every_guest(
    traces: Traces, store: ShopifyStore
) -> None:
    customers, orders = traces.truth
    assert (set(customers["stream"]), set(orders["stream"])) == ({"customers"}, {"orders"})
    erased = [row for row in store.customers if row["emailMarketingConsent"]["marketingState"] == "REDACTED"]
    assert erased
    assert set(customers["record_key"]) == ids(store.customers) - ids(erased)
    named = [row for row in store.orders if row["customer"] is None and row["billingAddress"]]
    assert set(orders["record_key"]) == ids(named)


def test_a_company_of_ten_has_a_shop_whose_doors_are_open(tmp_path: Path) -> None:
    store = store_of(write(trace(make_people(10, SEED, AS_OF), Draw(SEED, "shopify", AS_OF)), tmp_path))
    assert store.counts()["orders"] == len(store.orders)


def test_nothing_happens_after_the_present_or_before_the_customer_came(traces: Traces) -> None:
    for name, frame in traces.tables.items():
        for column in ("created_at", "updated_at", "completed_at"):
            if column in frame.columns:
                assert (frame[column] < AS_OF).all(), f"{name}.{column}"
    both = traces.tables["orders"].join(traces.tables["customers"], left_on="customer_id", right_on="id")
    assert both.height > 100
    assert (both["created_at"] >= both["created_at_right"]).all()


def test_an_order_costs_what_its_lines_and_its_delivery_do(traces: Traces) -> None:
    orders = traces.tables["orders"]
    goods = orders["lines"].list.eval(pl.element().struct.field("cents")).list.sum()
    assert (goods + orders["shipping_cents"] == orders["total_cents"]).all()
    assert (orders["discount_cents"] > 0).any()


def test_the_shop_serves_every_row_of_the_company_and_no_other(traces: Traces, tmp_path: Path) -> None:
    seen: dict[str, Counter[str]] = {name: Counter() for name in LISTS}
    with serve(of_company(write(traces, tmp_path))) as url, httpx.Client(trust_env=False) as client:
        for name, found in seen.items():
            after, more = "", True
            while more:
                query = f"{{ {name}(first: 250{after}) {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}"
                place = f"{url}/admin/api/2026-10/graphql.json"
                answer = client.post(place, json={"query": query}, headers={"X-Shopify-Access-Token": TOKEN})
                page = answer.json()["data"][name]
                found.update(row["id"] for row in page["nodes"])
                more, after = page["pageInfo"]["hasNextPage"], f', after: "{page["pageInfo"]["endCursor"]}"'
    tables = [traces.tables[name]["id"] for name in ("customers", "orders", "abandoned_checkouts")]
    for (name, kind), numbers in zip(LISTS.items(), tables, strict=True):
        assert seen[name] == Counter(f"gid://shopify/{kind}/{number}" for number in numbers)


def test_refunds_and_consents_are_told_as_shopify_would(traces: Traces, store: ShopifyStore) -> None:
    back = {row["id"]: each for row in store.orders for each in row["refunds"]}
    assert len(back) == traces.tables["refunds"].height > 0
    states = {row["displayFinancialStatus"] for row in store.orders if row["refunds"]}
    assert states == {"REFUNDED", "PARTIALLY_REFUNDED"}
    told = Counter(row["emailMarketingConsent"]["marketingState"] for row in store.customers)
    assert {"SUBSCRIBED", "UNSUBSCRIBED", "NOT_SUBSCRIBED"} <= told.keys()
    for row in store.customers:
        consent = row["emailMarketingConsent"]
        if consent["marketingState"] != "REDACTED":
            assert (consent["consentUpdatedAt"] is None) == (consent["marketingState"] == "NOT_SUBSCRIBED")


def test_without_a_company_there_is_no_shop(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="make the company with"):
        of_company(tmp_path)
