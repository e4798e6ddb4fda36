"""tap-medusa through its own command: on a shop that answers as Medusa does, and that shop beside a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.servers.medusa import Medusa, serving

from snello.kit.rest import Retry
from snello.kit.testing import Run, run
from snello.sandbox.emulators import Weather, serve
from snello.sandbox.emulators.medusa import KEY, PASSWORD, USER, medusa
from snello.sandbox.emulators.medusa_rows import key
from snello.sandbox.emulators.medusa_store import MedusaStore
from tap_medusa import TapMedusa, main
from tap_medusa.streams import MedusaStream

STREAMS = [each.name for each in TapMedusa.stream_classes]
HEADERS = {"Authorization": f"Basic {KEY}"}


@pytest.fixture
def store() -> MedusaStore:
    return MedusaStore()


@pytest.fixture
def url(store: MedusaStore) -> Iterator[str]:
    with serve(medusa(store)) as address:
        yield address


@pytest.fixture(scope="module")
def real() -> Iterator[Medusa]:
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MedusaStream, "retry", Retry(tries=8, first=0.01, longest=2.0))


def read(url: str, state: Any = None, **changes: Any) -> Run:
    done = run(main, {"url": url, "key": KEY} | changes, state=state)
    assert KEY not in done.err
    return done


def moved(done: Run) -> dict[str, list[str]]:
    """The keys of the rows that came, by stream."""
    return {name: sorted(row["id"] for row in done.records(name)) for name in STREAMS if done.records(name)}


def test_the_whole_shop_is_read_once_by_key_and_by_login(url: str, store: MedusaStore, tmp_path: Path) -> None:
    by_key = read(url, memory=str(tmp_path / "key"))
    by_login = read(url, key=None, user=USER, password=PASSWORD, memory=str(tmp_path / "login"))
    found = {"transactions" if name.endswith("transactions") else name: rows for name, rows in moved(by_key).items()}
    assert found == {name: table.keys for name, table in store.tables.items()}
    assert moved(by_login) == moved(by_key)
    assert by_key.records("_quarantine") == []


def test_amounts_are_exact_and_what_nobody_needs_does_not_come(url: str) -> None:
    done = read(url)
    [order] = [row for row in done.records("orders") if row["id"] == key("order", 10)]
    assert (order["total"], order["item_total"], order["refunded_total"]) == ("51.1256", "48.7756", "2.55")
    assert order["payment_collections"][0]["payments"][0]["refunds"][0]["amount"] == 2.55
    assert {row["_extra"] is None for name in STREAMS for row in done.records(name)} == {True}
    assert "raw_" not in done.out
    for told in ("GIFT-0001", "SC-0001", "Does not fit"):
        assert told not in done.out


def test_a_guest_an_account_without_an_address_and_a_shared_address_are_rows_of_their_own(url: str) -> None:
    rows = {row["id"]: row for row in read(url).records("customers")}
    account, guest = rows[key("cus", 101)], rows[key("cus", 102)]
    assert account["email"] == guest["email"] == "customer101@example.org"
    assert (account["has_account"], guest["has_account"]) == (True, False)
    assert (rows[key("cus", 3)]["email"], rows[key("cus", 3)]["addresses"]) == (None, [])
    assert rows[key("cus", 10)]["groups"] == [{"id": key("cusgroup", 1), "name": "Gold"}]
    assert rows[key("cus", 10)]["metadata"] == {"newsletter": True, "sizes": [39, 40.5]}


def test_a_second_run_moves_only_what_changed_even_where_no_moment_moves(url: str, tmp_path: Path) -> None:
    first = read(url, memory=str(tmp_path))
    post = {"headers": HEADERS, "timeout": 30}
    assert requests.post(f"{url}/admin/customers/{key('cus', 8)}/addresses", json={"city": "Roma"}, **post).ok
    assert requests.post(f"{url}/admin/orders/{key('order', 4)}/refund", json={"amount": 1.5}, **post).ok
    assert requests.post(f"{url}/admin/store-credit-accounts/{key('sc_acc', 2)}/credit", json={"amount": 5}, **post).ok
    second = read(url, first.state, memory=str(tmp_path))
    assert moved(second) == {
        "customers": [key("cus", 8)],
        "orders": [key("order", 4)],
        "store_credit_accounts": [key("sc_acc", 2)],
        "store_credit_transactions": [key("sc_trx", 4), key("sc_trx", 5), key("sc_trx", 30)],
    }
    assert second.records("orders")[0]["refunded_total"] == "1.5"
    assert len(second.records("customers")[0]["addresses"]) == 2
    assert moved(read(url, second.state, memory=str(tmp_path))) == {}


def test_a_full_refresh_gives_the_very_same_rows(url: str, tmp_path: Path) -> None:
    first, again = (read(url, memory=str(tmp_path / name)) for name in ("first", "again"))
    assert {name: first.records(name) for name in STREAMS} == {name: again.records(name) for name in STREAMS}


def test_a_deleted_customer_comes_once_more_as_a_key_and_a_moment(url: str, tmp_path: Path) -> None:
    first = read(url, memory=str(tmp_path))
    assert requests.delete(f"{url}/admin/customers/{key('cus', 12)}", headers=HEADERS, timeout=30).ok
    second = read(url, first.state, memory=str(tmp_path))
    [row] = second.records("customers")
    assert row.pop("_deleted_at").startswith("20")
    assert {name: value for name, value in row.items() if value is not None} == {"id": key("cus", 12)}


def test_bad_weather_loses_and_doubles_nothing(store: MedusaStore) -> None:
    with serve(medusa(store, weather=Weather(limited=0.15, broken=0.15, retry_after=0, seed=3))) as url:
        done = read(url)
    assert done.code == 0
    assert {name: len(rows) for name, rows in moved(done).items()} == {
        name if name != "transactions" else "store_credit_transactions": len(table.keys)
        for name, table in store.tables.items()
    }


def test_a_start_date_less_the_overlap_bounds_the_first_run(url: str) -> None:
    found = read(url, start_date="2026-03-01T08:08:00Z").records("orders")
    assert [row["id"] for row in found] == [key("order", number) for number in range(120, 230)]


def test_a_wrong_key_is_told_with_the_setting_to_renew(url: str) -> None:
    done = read(url, key="sk_wrong")
    assert (done.code, done.last_line.partition(" from ")[2]) == (
        2,
        "GET /admin/customers. Next: renew key, or give them the right to read.",
    )
    assert "sk_wrong" not in done.err


def test_a_refused_login_is_told_with_the_settings_to_renew(url: str) -> None:
    done = read(url, key=None, user=USER, password="wrong-sesame")
    assert done.code == 2
    assert done.last_line.endswith(
        "401 from POST /auth/user/emailpass, the login is refused. Next: renew user and password."
    )
    assert "wrong-sesame" not in done.err


def test_neither_a_key_nor_a_login_is_told(url: str) -> None:
    done = run(main, {"url": url})
    assert (done.code, done.last_line) == (2, "tap-medusa: setting user is missing. Next: set user.")


def test_a_shop_without_the_loyalty_plugin_is_told_and_the_other_streams_are_read(store: MedusaStore) -> None:
    with serve(medusa(store, has_loyalty=False)) as url:
        done = read(url)
    assert done.code == 2
    assert "gift_cards: 404 from GET /admin/gift-cards" in done.err
    assert sorted(moved(done)) == ["customers", "orders", "returns"]


@pytest.mark.parametrize("address", ["shop.example", "ftp://shop.example", ""])
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    done = read(address)
    assert done.code == 2
    assert done.last_line.startswith("tap-medusa: setting url:")


# ------------------------------------------------------------ the stand-in beside the real server

ASKED = (
    ("/admin/customers", "limit=2&order=id&fields=id,email,has_account,*addresses,groups.id,groups.name"),
    ("/admin/customers", "limit=2"),
    ("/admin/customers", "limit=0"),
    ("/admin/customers", "limit=x"),
    ("/admin/customers", "offset=-1"),
    ("/admin/customers", "foo=1"),
    ("/admin/customers", "order=updated_at,id"),
    ("/admin/customers", "limit=1&fields=id,nonsense"),
    ("/admin/customers/cus_none", ""),
    ("/admin/orders", "limit=2&order=id&fields=id,total,item_total,summary.paid_total,summary.refunded_total"),
    ("/admin/returns", "limit=1&order=id&fields=id,status,items.id,items.item_id,items.quantity"),
    ("/admin/returns", "id[$gt]=a"),
    ("/admin/store-credit-accounts", "limit=1&order=id&fields=id,customer_id,balance,credits,debits"),
    ("/admin/gift-cards", "limit=1&order=id&fields=id,status,value,expires_at"),
    ("/admin/gift-cards/none", ""),
    ("/admin/nowhere", ""),
)


def shape(value: Any, wanted: Any) -> Any:
    """The form of a document, whatever is null in either."""
    if isinstance(value, dict) and isinstance(wanted, dict):
        return {name: shape(value.get(name, "missing"), each) for name, each in wanted.items() if each is not None}
    if isinstance(value, list) and isinstance(wanted, list):
        return [shape(value[0], wanted[0])] if value and wanted else "list"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return type(wanted if value is None else value).__name__  # nulls are a matter of the rows


def answer(url: str, token: str, path: str, query: str) -> tuple[int, Any]:
    headers = {"Authorization": f"Basic {token}"}
    given = requests.get(f"{url}{path}?{query}", headers=headers, timeout=60)
    is_json = given.headers.get("content-type", "").startswith("application/json")
    return given.status_code, given.json() if is_json else None


@pytest.mark.real
@pytest.mark.parametrize(("path", "query"), ASKED)
def test_the_stand_in_answers_as_the_real_server_does(real: Medusa, url: str, path: str, query: str) -> None:
    status, body = answer(url, KEY, path, query)
    real_status, real_body = answer(real.url, real.key, path, query)
    assert status == real_status
    if status == 200:
        assert shape(real_body, body) == shape(body, body)
    elif body is not None:
        assert body.get("type") == real_body.get("type")


@pytest.mark.real
@pytest.mark.parametrize("path", ["customers", "orders"])
def test_pages_by_key_hand_out_every_row_once(real: Medusa, path: str) -> None:
    count = real.call("GET", f"/admin/{path}", limit=1)["count"]
    found = [
        row["id"]
        for skipped in range(0, count, 20)
        for row in real.call("GET", f"/admin/{path}", limit=20, offset=skipped, order="id", fields="id")[path]
    ]
    assert found == sorted(set(found))
    assert len(found) == count


@pytest.mark.real
def test_a_refund_an_address_and_a_booking_reach_the_next_run_from_the_real_server(
    real: Medusa, tmp_path: Path
) -> None:
    given = {"key": real.key, "memory": str(tmp_path)}
    first = run(main, {"url": real.url, **given})
    assert first.code == 0
    assert {name: len(rows) for name, rows in moved(first).items()} == real.rows()
    orders = [row for row in first.records("orders") if row["status"] != "canceled"]
    payments = [(row, each["payments"][0]) for row in orders for each in row["payment_collections"]]
    paid, payment = next((row, each["id"]) for row, each in payments if not each["refunds"])
    customer = next(row["id"] for row in first.records("customers") if not row["addresses"])
    account = first.records("store_credit_accounts")[0]["id"]
    real.call("POST", f"/admin/payments/{payment}/refund", {"amount": 1.5})
    real.call("POST", f"/admin/customers/{customer}/addresses", {"address_1": "Via Nuova 1", "country_code": "it"})
    real.call("POST", f"/admin/store-credit-accounts/{account}/credit", {"amount": 0.2})
    second = run(main, {"url": real.url, **given}, state=first.state)
    found = moved(second)
    assert (found["orders"], found["customers"], found["store_credit_accounts"]) == (
        [paid["id"]],
        [customer],
        [account],
    )
    [refund] = second.records("orders")[0]["payment_collections"][0]["payments"][0]["refunds"]
    assert refund["amount"] == 1.5
    assert len(found["store_credit_transactions"]) >= 2
