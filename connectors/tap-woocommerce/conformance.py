"""tap-woocommerce tried on a shop that speaks WooCommerce's REST interface over generated customers and orders."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

import requests

from snello.kit.conformance.taps import Key, Subject, starts
from snello.sandbox import World, generate
from snello.sandbox.emulators import serve, shop
from snello.sandbox.emulators.shop import KEY, ROOT, SECRET

STREAMS = ("customers", "orders", "product_reviews")


@cache
def _world() -> World:
    folder = mkdtemp(prefix="snello-shop-")
    atexit.register(rmtree, folder, ignore_errors=True)
    return generate(Path(folder), 300, 5)


@starts(
    {
        "renews": "a consumer key holds until somebody revokes it",
        "removes": "the shop tells nothing of what was deleted",
        "ties": "the emulator gives a changed order the moment of now",
    }
)
def generated_shop() -> Iterator[Subject]:
    """Customers and reviews are read whole, orders by their moment of change."""
    world = _world()
    with serve(shop(world.company)) as url:
        session = requests.Session()
        session.auth = (KEY, SECRET)

        def first(path: str) -> dict[str, Any]:
            rows: list[dict[str, Any]] = session.get(f"{url}{ROOT}/{path}?per_page=5", timeout=30).json()
            return next(row for row in rows if row["billing"]["email"])

        def change() -> tuple[str, Key]:
            order = first("orders")["id"]
            session.put(f"{url}{ROOT}/orders/{order}", json={"status": "refunded"}, timeout=30)
            return "orders", (order,)

        with session:
            yield Subject(
                command="tap_woocommerce:main",
                plugin="tap_woocommerce:TapWooCommerce",
                url=url,
                config=lambda url: {"url": url, "consumer_key": KEY, "consumer_secret": SECRET},
                rows={name: world.rows[f"shop.{name}"] for name in STREAMS},
                canaries=(SECRET, first("customers")["email"], first("orders")["billing"]["email"]),
                change=change,
                wrong={"consumer_secret": "cs_wrong"},
            )
