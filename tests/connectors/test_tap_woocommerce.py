from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from starlette.types import ASGIApp, Receive, Scope, Send

from snello.kit.rest import Retry
from snello.kit.testing import Run, run
from snello.sandbox import World, generate
from snello.sandbox.emulators import Weather, serve
from snello.sandbox.emulators.shop import KEY, SECRET, shop
from tap_woocommerce import ShopStream, TapWooCommerce, main

STREAMS = ("customers", "orders", "product_reviews")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return generate(tmp_path_factory.mktemp("aurora"), 900, 5)


@pytest.fixture
def url(world: World) -> Iterator[str]:
    with serve(shop(world.company)) as address:
        yield address


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ShopStream, "retry", Retry(tries=8, first=0.01, longest=2.0))


def read(url: str, state: Any = None, **changes: Any) -> Run:
    done = run(main, {"url": url, "consumer_key": KEY, "consumer_secret": SECRET} | changes, state=state)
    assert SECRET not in done.err
    return done


def counts(done: Run) -> dict[str, int]:
    return {name: len({row["id"] for row in done.records(name)}) for name in STREAMS}


def all_rows(world: World) -> dict[str, int]:
    return {name: world.rows[f"shop.{name}"] for name in STREAMS}


def test_the_whole_shop_is_read_page_by_page(url: str, world: World) -> None:
    done = read(url)
    assert done.code == 0
    assert counts(done) == all_rows(world)
    assert max(all_rows(world).values()) > 200  # several pages


def test_rows_have_the_shape_that_the_lake_expects(url: str) -> None:
    done = read(url)
    for name in STREAMS:
        declared = done.schema(name)["schema"]["properties"]
        for row in done.records(name):
            assert row.keys() == declared.keys()
    order = done.records("orders")[0]
    assert order["date_modified_gmt"].endswith("Z")
    assert isinstance(order["line_items"], list)
    assert isinstance(order["total"], str)
    assert isinstance(done.records("customers")[0]["billing"], dict)


def shop_client(url: str) -> requests.Session:
    session = requests.Session()
    session.auth = (KEY, SECRET)
    session.trust_env = False
    return session


def test_a_second_run_moves_only_what_changed(url: str, tmp_path: Path) -> None:
    first = read(url, memory=str(tmp_path))
    changed = {"customers": first.records("customers")[0]["id"], "orders": first.records("orders")[0]["id"]}
    with shop_client(url) as client:
        root = f"{url}/wp-json/wc/v3"
        assert client.put(f"{root}/orders/{changed['orders']}", json={"status": "refunded"}).ok
        assert client.put(f"{root}/customers/{changed['customers']}", json={"first_name": "Ada"}).ok
    second = read(url, first.state, memory=str(tmp_path))
    assert [row["id"] for row in second.records("orders")] == [changed["orders"]]
    assert [(row["id"], row["first_name"]) for row in second.records("customers")] == [(changed["customers"], "Ada")]
    assert [row["order_id"] for row in second.records("refunds")] == [changed["orders"]]
    assert second.records("product_reviews") == []
    third = read(url, second.state, memory=str(tmp_path))
    assert {name: third.records(name) for name in STREAMS} == {name: [] for name in STREAMS}


def test_orders_are_asked_for_from_a_little_before_the_last_moment_so_that_a_tie_with_it_is_read(url: str) -> None:
    first = read(url)
    last = datetime.fromisoformat(first.state["bookmarks"]["orders"]["replication_key_value"])
    before = [row for row in first.records("orders") if datetime.fromisoformat(row["date_modified_gmt"]) < last]
    without = {**first.state["bookmarks"]["orders"], "seen": {}}
    again = read(url, {"bookmarks": {"orders": without}})
    tied = {row["id"] for row in first.records("orders")} - {row["id"] for row in before}
    assert tied <= {row["id"] for row in again.records("orders")}
    assert len(again.records("orders")) < 20


def test_an_account_that_was_deleted_becomes_a_tombstone_and_one_that_is_hidden_does_not(
    url: str, tmp_path: Path
) -> None:
    first = read(url, memory=str(tmp_path))
    gone = first.records("customers")[3]["id"]
    with shop_client(url) as client:
        assert client.delete(f"{url}/wp-json/wc/v3/customers/{gone}?force=true").ok
    second = read(url, first.state, memory=str(tmp_path))
    [row] = second.records("customers")
    assert (row["id"], row["email"]) == (gone, None)
    assert row["_deleted_at"].startswith("20")


