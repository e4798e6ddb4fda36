"""The stand-in for Medusa keeps to the contract in docs/contracts/medusa.md."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from snello.sandbox.emulators import serve
from snello.sandbox.emulators.medusa import KEY, PASSWORD, USER, medusa
from snello.sandbox.emulators.medusa_rows import key
from snello.sandbox.emulators.medusa_store import MedusaStore


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(medusa(MedusaStore())) as address:
        yield address


def ask(url: str, path: str, header: str = f"Basic {KEY}", **query: Any) -> requests.Response:
    return requests.get(f"{url}/admin/{path}", params=query, headers={"Authorization": header}, timeout=30)


@pytest.mark.parametrize("header", [f"Basic {KEY}", "Basic " + b64encode(f"{KEY}:".encode()).decode()])
def test_a_key_is_taken_as_it_is_and_as_basic_has_it(url: str, header: str) -> None:
    assert ask(url, "customers", header, limit=1).status_code == 200


@pytest.mark.parametrize("header", ["", "Basic sk_wrong", "Bearer nothing", f"Bearer {KEY}", "Basic ***"])
def test_nobody_else_is_let_in(url: str, header: str) -> None:
    answer = ask(url, "customers", header)
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


def test_a_login_gives_a_token(url: str) -> None:
    given = {"email": USER, "password": PASSWORD}
    token = requests.post(f"{url}/auth/user/emailpass", json=given, timeout=30).json()["token"]
    assert ask(url, "orders", f"Bearer {token}", limit=1).status_code == 200
    wrong = requests.post(f"{url}/auth/user/emailpass", json={**given, "password": "no"}, timeout=30)
    assert (wrong.status_code, wrong.json()["type"]) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("customers", {"foo": "1"}, 400),
        ("customers", {"limit": "x"}, 400),
        ("customers", {"offset": "-1"}, 500),
        ("customers", {"order": "updated_at,id"}, 500),
        ("returns", {"id[$gt]": "a"}, 400),
        ("customers", {"id[$gt]": "a", "limit": "0"}, 200),
        ("customers/none", {}, 404),
        ("nowhere", {}, 404),
    ],
)
def test_what_a_list_takes(url: str, path: str, query: dict[str, str], status: int) -> None:
    assert ask(url, path, **query).status_code == status


def test_pages_by_moment_repeat_rows_and_lose_others_and_pages_by_key_do_not(url: str) -> None:
    def walked(order: str) -> list[str]:
        pages = (ask(url, "customers", limit=30, offset=skipped, order=order) for skipped in range(0, 270, 30))
        return [row["id"] for page in pages for row in page.json()["customers"]]

    assert walked("id") == sorted(set(walked("id")))
    assert len(walked("id")) == len(walked("updated_at")) == 259
    assert len(set(walked("updated_at"))) < 259


def test_fields_replace_the_usual_ones_which_hold_no_relation(url: str) -> None:
    [usual] = ask(url, "customers", limit=1).json()["customers"]
    assert "email" in usual
    assert "addresses" not in usual
    [chosen] = ask(url, "customers", limit=1, fields="id,*addresses,groups.name,nonsense").json()["customers"]
    assert chosen.keys() == {"id", "addresses", "groups"}
    assert chosen["groups"] == [{"name": "Gold"}]


def test_rows_from_a_moment_on_are_told_to_the_millisecond(url: str) -> None:
    last = "2026-03-01T08:05:00.000Z"
    assert ask(url, "orders", **{"updated_at[$gte]": last}).json()["count"] == 30
    assert ask(url, "orders", **{"updated_at[$gt]": last}).json()["count"] == 0


def test_a_balance_is_what_was_booked(url: str) -> None:
    name = key("sc_acc", 1)
    account = ask(url, f"store-credit-accounts/{name}").json()["store_credit_account"]
    assert (account["credits"], account["debits"], account["balance"]) == (27.5, 0.1, 27.4)
    bookings = ask(url, f"store-credit-accounts/{name}/transactions").json()
    assert [row["type"] for row in bookings["transactions"]] == ["credit", "debit"]
    assert ask(url, "store-credit-accounts/none/transactions").json()["count"] == 0
