"""tap-vendure over a shop's Admin API: exact amounts, changes that no moment tells, logins, faults in one sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate

from snello.kit.conformance import Seen, faulty
from snello.kit.testing import Run, run
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.vendure import API_KEY, CHANNEL, PASSWORD, ROOT, USER, Shop, vendure
from snello.sandbox.emulators.vendure_rows import customers, mail, orders, told
from snello.sandbox.emulators.vendure_schema import SCHEMA
from tap_vendure import main
from tap_vendure.money import told_exactly
from tap_vendure.queries import LOGIN, listing
from tap_vendure.stream import VendureStream
from tap_vendure.trade import Customers, Orders, Promotions

STREAMS = ("customers", "orders", "promotions")
LOGIN_OF_READER = {"user": USER, "password": PASSWORD}
NOW = told(datetime.now(UTC))


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "state"))


@contextmanager
def shop(rows: Any = None, **given: Any) -> Iterator[tuple[Shop, str]]:
    made = vendure(rows, **given)
    with serve(made) as url:
        yield made, url


def read(url: str, state: Any = None, path: str = ROOT, **changes: Any) -> Run:
    given = {"url": f"{url}{path}", "page_size": 20, **({} if "key" in changes else LOGIN_OF_READER)} | changes
    done = run(main, given, state=state)
    for secret in (PASSWORD, API_KEY, mail(1)):
        assert secret not in done.err
        assert secret not in json.dumps(done.state)
    return done


def counts(done: Run) -> dict[str, int]:
    return {name: len(done.records(name)) for name in STREAMS}


def by_id(done: Run, stream: str) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in done.records(stream)}


# ------------------------------------------------------------ rows and values


def test_every_row_comes_with_what_hangs_on_it() -> None:
    with shop() as (server, url):
        done = read(url, custom_fields={"customers": ["loyaltyCard"]})
        assert (done.code, counts(done)) == (0, server.store.counts())
        customer, held = by_id(done, "customers")["3"], server.store.row("customers", "3")
        assert customer["addresses"][0]["country"] == {"code": "IT"}
        assert (customer["user"]["id"], customer["customFields"]) == ("103", {"loyaltyCard": "C-00003"})
        assert by_id(done, "customers")["2"]["user"] is None  # a guest
        assert customer["emailAddress"] == held["emailAddress"]
    order = by_id(done, "orders")["8"]
    assert [refund["state"] for refund in order["payments"][0]["refunds"]] == ["Settled", "Failed"]
    assert {row["_extra"] is None for name in STREAMS for row in done.records(name)} == {True}
    assert {row["customerId"] for row in done.records("orders") if row["state"] == "AddingItems"} > {None}


def test_amounts_are_told_exactly_by_the_digits_of_the_server_in_every_currency() -> None:
    with shop(precision=2) as (server, url):
        done = read(url)
        for order in done.records("orders"):
            held = server.store.row("orders", order["id"])
            assert order["totalWithTax"] == f"{held['totalWithTax'] / 100:.2f}"
            line, other = order["lines"][0], held["lines"][0]
            assert line["proratedLinePriceWithTax"] == f"{other['proratedLinePriceWithTax'] / 100:.2f}"
            assert line["quantity"] == other["quantity"]
        assert {order["currencyCode"] for order in done.records("orders")} == {"EUR", "CHF", "JPY"}
    with shop({"orders": orders(3)}, precision=3) as (server, url):
        amounts = [order["totalWithTax"] for order in read(url).records("orders")]
        assert amounts == [f"{row['totalWithTax'] / 1000:.3f}" for row in server.store.rows["orders"]]


def test_a_currency_that_the_shop_counts_otherwise_is_told_by_its_own_digits() -> None:
    with shop() as (server, url):
        found = by_id(read(url, money_digits={"JPY": 0}), "orders")
        yen = next(row for row in server.store.rows["orders"] if row["currencyCode"] == "JPY")
        euro = next(row for row in server.store.rows["orders"] if row["currencyCode"] == "EUR")
    assert found[yen["id"]]["totalWithTax"] == str(yen["totalWithTax"])
    assert found[euro["id"]]["totalWithTax"] == f"{euro['totalWithTax'] / 100:.2f}"


def test_what_the_shop_calls_total_in_its_own_fields_is_no_amount() -> None:
    row = {"total": -5, "customFields": {"total": 7}, "lines": [{"amount": 100, "quantity": 3}], "price": None}
    exact = {
        "total": "-0.05",
        "customFields": {"total": 7},
        "lines": [{"amount": "1.00", "quantity": 3}],
        "price": None,
    }
    assert told_exactly(row, 2) == exact


def test_a_row_that_means_nothing_goes_to_the_quarantine_and_the_rest_goes_on() -> None:
    rows = customers(5)
    rows[2] = rows[2] | {"updatedAt": "yesterday"}
    with shop({"customers": rows}) as (_, url):
        done = read(url)
        strict = read(url, fail_on_refused=True)
    assert (done.code, len(done.records("customers")), len(done.records("_quarantine"))) == (0, 4, 1)
    assert strict.code == 5


@pytest.mark.parametrize("stream", [Customers, Orders, Promotions])
def test_every_query_is_one_of_the_published_schema(stream: type[VendureStream]) -> None:
    for custom in ((), ("loyaltyCard",) if stream is Customers else ("giftNote",)):
        if custom and stream is Promotions:
            continue
        assert validate(SCHEMA, parse(listing(stream.name, stream.kind, stream.fields, custom))) == []
    assert validate(SCHEMA, parse(LOGIN)) == []


# ------------------------------------------------------------ what changed


def test_a_second_run_moves_only_what_changed_though_no_moment_tells() -> None:
    with shop() as (server, url):
        first = read(url)
        assert counts(read(url, first.state)) == dict.fromkeys(STREAMS, 0)
        server.store.refund("1")
        server.store.place("2")
        server.store.row("customers", "4")["groups"] = [{"id": "2", "name": "Friends"}]
        second = read(url, first.state)
        assert counts(second) == {"customers": 1, "orders": 2, "promotions": 0}
        order = by_id(second, "orders")["2"]
        assert order["updatedAt"] == by_id(first, "orders")["2"]["updatedAt"]  # the server moved nothing
        assert (order["state"], order["active"]) == ("PaymentSettled", False)


def test_a_full_refresh_gives_the_very_same_rows() -> None:
    with shop() as (_, url):
        first, again = read(url), read(url)
    assert [first.records(name) for name in STREAMS] == [again.records(name) for name in STREAMS]


def test_a_customer_who_was_deleted_is_told_once() -> None:
    with shop() as (server, url):
        first = read(url)
        server.store.delete("customers", "9")
        second = read(url, first.state)
        [gone] = second.records("customers")
        assert (gone["id"], gone["emailAddress"]) == ("9", None)
        assert gone["_deleted_at"]
        assert counts(read(url, second.state)) == dict.fromkeys(STREAMS, 0)


def _filtered(seen: list[Seen]) -> list[Any]:
    asked = [json.loads(each.body)["variables"] for each in seen if b"OrderFilterParameter" in each.body]
    return [each.get("filter") for each in asked]


def test_orders_of_a_window_are_asked_for_after_a_first_run_and_the_others_stay() -> None:
    recent = [row | {"updatedAt": NOW, "orderPlacedAt": NOW} if row["id"] in ("1", "2") else row for row in orders(40)]
    with shop({"orders": recent}) as (server, url), faulty(url) as proxy:
        first = read(proxy.url, recheck_days=30)
        assert counts(first)["orders"] == 40
        assert _filtered(proxy.requests) == [None, None]
        before = len(proxy.requests)
        server.store.refund("1")
        server.store.place("3")  # its moment is old, its day is not
        server.store.delete("orders", "20")
        second = read(proxy.url, first.state, recheck_days=30)
        assert sorted(by_id(second, "orders")) == ["1", "3"]
        [asked] = _filtered(proxy.requests[before:])
        assert [list(each) for each in asked["_or"]] == [["updatedAt"], ["orderPlacedAt"]]
        assert counts(read(proxy.url, second.state, recheck_days=30))["orders"] == 0


def test_pages_are_asked_for_in_the_order_of_ids_that_no_change_moves() -> None:
    with shop() as (_, url), faulty(url) as proxy:
        done = read(proxy.url)
        asked = [json.loads(each.body)["variables"] for each in proxy.requests if b"query Page" in each.body]
    assert sorted(each["skip"] for each in asked) == [0, 0, 0, 20, 20, 40]
    assert [int(row["id"]) for row in done.records("orders")] == list(range(1, 61))


# ------------------------------------------------------------ who may read


@pytest.mark.parametrize("methods", [("bearer",), ("cookie",), ("cookie", "bearer", "api-key")])
def test_a_login_holds_whether_the_session_is_in_a_header_or_in_a_cookie(methods: tuple[str, ...]) -> None:
    with shop(methods=methods) as (server, url):
        assert counts(read(url)) == server.store.counts()


def test_a_key_stands_for_a_login() -> None:
    with shop() as (server, url), faulty(url) as proxy:
        assert counts(read(proxy.url, key=API_KEY)) == server.store.counts()
        assert not [each for each in proxy.requests if b"mutation" in each.body]


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"password": "wrong"}, 2, "the login is refused, POST /admin-api. Next: renew user and password"),
        ({"key": "wrong"}, 2, "holds an error, code FORBIDDEN. Next: renew key, or give them the right to read"),
        ({"password": None}, 2, "setting password is missing. Next: set password"),
        ({"channel": "no-such"}, 2, "the shop has no channel of that token. Next: set channel to the token of one"),
        ({"custom_fields": {"orders": ["noSuchField"]}}, 3, "400 from POST /admin-api"),
        ({"custom_fields": {"orders": ["a { b }"]}}, 2, "custom_fields"),
        ({"custom_fields": {"order": ["a"]}}, 2, "custom_fields"),
        ({"money_digits": {"yen": 0}}, 2, "money_digits"),
        ({"page_size": 1001}, 2, "page_size"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(changes: dict[str, Any], code: int, said: str) -> None:
    with shop() as (_, url):
        done = read(url, **changes)
    assert (done.code, said in done.last_line, ". Next: " in done.last_line) == (code, True, True), done.last_line


def test_a_right_that_is_missing_stops_its_stream_and_no_other() -> None:
    with shop(rights=("ReadCustomer", "ReadPromotion")) as (server, url):
        done = read(url)
        assert counts(done) == server.store.counts() | {"orders": 0}
    assert (done.code, done.last_line) == (
        2,
        "tap-vendure: orders: 200 from POST /admin-api holds an error, code FORBIDDEN. "
        "Next: renew user and password, or give them the right to read.",
    )


def test_an_address_without_the_interface_is_told() -> None:
    with shop() as (_, url):
        done = read(url, path="/shop")
    assert (done.code, "404 from POST /shop. Next: check the URL" in done.last_line) == (2, True)


def test_a_channel_goes_along_with_every_request() -> None:
    with shop() as (server, url), faulty(url) as proxy:
        assert counts(read(proxy.url, channel=CHANNEL)) == server.store.counts()
        lists = [each for each in proxy.requests if b"query Page" in each.body]
        assert {each.headers.get("vendure-token") for each in lists} == {CHANNEL}


def test_a_session_that_ends_in_the_middle_is_begun_anew() -> None:
    with shop() as (server, url), faulty(url) as proxy:

        def plan(seen: Seen, number: int) -> None:
            if number == 3:
                server.sessions.clear()

        proxy.plan = plan
        done = read(proxy.url)
        logins = [each for each in proxy.requests if b"mutation" in each.body]
        assert (done.code, counts(done), len(logins)) == (0, server.store.counts(), 2)
