"""tap-shopify tried on a shop that speaks Shopify's Admin API: once by pages, once by bulk operations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from snello.kit.conformance.taps import Key, Subject, starts
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.shopify import TOKEN, shopify
from snello.sandbox.emulators.shopify_cost import Bucket
from snello.sandbox.emulators.shopify_rows import customer, text
from snello.sandbox.emulators.shopify_store import ShopifyStore

HELD = {"renews": "an access token holds until somebody revokes it"}


@contextmanager
def _shop(bulk_above: int) -> Iterator[Subject]:
    store = ShopifyStore.drawn(130, 40, 20, looks=0, bucket=Bucket(20_000, 10_000))

    def change() -> tuple[str, Key]:
        order = store.orders[4]
        store.orders[4] = order | {"updatedAt": _after(store), "displayFinancialStatus": "REFUNDED"}
        return "orders", (order["id"],)

    def tie() -> tuple[str, list[Key]]:
        last = max(order["updatedAt"] for order in store.orders)
        for number in (1, 7):
            store.orders[number] |= {"updatedAt": last}
        return "orders", [(store.orders[number]["id"],) for number in (1, 7)]

    def remove() -> tuple[str, Key]:
        return "customer_keys", (store.customers.pop(3)["id"],)

    def grow(rows: int) -> None:
        store.customers = [customer(number) for number in range(1, rows + 1)]

    with serve(shopify(store)) as url:
        yield Subject(
            command="tap_shopify:main",
            plugin="tap_shopify:TapShopify",
            url=url,
            config=lambda url: {"url": url, "access_token": TOKEN, "bulk_above": bulk_above},
            rows={"customers": 130, "orders": 40, "abandoned_checkouts": 20, "customer_keys": 130},
            canaries=(TOKEN, "ada.2@example.org", "+3934700"),
            change=change,
            tie=tie,
            remove=remove,
            grow=grow,
            full=1_500 if bulk_above else 5_000,  # five times as many are still read by pages
            wrong={"access_token": "shpat_wrong"},
        )


def _after(store: ShopifyStore) -> str:
    last: Any = max(order["updatedAt"] for order in store.orders)
    return text(datetime.fromisoformat(last) + timedelta(minutes=1))


@starts(HELD)
def shop_by_pages() -> Iterator[Subject]:
    """Lists are short, and read by pages in the order of changes."""
    with _shop(10_000) as subject:
        yield subject


@starts(HELD)
def shop_in_bulk() -> Iterator[Subject]:
    """Every list is read by a bulk operation and its file."""
    with _shop(0) as subject:
        yield subject
