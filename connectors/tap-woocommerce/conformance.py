"""tap-woocommerce tried on a shop that speaks WooCommerce's REST interface over generated customers and orders."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import requests

from snello.kit.conformance.taps import Key, Subject, starts
from snello.sandbox import World, generate
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.shop import KEY, ROOT, SECRET, shop

STREAMS = ("customers", "orders", "product_reviews")


@cache
def _world() -> World:
    folder = mkdtemp(prefix="snello-shop-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return generate(Path(folder), 300, 5)


def _grown(company: Path, rows: int, folder: Path) -> Path:
    """A company whose shop has so many orders, none of them refunded: each refund is a request more."""
    shutil.copytree(company / "shop", folder / "shop")
    orders = pa.ipc.open_file(company / "shop" / "orders.arrow").read_all()
    orders = orders.filter(pc.not_equal(orders["status"], "refunded"))
    many = pa.concat_tables([orders] * -(-rows // orders.num_rows)).slice(0, rows)
    many = many.set_column(0, "id", pa.array(range(1_000, 1_000 + rows), pa.int64()))
    with pa.ipc.new_file(folder / "shop" / "orders.arrow", many.schema) as file:
        file.write_table(many)
    return folder


@starts({"renews": "a consumer key holds until somebody revokes it"})
def generated_shop() -> Iterator[Subject]:
    """Customers and reviews are read whole, orders by their moment of change."""
    world = _world()
    with ExitStack() as stack:
        url = stack.enter_context(serve(shop(world.company)))
        grown: list[str] = []
        session = requests.Session()
        session.auth = (KEY, SECRET)

        def first(path: str) -> dict[str, Any]:
            rows: list[dict[str, Any]] = session.get(f"{url}{ROOT}/{path}?per_page=5", timeout=30).json()
            return next(row for row in rows if row["billing"]["email"])

        def change() -> tuple[str, Key]:
            order = first("orders")["id"]
            session.put(f"{url}{ROOT}/orders/{order}", json={"status": "refunded"}, timeout=30)
            return "orders", (order,)

        def tie() -> tuple[str, list[Key]]:
            orders = f"{url}{ROOT}/orders"
            last = session.get(f"{orders}?orderby=modified&per_page=1", timeout=30).json()[0]
            old = session.get(f"{orders}?orderby=modified&order=asc&per_page=2", timeout=30).json()
            for order in old:
                moment = {"date_modified_gmt": last["date_modified_gmt"]}
                session.put(f"{orders}/{order['id']}", json=moment, timeout=30).raise_for_status()
            return "orders", [(order["id"],) for order in old]

        def remove() -> tuple[str, Key]:
            customer = first("customers")["id"]
            session.delete(f"{url}{ROOT}/customers/{customer}?force=true", timeout=30).raise_for_status()
            return "customers", (customer,)

        def grow(rows: int) -> None:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="snello-shop-")))
            grown.append(stack.enter_context(serve(shop(_grown(world.company, rows, folder)))))

        with session:
            yield Subject(
                command="tap_woocommerce:main",
                plugin="tap_woocommerce:TapWooCommerce",
                url=url,
                config=lambda url: {"url": [url, *grown][-1], "consumer_key": KEY, "consumer_secret": SECRET},
                rows={name: world.rows[f"shop.{name}"] for name in STREAMS},
                canaries=(SECRET, first("customers")["email"], first("orders")["billing"]["email"]),
                change=change,
                tie=tie,
                remove=remove,
                grow=grow,
                wrong={"consumer_secret": "cs_wrong"},
            )
