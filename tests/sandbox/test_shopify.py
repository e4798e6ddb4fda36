from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from graphql import build_schema, get_named_type, is_enum_type, is_object_type, parse
from tests.servers.shopify import published

from snello.sandbox.emulators import serve
from snello.sandbox.emulators.shopify import TOKEN, shopify
from snello.sandbox.emulators.shopify_cost import Bucket, Pricing
from snello.sandbox.emulators.shopify_rows import customer, gid, order
from snello.sandbox.emulators.shopify_schema import SDL, VERSION
from snello.sandbox.emulators.shopify_store import ShopifyStore, matches
from tap_shopify.streams import AbandonedCheckouts, CustomerKeys, Customers, OrderKeys, Orders

CUSTOMERS = "{ customers(first: %s%s) { nodes { id updatedAt } pageInfo { hasNextPage endCursor } } }"
RUN = """mutation ($query: String!, $grouped: Boolean!) {
  bulkOperationRunQuery(query: $query, groupObjects: $grouped) { bulkOperation { id } userErrors { code } }
}"""
LOOK = """query ($id: ID!) { node(id: $id) { ... on BulkOperation {
  status errorCode objectCount rootObjectCount url partialDataUrl } } }"""


class Shop:
    """A client of the stand-in."""

    def __init__(self, url: str, store: ShopifyStore) -> None:
        self.client = httpx.Client(base_url=url, trust_env=False, headers={"X-Shopify-Access-Token": TOKEN})
        self.store, self.path = store, f"/admin/api/{VERSION}/graphql.json"

    def ask(self, document: str, **variables: Any) -> dict[str, Any]:
        answer = self.client.post(self.path, json={"query": document, "variables": variables})
        assert answer.status_code == 200
        return dict(answer.json())

    def bulk(self, query: str, *, grouped: bool = True) -> dict[str, Any]:
        return dict(self.ask(RUN, query=query, grouped=grouped)["data"]["bulkOperationRunQuery"])

    def look(self, number: str) -> dict[str, Any]:
        return dict(self.ask(LOOK, id=number)["data"]["node"])


@pytest.fixture
def shop() -> Iterator[Shop]:
    store = ShopifyStore.drawn(30, 20, 6)
    with serve(shopify(store)) as url:
        one = Shop(url, store)
        yield one
        one.client.close()


@pytest.mark.real
def test_every_field_of_the_stand_in_is_the_vendors_by_name_and_type() -> None:
    vendor, ours = published(VERSION), build_schema(SDL)
    differing = []
    for name, kind in ours.type_map.items():
        if name.startswith("__"):
            continue
        theirs: Any = vendor.type_map.get(name)
        if is_enum_type(kind):
            differing += [f"{name}.{value}" for value in kind.values if value not in theirs.values]
        elif is_object_type(kind):
            for field, told in kind.fields.items():
                there = theirs.fields.get(field)
                if there is None or str(there.type) != str(told.type) or told.args.keys() - there.args.keys():
                    differing.append(f"{name}.{field}")
        else:
            assert get_named_type(kind).name in vendor.type_map
    assert differing == []


@pytest.mark.parametrize("stream", [Customers, Orders, AbandonedCheckouts, CustomerKeys, OrderKeys])
def test_a_page_of_the_tap_costs_less_than_a_query_may(stream: Any) -> None:
    price = Pricing(build_schema(SDL), parse(stream.listing.paged()), {"first": stream.page_size}).price()
    assert 200 < price <= 1000


def test_a_wrong_token_is_refused_with_401_and_a_text(shop: Shop) -> None:
    answer = shop.client.post(shop.path, json={"query": "{ __typename }"}, headers={"X-Shopify-Access-Token": "x"})
    assert answer.status_code == 401
    assert answer.json()["errors"].startswith("[API] Invalid API key or access token")


def test_pages_go_on_behind_the_last_row_whatever_changes_before_it(shop: Shop) -> None:
    first = shop.ask(CUSTOMERS % (10, ", sortKey: UPDATED_AT"))["data"]["customers"]
    gone = first["nodes"][2]["id"]
    shop.store.customers = [row for row in shop.store.customers if row["id"] != gone]
    after = f', sortKey: UPDATED_AT, after: "{first["pageInfo"]["endCursor"]}"'
    second = shop.ask(CUSTOMERS % (250, after))["data"]["customers"]
    met = [row["id"] for row in first["nodes"] + second["nodes"]]
    assert len(met) == len(set(met)) == 30
    assert not second["pageInfo"]["hasNextPage"]
    moments = [row["updatedAt"] for row in first["nodes"] + second["nodes"]]
    assert moments == sorted(moments)


