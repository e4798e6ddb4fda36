from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import polars as pl
import pytest

from snello.errors import ConfigError
from snello.sandbox import World
from snello.sandbox.emulators import Weather, serve
from snello.sandbox.emulators.shop import KEY, ROOT, SECRET, shop


def connected(url: str) -> httpx.Client:
    return httpx.Client(base_url=url + ROOT, auth=(KEY, SECRET), trust_env=False)


@pytest.fixture(scope="module")
def client(world: World) -> Iterator[httpx.Client]:
    with serve(shop(world.company)) as url, connected(url) as it:
        yield it


@pytest.fixture
def fresh(world: World) -> Iterator[httpx.Client]:
    with serve(shop(world.company)) as url, connected(url) as it:
        yield it


def every(client: httpx.Client, path: str, **params: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        answer = client.get(path, params={"per_page": 100, "page": page, **params})
        assert answer.status_code == 200, answer.text
        found += answer.json()
        if page >= int(answer.headers["X-WP-TotalPages"]):
            assert len(found) == int(answer.headers["X-WP-Total"])
            return found
        page += 1


@pytest.mark.parametrize(
    ("path", "stream"), [("/customers", "customers"), ("/orders", "orders"), ("/products/reviews", "product_reviews")]
)
def test_every_document_is_paged_exactly_once(client: httpx.Client, world: World, path: str, stream: str) -> None:
    documents = every(client, path, **({"status": "all"} if stream == "product_reviews" else {}))
    assert len({document["id"] for document in documents}) == len(documents) == world.rows[f"shop.{stream}"]


def test_ten_documents_a_page_come_unasked_with_links_to_the_neighbours(client: httpx.Client) -> None:
    answer = client.get("/orders", params={"page": 2})
    assert len(answer.json()) == 10
    assert 'rel="prev"' in answer.headers["Link"]
    assert 'rel="next"' in answer.headers["Link"]
    assert "page=3" in answer.headers["Link"]


def test_a_page_beyond_the_last_is_empty(client: httpx.Client) -> None:
    answer = client.get("/orders", params={"page": 9999})
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize(
    ("params", "name", "words"),
    [
        ({"per_page": 101}, "per_page", "per_page must be between 1 (inclusive) and 100 (inclusive)"),
        ({"per_page": 0}, "per_page", "per_page must be between 1 (inclusive) and 100 (inclusive)"),
        ({"per_page": "all"}, "per_page", "per_page is not of type integer."),
        ({"page": 0}, "page", "page must be greater than or equal to 1"),
        ({"order": "up"}, "order", "order is not one of asc and desc."),
        ({"orderby": "height"}, "orderby", "orderby is not one of date, modified, id, include."),
        ({"modified_after": "yesterday"}, "modified_after", "Invalid date."),
        ({"include": "1,x"}, "include", "include[0] is not of type integer."),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(
    client: httpx.Client, params: dict[str, Any], name: str, words: str
) -> None:
    answer = client.get("/orders", params=params)
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "rest_invalid_param",
        "message": f"Invalid parameter(s): {name}",
        "data": {"status": 400, "params": {name: words}},
    }


@pytest.mark.parametrize(
    ("auth", "code", "message"),
    [
        (None, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources."),
        (("ck_other", SECRET), "woocommerce_rest_authentication_error", "Consumer key is invalid."),
        ((KEY, "cs_other"), "woocommerce_rest_authentication_error", "Consumer secret is invalid."),
    ],
)
def test_wrong_keys_are_refused(client: httpx.Client, auth: Any, code: str, message: str) -> None:
    answer = httpx.get(client.base_url.join("orders"), auth=auth, trust_env=False)
    assert (answer.status_code, answer.json()["code"], answer.json()["message"]) == (401, code, message)


def test_keys_may_stand_in_the_query_as_some_hosts_need(client: httpx.Client) -> None:
    params = {"consumer_key": KEY, "consumer_secret": SECRET, "per_page": 1}
    assert httpx.get(client.base_url.join("orders"), params=params, trust_env=False).status_code == 200


def test_orders_are_filtered_by_change_exclusively_and_in_the_sites_zone(client: httpx.Client) -> None:
    orders = sorted(every(client, "/orders"), key=lambda order: order["date_modified_gmt"])
    middle = orders[len(orders) // 2]
    expected = {order["id"] for order in orders if order["date_modified_gmt"] > middle["date_modified_gmt"]}
    in_gmt = every(client, "/orders", modified_after=middle["date_modified_gmt"], dates_are_gmt="true")
    in_rome = every(client, "/orders", modified_after=middle["date_modified"])
    ignored = every(client, "/orders", modified_after=middle["date_modified"] + "Z")
    assert {o["id"] for o in in_gmt} == {o["id"] for o in in_rome} == {o["id"] for o in ignored} == expected


def test_customers_ignore_modified_after(client: httpx.Client) -> None:
    answer = client.get("/customers", params={"modified_after": "2030-01-01T00:00:00", "per_page": 1})
    assert int(answer.headers["X-WP-Total"]) == len(every(client, "/customers")) > 0


def test_reviews_show_the_approved_unless_all_are_asked_for(client: httpx.Client) -> None:
    approved, everything = every(client, "/products/reviews"), every(client, "/products/reviews", status="all")
    assert {review["status"] for review in approved} == {"approved"}
    assert len(approved) < len(everything)


def test_orders_can_be_filtered_by_customer_and_status_and_sorted(client: httpx.Client) -> None:
    guests = every(client, "/orders", customer=0)
    assert guests
    assert {order["customer_id"] for order in guests} == {0}
    refunded = every(client, "/orders", status="refunded", orderby="id", order="asc")
    assert {order["status"] for order in refunded} == {"refunded"}
    assert [order["id"] for order in refunded] == sorted(order["id"] for order in refunded)
    assert all(order["refunds"][0]["total"] == "-" + order["total"] for order in refunded)


def test_money_is_decimal_text_that_adds_up_and_moments_come_in_two_zones(client: httpx.Client) -> None:
    for order in every(client, "/orders")[:200]:
        lines = sum(round(float(line["total"]) * 100) for line in order["line_items"])
        rest = sum(round(float(order[name]) * 100) for name in ("total_tax", "shipping_total"))
        assert lines + rest == round(float(order["total"]) * 100)
        local, gmt = (pl.Series([order[f"date_created{z}"]]).str.to_datetime() for z in ("", "_gmt"))
        assert (local - gmt).dt.total_hours()[0] in (1, 2)


def test_answers_and_tax_code_are_meta_data_that_may_be_absent(client: httpx.Client) -> None:
    meta = [{entry["key"]: entry["value"] for entry in c["meta_data"]} for c in every(client, "/customers")]
    for box in ("_newsletter", "_audiences"):
        assert {entry.get(box) for entry in meta} == {"yes", "no", None}
    assert any("_codice_fiscale" in entry for entry in meta)


def test_one_document_is_read_and_an_unknown_one_is_not(client: httpx.Client) -> None:
    order = client.get("/orders", params={"per_page": 1}).json()[0]
    assert client.get(f"/orders/{order['id']}").json() == order
    missing = client.get("/orders/1")
    assert (missing.status_code, missing.json()["code"]) == (404, "woocommerce_rest_shop_order_invalid_id")
    assert client.get("/customers/1").json()["message"] == "Invalid resource ID."
    assert client.get("/coupons").json()["code"] == "rest_no_route"


def test_a_change_moves_the_order_in_the_listing_of_changes(fresh: httpx.Client) -> None:
    number = every(fresh, "/orders", orderby="id", order="asc")[0]["id"]
    changed = fresh.put(f"/orders/{number}", json={"status": "refunded"}).json()
    assert changed["status"] == "refunded"
    newest = fresh.get("/orders", params={"orderby": "modified", "per_page": 1}).json()[0]
    assert (newest["id"], newest["status"]) == (number, "refunded")
    assert newest["date_modified_gmt"] > newest["date_created_gmt"]


def test_a_change_may_name_its_moment(fresh: httpx.Client) -> None:
    number = every(fresh, "/orders")[0]["id"]
    changed = fresh.put(f"/orders/{number}", json={"date_modified_gmt": "2031-07-01T10:00:00"}).json()
    assert (changed["date_modified_gmt"], changed["date_modified"]) == ("2031-07-01T10:00:00", "2031-07-01T12:00:00")
    newest = every(fresh, "/orders", modified_after="2031-07-01T09:59:59", dates_are_gmt="true")
    assert [order["id"] for order in newest] == [number]
    wrong = fresh.put(f"/orders/{number}", json={"date_modified_gmt": "soon"})
    assert (wrong.status_code, wrong.json()["data"]["params"]) == (400, {"date_modified_gmt": "Invalid date."})


def test_a_shop_without_its_files_says_how_to_make_them(tmp_path: Any) -> None:
    with pytest.raises(ConfigError, match=r"^shop: no customers\.arrow in .*\. Next: make the company"):
        shop(tmp_path)


def test_in_bad_weather_calls_fail_as_often_as_told_and_say_how_long_to_wait(world: World) -> None:
    weather = Weather(limited=0.3, broken=0.2, retry_after=7, seed=3)
    with serve(shop(world.company, weather=weather)) as url:
        client = httpx.Client(base_url=url, auth=(KEY, SECRET), trust_env=False)
        answers = [client.get(f"{ROOT}/orders", params={"per_page": 1}) for _ in range(200)]
        inspected = client.get("/_inspect").json()
        client.close()
    statuses = [answer.status_code for answer in answers]
    assert 40 <= statuses.count(429) <= 80
    assert 25 <= statuses.count(503) <= 55
    assert {answer.headers["Retry-After"] for answer in answers if answer.status_code != 200} == {"7"}
    assert inspected["calls"] == {f"GET {ROOT}/orders": 200}
    assert inspected["answers"] == {str(status): statuses.count(status) for status in (200, 429, 503)}


def test_by_default_no_call_fails(client: httpx.Client) -> None:
    inspected = client.get(client.base_url.copy_with(path="/_inspect")).json()
    assert not {"429", "503"} & set(inspected["answers"])


def test_the_refunds_of_an_order_are_documents_of_their_own_with_a_positive_amount(client: httpx.Client) -> None:
    order = every(client, "/orders", status="refunded")[0]
    answer = client.get(f"/orders/{order['id']}/refunds")
    assert answer.headers["X-WP-Total"] == "1"
    [refund] = answer.json()
    assert refund["id"] == order["refunds"][0]["id"]
    assert (refund["amount"], f"-{refund['amount']}") == (order["total"], order["refunds"][0]["total"])
    assert all(line["quantity"] < 0 and line["total"].startswith("-") for line in refund["line_items"])
    paid = every(client, "/orders", status="completed")[0]
    assert client.get(f"/orders/{paid['id']}/refunds").json() == []
    assert client.get("/orders/999999/refunds").status_code == 404


def test_a_document_is_deleted_only_by_force_and_is_then_unknown(fresh: httpx.Client) -> None:
    number = fresh.get("/customers").json()[0]["id"]
    refused = fresh.delete(f"/customers/{number}")
    assert (refused.status_code, refused.json()["code"]) == (501, "woocommerce_rest_trash_not_supported")
    before = int(fresh.get("/customers").headers["X-WP-Total"])
    assert fresh.delete(f"/customers/{number}", params={"force": "true"}).json()["id"] == number
    assert int(fresh.get("/customers").headers["X-WP-Total"]) == before - 1
    gone = fresh.get(f"/customers/{number}")
    assert (gone.status_code, gone.json()["code"]) == (404, "woocommerce_rest_invalid_id")
