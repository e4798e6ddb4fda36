"""A Shopify shop all the way: its API, the tap, the lake, the staging models, the canonical shapes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from snello.sandbox.emulators import serve
from snello.sandbox.emulators.shopify import TOKEN, shopify
from snello.sandbox.emulators.shopify_rows import checkout, consent, customer, gid, order, refund
from snello.sandbox.emulators.shopify_store import ShopifyStore

if TYPE_CHECKING:
    from conftest import Hub

PROJECT = Path(__file__).parents[2] / "transform"
SHAPES = ("person_observed", "consent_observed", "order_observed", "order_line_observed", "interaction_observed")
MARTS = ("interactions", "customer_values")
BUILD = (
    "build", "--select", *(f"+{name}" for name in (*SHAPES, *MARTS)), "--exclude-resource-type", "test", "unit_test",
    "--vars", "{likelihood: false}",
)  # fmt: skip
BIN = Path(sys.executable).parent
SAID = datetime(2026, 2, 1, tzinfo=UTC)


def shop() -> ShopifyStore:
    """One customer a state of consent; orders of customers, of nobody, in another currency; checkouts."""
    ada = customer(
        1,
        emailMarketingConsent=consent("SUBSCRIBED", SAID, "CONFIRMED_OPT_IN"),
        smsMarketingConsent=consent("UNSUBSCRIBED", SAID),
        defaultPhoneNumber={"phoneNumber": "+393471234501"},
    )
    erased = {"firstName": None, "lastName": None, "defaultEmailAddress": None, "defaultAddress": None}
    people = [
        ada,
        customer(2, emailMarketingConsent=consent("PENDING", SAID, "CONFIRMED_OPT_IN")),
        customer(3),
        customer(4, emailMarketingConsent=consent("REDACTED", SAID), **erased),
        customer(5, emailMarketingConsent=consent("SUBSCRIBED", SAID)),
    ]
    orders = [
        order(11, ada, lines=12, currency="JPY", refunds=[refund(1, "5.00")]),
        order(12, None, lines=1, email="guest@example.org"),
        order(13, ada, lines=1, test=True),
        order(14, ada, lines=0, displayFinancialStatus="PENDING"),
    ]
    done = checkout(22, ada, completedAt="2026-03-02T00:00:00Z")
    return ShopifyStore(people, orders, [checkout(21, ada), done, checkout(23, None)])


class Line:
    """The pipe from the shop to the lake of a hub, with the state that a scheduler would keep."""

    def __init__(self, hub: Hub, url: str) -> None:
        self.hub, self.folder, self.state = hub, hub.home, hub.home / "state.json"
        self.lake = hub.home / "loaded"  # of its own: the hub's is made by hand
        memory = str(hub.home / "memory")
        tap = {"url": url, "access_token": TOKEN, "memory": memory}
        (self.folder / "tap.json").write_text(json.dumps(tap))
        (self.folder / "target.json").write_text(json.dumps({"root": str(self.lake), "source": "shopify"}))

    def load(self, *, afresh: bool = False) -> int:
        """Read what changed, or everything anew; how many rows that were."""
        if afresh:
            self.state.unlink()
            shutil.rmtree(self.folder / "memory")
        state = ["--state", str(self.state)] if self.state.exists() else []
        given = [BIN / "tap-shopify", "--config", self.folder / "tap.json", *state]
        read = subprocess.run(given, capture_output=True, check=False)
        assert read.returncode == 0, read.stderr.decode()
        put = [BIN / "target-lake", "--config", self.folder / "target.json"]
        done = subprocess.run(put, input=read.stdout, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        self.state.write_bytes(done.stdout.splitlines()[-1])
        return sum(line.startswith(b'{"type":"RECORD"') for line in read.stdout.splitlines())

    def seen(self) -> dict[str, list[Any]]:
        """What the canonical shapes and the marts hold of the shop."""
        tables = Path("raw", "shopify")
        shutil.rmtree(self.hub.lake / tables)
        shutil.copytree(self.lake / tables, self.hub.lake / tables)
        self.hub.make(*BUILD)
        schemas = {**dict.fromkeys(SHAPES, "canonical"), **dict.fromkeys(MARTS, "marts")}
        return {
            name: self.hub.query(f"select * from {schema}.{name} where source = 'shopify' order by all")
            for name, schema in schemas.items()
        }


@pytest.fixture(scope="module")
def story(make_hub: Callable[..., Hub], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The shop read for the first time, after a customer was deleted, once more, and afresh; shapes are tables."""
    project = tmp_path_factory.mktemp("project") / "transform"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    settings = (project / "dbt_project.yml").read_text()
    told = settings.replace("+materialized: ephemeral", "+materialized: table")
    assert told != settings
    (project / "dbt_project.yml").write_text(told)
    store = shop()
    with serve(shopify(store)) as url:
        line = Line(make_hub({}, project), url)
        seen: dict[str, Any] = {"first": line.load()}
        store.customers.pop()
        seen |= {"deleted": line.load(), "again": line.load(), "before": line.seen()}
        seen |= {"afresh": line.load(afresh=True), "after": line.seen()}
    return seen | {"hub": line.hub}


