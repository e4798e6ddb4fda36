"""tap-vendure over a real Vendure server: all rows, exact amounts, changes that move no moment, rights, keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from graphql import build_client_schema, get_introspection_query, parse, validate
from tests.servers import vendure as servers
from tests.servers.vendure import PASSWORD, USER, Vendure, own_vendure, vendure
from tests.servers.vendure_data import CANARY, CARTS, CUSTOMERS, ORDERS, buy, cart, place

from snello.kit.testing import Run, run
from tap_vendure import main
from tap_vendure.queries import LOGIN, listing
from tap_vendure.trade import Customers, Orders, Promotions

__all__ = ["own_vendure", "vendure"]

pytestmark = pytest.mark.real

STREAMS = ("customers", "orders", "promotions")
FIELDS = {"customers": ["loyaltyCard"], "orders": ["giftNote"]}
ROLE = "mutation($i: CreateRoleInput!) { createRole(input: $i) { id } }"
CLERK = "mutation($i: CreateAdministratorInput!) { createAdministrator(input: $i) { id } }"
KEY = "mutation($i: CreateApiKeyInput!) { createApiKey(input: $i) { apiKey } }"
REFUND = """mutation($i: RefundOrderInput!) {
  refundOrder(input: $i) { ... on Refund { id } ... on ErrorResult { errorCode message } }
}"""
SETTLE = """mutation($i: SettleRefundInput!) {
  settleRefund(input: $i) { ... on Refund { id } ... on ErrorResult { errorCode message } }
}"""
DELETE = "mutation($id: ID!) { deleteCustomer(id: $id) { result } }"
ADDRESS = "mutation($id: ID!, $i: CreateAddressInput!) { createCustomerAddress(customerId: $id, input: $i) { id } }"
GROUP = 'mutation { createCustomerGroup(input: {name: "Club", customerIds: ["3"]}) { id } }'


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "state"))


def read(server: Vendure, state: Any = None, **changes: Any) -> Run:
    login = {} if "key" in changes else {"user": USER, "password": PASSWORD}
    given = {"url": f"{server.url}/admin-api", "page_size": 5, "custom_fields": FIELDS, **login} | changes
    done = run(main, given, state=state)
    for secret in (PASSWORD, CANARY):
        assert secret not in done.err
        assert secret not in json.dumps(done.state)
    return done


def counts(done: Run) -> dict[str, int]:
    return {name: len(done.records(name)) for name in STREAMS}


def clerk(server: Vendure, name: str, *rights: str) -> dict[str, str]:
    """The login of an administrator who may do so much."""
    role = {"code": name, "description": name, "permissions": list(rights), "channelIds": ["1"]}
    made = server.admin(ROLE, i=role)["id"]
    login = {"user": f"{name}@example.org", "password": PASSWORD}
    about = {"firstName": "C", "lastName": "L", "emailAddress": login["user"], "password": PASSWORD, "roleIds": [made]}
    server.admin(CLERK, i=about)
    return login


def test_every_query_fits_the_schema_of_the_server(vendure: Vendure) -> None:
    schema = build_client_schema({"__schema": vendure.admin(get_introspection_query())})
    for stream in (Customers, Orders, Promotions):
        query = listing(stream.name, stream.kind, stream.fields, FIELDS.get(stream.name, ()))
        assert validate(schema, parse(query)) == []
    assert validate(schema, parse(LOGIN)) == []


def test_every_row_is_read_with_exact_amounts(vendure: Vendure) -> None:
    done = read(vendure)
    assert (done.code, done.records("_quarantine")) == (0, [])
    assert counts(done) == {"customers": CUSTOMERS, "orders": ORDERS + CARTS, "promotions": 1}
    assert {row["_extra"] is None for name in STREAMS for row in done.records(name)} == {True}
    customers = {row["emailAddress"]: row for row in done.records("customers")}
    assert customers[CANARY]["customFields"] == {"loyaltyCard": "C-00001"}
    assert customers["buyer0@example.org"]["user"] is None  # a guest
    [reduced] = [row for row in done.records("orders") if row["couponCodes"]]
    assert (reduced["totalWithTax"], reduced["discounts"][0]["amountWithTax"]) == ("48.90", "-4.88")
    assert (reduced["lines"][0]["proratedLinePriceWithTax"], reduced["payments"][0]["amount"]) == ("43.90", "48.90")
    carts = [row for row in done.records("orders") if row["state"] == "AddingItems"]
    assert sorted(row["customerId"] is None for row in carts) == [False, True]


def test_a_second_run_moves_what_changed_though_the_server_moves_no_moment(own_vendure: Vendure) -> None:
    first = read(own_vendure)
    assert counts(read(own_vendure, first.state)) == dict.fromkeys(STREAMS, 0)
    before = {row["id"]: row for row in first.records("orders")}
    payment = before["1"]["payments"][0]["id"]
    about = {"lines": [], "shipping": 0, "adjustment": 0, "paymentId": payment, "amount": 300}
    refund = own_vendure.admin(REFUND, i=about)["id"]
    own_vendure.admin(SETTLE, i={"id": refund, "transactionId": "back"})
    own_vendure.admin(ADDRESS, id="2", i=place(2))
    own_vendure.admin(GROUP)
    own_vendure.admin(DELETE, id="4")
    second = read(own_vendure, first.state)
    [order] = second.records("orders")
    assert order["updatedAt"] == before["1"]["updatedAt"]
    assert [(each["state"], each["total"]) for each in order["payments"][0]["refunds"]] == [("Settled", "3.00")]
    told = {row["id"]: row["_deleted_at"] is not None for row in second.records("customers")}
    assert told == {"2": False, "3": False, "4": True}
    assert counts(read(own_vendure, second.state)) == dict.fromkeys(STREAMS, 0)


def test_a_window_sees_an_order_placed_from_a_cart(own_vendure: Vendure) -> None:
    first = read(own_vendure, recheck_days=1)
    with cart(own_vendure, "1", "late@example.org"):
        second = read(own_vendure, first.state, recheck_days=1)
    assert [row["state"] for row in second.records("orders")] == ["AddingItems"]
    paid = buy(own_vendure, "1", "late@example.org")
    third = read(own_vendure, second.state, recheck_days=1)
    assert [(row["id"], row["state"]) for row in third.records("orders")] == [(paid["id"], "PaymentSettled")]


def test_a_key_that_may_only_read_reads_all(own_vendure: Vendure) -> None:
    role = {"code": "r", "description": "r", "channelIds": ["1"]}
    rights = ["ReadCustomer", "ReadOrder", "ReadPromotion"]
    made = own_vendure.admin(ROLE, i=role | {"permissions": rights})["id"]
    named = [{"languageCode": "en", "name": "hub"}]
    key = own_vendure.admin(KEY, i={"roleIds": [made], "translations": named})["apiKey"]
    done = read(own_vendure, key=key)
    assert (done.code, counts(done)) == (0, counts(read(own_vendure)))
    assert key not in done.err


def test_a_right_that_is_missing_stops_its_stream_and_no_other(own_vendure: Vendure) -> None:
    login = clerk(own_vendure, "orders-only", "ReadOrder")
    done = read(own_vendure, **login)
    assert counts(done) == {"customers": 0, "orders": ORDERS + CARTS, "promotions": 0}
    assert (done.code, "code FORBIDDEN. Next: renew user and password" in done.err) == (2, True)


def test_a_wrong_password_is_told(vendure: Vendure) -> None:
    done = read(vendure, password="wrong")
    assert (done.code, "the login is refused" in done.last_line) == (2, True)


def test_a_server_that_keeps_sessions_in_cookies_is_read() -> None:
    with servers.serving("cookie") as server:
        assert counts(read(server)) == {"customers": CUSTOMERS, "orders": ORDERS + CARTS, "promotions": 1}
