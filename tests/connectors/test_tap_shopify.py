from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from snello.kit.http import Client
from snello.kit.rest import Retry
from snello.kit.testing import Run, run
from snello.sandbox.emulators import Weather, serve
from snello.sandbox.emulators.shopify import TOKEN, shopify
from snello.sandbox.emulators.shopify_cost import Bucket
from snello.sandbox.emulators.shopify_rows import customer, gid, order, text
from snello.sandbox.emulators.shopify_store import ShopifyStore
from tap_shopify import ShopStream, main
from tap_shopify.denials import seconds_to_restore
from tap_shopify.download import Download
from tap_shopify.grouping import grouped
from tap_shopify.pieces import Pieces
from tap_shopify.waits import Waits

STREAMS = {"customers": 130, "orders": 40, "abandoned_checkouts": 20, "customer_keys": 130}
BULK = {"bulk_above": 0}
IMPATIENT = Waits(first=0.01, longest=0.05, patience=0.2)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ShopStream, "retry", Retry(tries=8, first=0.01, longest=20.0))
    monkeypatch.setattr(ShopStream, "waits", Waits(first=0.01, longest=0.05, patience=300.0))


@pytest.fixture
def store() -> ShopifyStore:
    return ShopifyStore.drawn(130, 40, 20, bucket=Bucket(50_000, 10_000))


@pytest.fixture
def url(store: ShopifyStore) -> Iterator[str]:
    with serve(shopify(store)) as address:
        yield address


class Reader:
    """Runs the tap with a memory of its own."""

    def __init__(self, url: str, memory: Path) -> None:
        self.url, self.memory = url, memory

    def __call__(self, state: Any = None, **changes: Any) -> Run:
        given = {"url": self.url, "access_token": TOKEN, "memory": str(self.memory)}
        done = run(main, given | changes, state=state)
        assert TOKEN not in done.err
        assert "example.org" not in done.err
        return done


@pytest.fixture
def read(url: str, tmp_path: Path) -> Reader:
    return Reader(url, tmp_path)


def counts(done: Run) -> dict[str, int]:
    return {name: len(done.records(name)) for name in STREAMS}


def by_id(done: Run, stream: str) -> dict[str, Any]:
    return {row["id"]: row for row in done.records(stream)}


def later(store: ShopifyStore, name: str, minutes: int = 10) -> str:
    last = max(row["updatedAt"] for row in getattr(store, name))
    return text(datetime.fromisoformat(last) + timedelta(minutes=minutes))


def test_pages_and_bulk_operations_give_the_very_same_rows(read: Reader, tmp_path: Path) -> None:
    paged, bulk = read(), read(memory=str(tmp_path / "other"), **BULK)
    assert (paged.code, bulk.code) == (0, 0)
    assert counts(paged) == counts(bulk) == STREAMS
    for name in STREAMS:
        assert by_id(paged, name) == by_id(bulk, name)


def test_a_row_holds_all_of_its_lines_however_many(read: Reader, store: ShopifyStore) -> None:
    buyer = store.customers[0]
    store.orders = [order(n, buyer, lines) for n, lines in ((1, 0), (2, 10), (3, 11), (4, 250))]
    for way in ({}, BULK):
        found = by_id(read(**way), "orders")
        assert [len(found[gid("Order", n)]["lineItems"]) for n in (1, 2, 3, 4)] == [0, 10, 11, 250]


@pytest.mark.parametrize("way", [{}, BULK], ids=["pages", "bulk"])
def test_a_second_run_moves_only_what_changed(read: Reader, store: ShopifyStore, way: dict[str, int]) -> None:
    first = read(**way)
    assert counts(read(first.state, **way)) == dict.fromkeys(STREAMS, 0)
    store.orders[3] |= {"updatedAt": later(store, "orders"), "displayFinancialStatus": "REFUNDED"}
    store.customers.append(customer(999, updatedAt=later(store, "customers")))
    second = read(first.state, **way)
    assert counts(second) == {"customers": 1, "orders": 1, "abandoned_checkouts": 0, "customer_keys": 1}
    assert second.records("orders")[0]["displayFinancialStatus"] == "REFUNDED"


def test_a_full_refresh_gives_the_very_same_rows(read: Reader, tmp_path: Path) -> None:
    first, again = read(), read(memory=str(tmp_path / "lost"))
    assert [first.records(name) for name in STREAMS] == [again.records(name) for name in STREAMS]


@pytest.mark.parametrize("way", [{}, BULK], ids=["pages", "bulk"])
def test_a_deleted_customer_is_told_by_key_and_moment(read: Reader, store: ShopifyStore, way: dict[str, int]) -> None:
    first = read(**way)
    gone = store.customers.pop(7)
    [row] = read(first.state, **way).records("customer_keys")
    assert row["id"] == gone["id"]
    assert row["_deleted_at"].startswith("20")