def rows(story: dict[str, Any], sql: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = story["hub"].query(sql)
    return found


def test_customers_and_buyers_are_persons_and_who_was_erased_or_deleted_is_none(story: dict[str, Any]) -> None:
    sql = "select stream, record_key, email from canonical.person_observed where source = 'shopify' order by 1, 2"
    assert rows(story, sql) == [
        ("customers", gid("Customer", 1), "ada.1@example.org"),
        ("customers", gid("Customer", 2), "ada.2@example.org"),
        ("customers", gid("Customer", 3), "ada.3@example.org"),
        ("orders", gid("Order", 12), "guest@example.org"),
    ]


def test_consent_is_what_was_answered_with_its_moment_and_nothing_else(story: dict[str, Any]) -> None:
    sql = (
        "select person_key, purpose, state, double_opt_in, observed_at from canonical.consent_observed"
        " where source = 'shopify' order by 1, 2"
    )
    assert rows(story, sql) == [
        (gid("Customer", 1), "email_marketing", "granted", "confirmed", SAID),
        (gid("Customer", 1), "sms_marketing", "withdrawn", None, SAID),
        (gid("Customer", 2), "email_marketing", "pending", "requested", SAID),
    ]


def test_orders_come_in_the_currency_of_the_shop_with_all_their_lines(story: dict[str, Any]) -> None:
    sql = (
        "select record_key, person_stream, is_counted, currency, total::float, refunded::float"
        " from canonical.order_observed where source = 'shopify' order by 1"
    )
    assert rows(story, sql) == [
        (gid("Order", 11), "customers", True, "EUR", 120.5, 5.0),
        (gid("Order", 12), "orders", True, "EUR", 10.5, 0.0),
        (gid("Order", 14), "customers", False, "EUR", 0.5, 0.0),
    ]
    lines = (
        "select record_key, count(*), sum(amount)::float from canonical.order_line_observed where source = 'shopify'"
    )
    assert rows(story, f"{lines} group by 1 order by 1") == [(gid("Order", 11), 12, 120.0), (gid("Order", 12), 1, 10.0)]


def test_a_checkout_that_a_customer_left_is_something_that_happened(story: dict[str, Any]) -> None:
    sql = "select record_key, person_key, kind, detail from canonical.interaction_observed where source = 'shopify'"
    [found] = rows(story, sql)
    assert found == (gid("AbandonedCheckout", 21), gid("Customer", 1), "checkout_abandoned", "10.00 EUR")


def test_a_second_run_moves_nothing_and_a_full_refresh_changes_nothing_downstream(story: dict[str, Any]) -> None:
    assert (story["first"], story["deleted"], story["again"], story["afresh"]) == (17, 1, 0, 15)
    assert all(story["before"].values())
    assert story["after"] == story["before"]


def test_the_unit_tests_of_the_staging_models_pass(story: dict[str, Any]) -> None:
    story["hub"].make("test", "--select", "path:models/staging/shopify,test_type:unit")