@pytest.mark.parametrize("first", ["251", "-1"])
def test_a_page_that_is_too_large_is_refused(shop: Shop, first: str) -> None:
    assert shop.ask(CUSTOMERS % (first, ""))["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_a_search_knows_moments_and_passes_over_terms_that_it_does_not_know() -> None:
    row = customer(7, updatedAt="2026-03-01T08:00:00Z")
    assert matches(row, "updated_at:>='2026-03-01T08:00:00Z'")
    assert not matches(row, "updated_at:>'2026-03-01T08:00:00Z'")
    assert matches(row, "updated_at:>=2026-03-01 AND updated_at:<'2026-04-01'")
    assert matches(row, "id:7 colour:red")
    assert not matches(row, "id:>7")


def test_a_scope_that_is_missing_and_data_that_is_not_approved_are_denied_in_a_success(shop: Shop) -> None:
    shop.store.scopes = frozenset({"read_orders"})
    [error] = shop.ask(CUSTOMERS % (1, ""))["errors"]
    assert error["extensions"]["requiredAccess"] == "`read_customers` access scope."
    shop.store.scopes, shop.store.approved = frozenset({"read_customers"}), False
    [error] = shop.ask(CUSTOMERS % (1, ""))["errors"]
    assert error["extensions"]["code"] == "ACCESS_DENIED"
    assert "not approved to access the Customer object" in error["message"]


def test_orders_older_than_sixty_days_are_hidden_without_the_scope_for_all_of_them(shop: Shop) -> None:
    recent = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    shop.store.orders.append(order(99, None, createdAt=recent))
    query = "{ ordersCount { count } orders(first: 50) { nodes { id } } }"
    assert shop.ask(query)["data"]["ordersCount"]["count"] == 21
    shop.store.scopes -= {"read_all_orders"}
    assert shop.ask(query)["data"]["orders"]["nodes"] == [{"id": gid("Order", 99)}]


def test_a_query_is_throttled_when_its_points_are_not_there_and_gets_back_what_it_did_not_use(shop: Shop) -> None:
    now = [0.0]
    shop.store.bucket = Bucket(300, 50, lambda: now[0])
    cost = shop.ask(CUSTOMERS % (250, ""))["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (250, 30)
    assert cost["throttleStatus"] == {"maximumAvailable": 300, "currentlyAvailable": 270, "restoreRate": 50}
    shop.ask(CUSTOMERS % (250, ""))
    refused = shop.ask(CUSTOMERS % (250, ""))
    assert refused["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert refused["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] == 240
    now[0] = 0.2
    assert "errors" not in shop.ask(CUSTOMERS % (250, ""))


def test_a_query_that_costs_more_than_a_query_may_is_refused(shop: Shop) -> None:
    query = "{ orders(first: 100) { nodes { id lineItems(first: 10) { nodes { id } } } } }"
    assert shop.ask(query)["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"


@pytest.mark.parametrize("grouped", [True, False])
def test_the_file_of_a_bulk_operation_has_a_line_an_object_and_names_the_parent(shop: Shop, grouped: bool) -> None:
    query = "{ orders { edges { node { id name lineItems { edges { node { id } } } } } } }"
    number = shop.bulk(query, grouped=grouped)["bulkOperation"]["id"]
    assert (shop.look(number)["status"], shop.look(number)["status"]) == ("RUNNING", "COMPLETED")
    done = shop.look(number)
    lines = [json.loads(line) for line in httpx.get(done["url"], trust_env=False).content.splitlines()]
    roots = [line for line in lines if "__parentId" not in line]
    assert (len(lines), len(roots)) == (int(done["objectCount"]), int(done["rootObjectCount"]))
    assert len(roots) == 20
    kinds = ["__parentId" in line for line in lines]
    assert (kinds == sorted(kinds)) is not grouped
    piece = httpx.get(done["url"], trust_env=False, headers={"Range": "bytes=10-19"})
    assert (piece.status_code, len(piece.content)) == (206, 10)
    assert httpx.get(done["url"], trust_env=False, headers={"Range": "bytes=99999999-"}).status_code == 416


def test_an_app_has_only_so_many_bulk_operations_at_once(shop: Shop) -> None:
    shop.store.at_once = 1
    query = "{ customers { edges { node { id } } } }"
    first = shop.bulk(query)["bulkOperation"]["id"]
    assert shop.bulk(query)["userErrors"] == [{"code": "OPERATION_IN_PROGRESS"}]
    shop.look(first)
    assert shop.bulk(query)["userErrors"] == []


@pytest.mark.parametrize(
    "query",
    [
        "{ customers { edges { node { id } } } orders { edges { node { id } } } }",
        "{ ordersCount { count } }",
        "{ orders { edges { node { name } } } }",
        "{ orders { edges { node { unknown } } } }",
        "{ orders {",
    ],
)
def test_a_query_that_cannot_be_run_in_bulk_is_refused(shop: Shop, query: str) -> None:
    assert shop.bulk(query)["userErrors"] == [{"code": "INVALID"}]


def test_an_operation_that_fails_has_a_part_of_its_file_and_a_code(shop: Shop) -> None:
    shop.store.fate, shop.store.looks = ("FAILED", "TIMEOUT"), 0
    number = shop.bulk("{ customers { edges { node { id } } } }")["bulkOperation"]["id"]
    done = shop.look(number)
    assert (done["status"], done["errorCode"], done["url"]) == ("FAILED", "TIMEOUT", None)
    assert len(httpx.get(done["partialDataUrl"], trust_env=False).content.splitlines()) == 15