def test_deleted_orders_are_looked_for_where_the_app_sees_all_orders(read: Reader, store: ShopifyStore) -> None:
    both = {"deletions": ["customers", "orders"]}
    first = read(**both)
    gone = store.orders.pop(2)
    second = read(first.state, **both)
    assert [(row["id"], row["_deleted_at"] is None) for row in second.records("order_keys")] == [(gone["id"], False)]
    store.scopes -= {"read_all_orders"}
    third = read(second.state, **both)
    assert third.code == 2
    assert "tap-shopify: order_keys: the app lacks the access scope read_all_orders" in third.last_line
    assert third.records("order_keys") == []


def test_an_app_that_does_not_see_old_orders_is_told_so(read: Reader, store: ShopifyStore) -> None:
    store.scopes -= {"read_all_orders"}
    store.orders.append(order(500, None, createdAt=text(datetime.now(UTC))))
    done = read()
    assert (done.code, list(by_id(done, "orders"))) == (0, [gid("Order", 500)])
    assert "lacks the access scope read_all_orders: orders older than 60 days are not read" in done.err


def test_an_erased_customer_comes_with_the_sign_of_it_and_without_names(read: Reader, store: ShopifyStore) -> None:
    erased = {"firstName": None, "lastName": None, "defaultEmailAddress": None, "defaultAddress": None}
    said = {"marketingState": "REDACTED", "marketingOptInLevel": None, "consentUpdatedAt": None}
    store.customers[0] |= {**erased, "emailMarketingConsent": said}
    row = by_id(read(), "customers")[store.customers[0]["id"]]
    assert row["emailMarketingConsent"] == said
    assert row["defaultEmailAddress"] is None


class Stopped(Bucket):
    """A bucket whose clock goes on only while somebody waits: just as long as the points that were lacking need."""

    def __init__(self) -> None:
        self.now, self.told, self.lacking = 0.0, 0, list[float]()
        super().__init__(1000, 300, lambda: self.now)

    def take(self, points: float) -> bool:
        if super().take(points):
            return True
        self.lacking.append((points - int(self.left())) / self.rate)
        return False

    def status(self) -> dict[str, Any]:
        told = super().status()
        if self.refused > self.told:
            self.told, self.now = self.refused, self.now + self.lacking[-1]
        return told


def test_a_query_without_points_is_asked_again_after_just_the_seconds_that_they_need(tmp_path: Path) -> None:
    bucket = Stopped()
    with serve(shopify(ShopifyStore.drawn(10, 40, 0, bucket=bucket))) as url:
        done = Reader(url, tmp_path)()
    assert (done.code, counts(done)["orders"]) == (0, 40)
    assert bucket.lacking
    waits = [line.rpartition("asking again in ")[2] for line in done.err.splitlines() if "code THROTTLED" in line]
    assert waits == [f"{seconds:.1f} s" for seconds in bucket.lacking]


def test_the_wait_is_what_the_lacking_points_take_to_come_back() -> None:
    status = {"currentlyAvailable": 120, "restoreRate": 50, "maximumAvailable": 1000}
    cost = {"requestedQueryCost": 420, "actualQueryCost": None, "throttleStatus": status}
    assert seconds_to_restore({"extensions": {"cost": cost}}) == 6.0
    assert seconds_to_restore({"extensions": {}}) is None
    assert (
        seconds_to_restore({"extensions": {"cost": {**cost, "throttleStatus": {**status, "restoreRate": 0}}}}) is None
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"scopes": frozenset({"read_orders"})},
            "tap-shopify: customers: the app lacks the access scope read_customers.",
        ),
        ({"approved": False}, "tap-shopify: customers: Shopify has not approved the app for protected customer data"),
    ],
)
@pytest.mark.parametrize("way", [{}, BULK], ids=["pages", "bulk"])
def test_a_right_that_is_lacking_is_told_in_one_sentence(
    read: Reader, store: ShopifyStore, changes: dict[str, Any], told: str, way: dict[str, int]
) -> None:
    for name, value in changes.items():
        setattr(store, name, value)
    done = read(**way)
    assert done.code == 2
    assert told in done.err
    assert done.records("customers") == []


def test_lines_whose_products_may_not_be_read_are_told_with_the_scope(read: Reader, store: ShopifyStore) -> None:
    store.scopes -= {"read_products"}
    done = read()
    assert done.code == 2
    assert "orders: the app lacks the access scope read_products" in done.err
    assert counts(done)["customers"] == 130