def test_refunds_are_read_for_the_orders_that_have_any_with_one_request_each(url: str) -> None:
    done = read(url)
    refunded = {row["id"] for row in done.records("orders") if row["refunds"]}
    assert refunded
    assert {row["order_id"] for row in done.records("refunds")} == refunded
    calls = requests.get(f"{url}/_inspect", timeout=10).json()["calls"]
    assert sum(number for call, number in calls.items() if call.endswith("/refunds")) == len(refunded)


def test_a_start_date_bounds_the_first_run(url: str) -> None:
    found = read(url, start_date="2026-01-01").records("orders")
    assert found
    assert min(row["date_modified_gmt"] for row in found) >= "2025-12-31T23:59:00Z"


def test_bad_weather_loses_and_doubles_nothing(world: World) -> None:
    with serve(shop(world.company, weather=Weather(limited=0.2, broken=0.2, retry_after=0, seed=3))) as url:
        done = read(url)
        answers = requests.get(f"{url}/_inspect", timeout=10).json()["answers"]
    assert done.code == 0
    assert counts(done) == all_rows(world)
    assert all(len(done.records(name)) == counts(done)[name] for name in STREAMS)
    assert answers["429"] > 0
    assert answers["503"] > 0


def test_a_shop_that_stays_down_leaves_the_bookmark_where_it_was(world: World) -> None:
    with serve(shop(world.company, weather=Weather(broken=1.0, retry_after=0))) as url:
        done = read(
            url, {"bookmarks": {"orders": {"replication_key": "date_modified_gmt", "replication_key_value": "x"}}}
        )
    assert (done.code, done.last_line) == (
        4,
        "tap-woocommerce: customers: 503 from GET /wp-json/wc/v3/customers, 8 tries. "
        "Next: run again later: nothing is lost.",
    )
    assert done.state["bookmarks"]["orders"]["replication_key_value"] == "x"


@pytest.mark.parametrize("changes", [{"consumer_key": "ck_wrong"}, {"consumer_secret": "cs_wrong"}])
def test_a_wrong_key_is_told_with_the_settings_to_renew(url: str, changes: dict[str, str]) -> None:
    done = read(url, **changes)
    assert (done.code, done.last_line) == (
        2,
        "tap-woocommerce: customers: 401 from GET /wp-json/wc/v3/customers. "
        "Next: renew consumer_key and consumer_secret, or give them the right to read.",
    )
    assert next(iter(changes.values())) not in done.err


def test_an_address_without_a_shop_is_told(url: str) -> None:
    done = read(f"{url}/blog")
    assert done.code == 2
    assert "404 from GET /blog/wp-json/wc/v3/customers. Next: check the URL" in done.last_line


@pytest.mark.parametrize("address", ["shop.example", "ftp://shop.example", ""])
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    done = read(address)
    assert done.code == 2
    assert done.last_line.startswith("tap-woocommerce: setting url:")


def test_a_shop_that_repeats_a_page_is_refused(world: World) -> None:
    inner = shop(world.company)

    async def stuck(scope: Scope, receive: Receive, send: Send) -> None:
        """A cache in front of the shop that does not look at the page."""
        query = scope.get("query_string", b"").replace(b"page=2&", b"page=1&")
        await inner({**scope, "query_string": query}, receive, send)

    app: ASGIApp = stuck
    with serve(app) as url:
        done = read(url)
    assert done.code == 3
    assert "tap-woocommerce: customers: page 2 repeats an earlier one" in done.last_line


def test_no_customer_is_in_the_log(url: str) -> None:
    done = read(url)
    addresses = {row["email"] for row in done.records("customers") if row["email"]}
    assert addresses
    assert [address for address in addresses if address in done.err] == []
    assert json.dumps(done.state).count("@") == 0


@pytest.fixture(scope="module")
def _standard_shop(world: World) -> Iterator[None]:
    with serve(shop(world.company), port=STANDARD_PORT):
        yield


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


STANDARD_PORT = _free_port()  # the SDK's suite wants the settings when this module is imported


@pytest.mark.usefixtures("_standard_shop")
class TestStandard(
    get_tap_test_class(  # type: ignore[misc]
        TapWooCommerce,
        config={"url": f"http://127.0.0.1:{STANDARD_PORT}", "consumer_key": KEY, "consumer_secret": SECRET},
        suite_config=SuiteConfig(ignore_no_records_for_streams=["_quarantine"]),
    )
):
    """The SDK's own suite."""