@pytest.mark.parametrize(
    ("fate", "told"),
    [
        (("FAILED", "TIMEOUT"), "Shopify ended the bulk operation as failed, it took too long. Next"),
        (("FAILED", "INTERNAL_SERVER_ERROR"), "Shopify ended the bulk operation as failed. Next"),
        (("CANCELED", None), "Shopify ended the bulk operation as canceled. Next"),
        (("EXPIRED", None), "Shopify ended the bulk operation as expired. Next"),
    ],
)
def test_an_operation_that_ends_otherwise_is_left_to_the_next_run_and_no_part_is_taken_for_all(
    read: Reader, store: ShopifyStore, fate: tuple[str, str | None], told: str
) -> None:
    store.fate = fate
    done = read(**BULK)
    assert (done.code, done.records("customers")) == (4, [])
    assert told in done.last_line
    store.fate = ("COMPLETED", None)
    assert counts(read(done.state, **BULK)) == STREAMS


def test_a_file_whose_address_has_expired_is_left_to_the_next_run(read: Reader, store: ShopifyStore) -> None:
    store.expired = True
    done = read(**BULK)
    assert done.code == 4
    assert "the address of the bulk operation's file has expired. Next: run again" in done.last_line


def test_an_operation_waits_for_others_of_the_app_and_gives_up_after_its_patience(
    read: Reader, store: ShopifyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ShopStream, "waits", IMPATIENT)
    store.at_once = 0
    done = read(**BULK)
    assert done.code == 4
    assert "other bulk operations of the app are under way in the shop" in done.last_line


def test_an_operation_that_does_not_end_is_given_up_after_its_patience(
    read: Reader, store: ShopifyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ShopStream, "waits", IMPATIENT)
    store.looks = 10_000
    done = read(**BULK)
    assert done.code == 4
    assert "the bulk operation is still under way" in done.last_line


def test_the_file_is_fetched_in_pieces_and_without_the_token(url: str, read: Reader, store: ShopifyStore) -> None:
    read(**BULK)
    [orders] = [
        number for number, each in store.operations.items() if "lineItems" in each.query and "orders" in each.query
    ]
    address = f"{url}/bulk-operations/{orders.rpartition('/')[2]}.jsonl"
    client = Client("tap-shopify: orders")
    rows = [list(Download(Pieces("tap-shopify: orders", client, piece)).lines(address)) for piece in (97, 4096, 10**7)]
    client.close()
    assert rows[0] == rows[1] == rows[2]
    assert len(rows[0]) == len(store.operations[orders].lines)
    assert requests.get(address, timeout=10).request.headers.get("X-Shopify-Access-Token") is None


def test_a_line_apart_from_its_row_is_refused() -> None:
    lines = [{"id": "a"}, {"id": "b"}, {"id": "1", "__parentId": "a"}]
    with pytest.raises(Exception, match="has a line apart from its row"):
        list(grouped(iter(lines), "tap-shopify: orders"))


def test_a_list_is_read_in_bulk_only_when_it_is_long(read: Reader, store: ShopifyStore) -> None:
    assert counts(read(bulk_above=100)) == STREAMS
    assert [each.roots for each in store.operations.values()] == [130, 130]  # customers and their keys


@pytest.mark.parametrize("way", [{}, BULK], ids=["pages", "bulk"])
def test_bad_weather_loses_and_doubles_nothing(store: ShopifyStore, tmp_path: Path, way: dict[str, int]) -> None:
    with serve(shopify(store, weather=Weather(limited=0.2, broken=0.1, retry_after=0, seed=3))) as url:
        done = Reader(url, tmp_path)(**way)
        answers = requests.get(f"{url}/_inspect", timeout=10).json()["answers"]
    assert (done.code, counts(done)) == (0, STREAMS)
    assert answers["429"] > 0


def test_a_wrong_token_is_told_with_the_setting_to_renew(read: Reader) -> None:
    done = read(access_token="shpat_wrong")
    assert (done.code, done.last_line) == (
        2,
        "tap-shopify: abandoned_checkouts: 401 from POST /admin/api/2026-10/graphql.json. "
        "Next: renew access_token, or give them the right to read.",
    )


def test_an_address_without_a_shop_is_told(url: str, tmp_path: Path) -> None:
    done = Reader(f"{url}/blog", tmp_path)()
    assert done.code == 2
    assert "404 from POST /blog/admin/api/2026-10/graphql.json" in done.last_line


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"url": "shop.example"}, "url"),
        ({"api_version": "2026-13"}, "api_version"),
        ({"bulk_above": 30_000}, "bulk_above"),
        ({"deletions": ["checkouts"]}, "deletions"),
    ],
)
def test_a_setting_that_is_none_is_refused_at_once(read: Reader, changes: dict[str, Any], setting: str) -> None:
    done = read(**changes)
    assert done.code == 2
    assert f"tap-shopify: setting {setting}" in done.last_line


def test_no_deletions_means_no_keys(read: Reader) -> None:
    done = read(deletions=[])
    assert (done.code, done.records("customer_keys")) == (0, [])
    assert json.dumps(done.state).count("@") == 0
