"""tap-odata over a real SAP CAP server: all rows, exact values, only what changed, and faults in one sentence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.servers import cap as erp
from tests.servers.cap import CANARY, USERS, Cap, cap, own_cap

from snello.kit.conformance import Broken, Html, Kill, Seen, Truncated, always, at, every, faulty, first_of
from snello.kit.odata.stream import ODataStream
from snello.kit.rest import Retry
from snello.kit.testing import Run, run
from tap_odata import main

__all__ = ["cap", "own_cap"]

pytestmark = pytest.mark.real

OPEN = [name for name in erp.TABLES if name != "Salaries"]


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(ODataStream, "retry", Retry(tries=8, first=0.01, longest=1.0))


def config(url: str, user: str = "reader", **changes: Any) -> dict[str, Any]:
    return {"url": url, "user": user, "password": USERS[user], "entities": OPEN, "page_size": 100} | changes


def read(url: str, *arguments: str, state: Any = None, catalog: Any = None, **changes: Any) -> Run:
    done = run(main, config(url, **changes), *arguments, state=state, catalog=catalog)
    assert CANARY not in done.err
    assert "sesame" not in done.err
    return done


def ids(done: Run, stream: str, key: str = "ID") -> list[Any]:
    return [row[key] for row in done.records(stream)]


def catalog_of(url: str, **changes: Any) -> dict[str, Any]:
    catalog: dict[str, Any] = json.loads(read(url, "--discover", **changes).out)
    return catalog


def streams_of(catalog: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["tap_stream_id"]: each for each in catalog["streams"] if each["tap_stream_id"] != "_quarantine"}


def same_moment(one: str, other: str) -> bool:
    return datetime.fromisoformat(one) == datetime.fromisoformat(other)


# ------------------------------------------------------------ what there is


def test_the_catalogue_shows_sets_keys_types_and_descriptions(cap: Cap) -> None:
    streams = streams_of(catalog_of(cap.url, entities=["*"]))
    assert set(streams) == set(erp.TABLES)
    assert streams["Invoices"]["key_properties"] == ["company", "number"]
    assert streams["SalesOrderItems"]["key_properties"] == ["order_ID", "position"]
    partner = streams["BusinessPartners"]["schema"]["properties"]
    assert partner["creditLimit"]["description"] == "Credit limit"
    assert partner["name"]["description"] == "As it stands on invoices."
    assert partner["tags"]["type"] == ["array", "null"]
    product = streams["Products"]["schema"]["properties"]
    kinds = {
        name: each.get("format") or each.get("contentEncoding") or each["type"][0] for name, each in product.items()
    }
    assert kinds == {
        "ID": "uuid", "name": "string", "price": "singer.decimal", "weight": "number", "stock": "integer",
        "releasedAt": "date-time", "opensAt": "time", "photo": "base64", "listed": "boolean",
        "_extra": "object", "_deleted_at": "date-time",
    }  # fmt: skip


def test_what_tells_changes_decides_how_a_set_is_read(cap: Cap) -> None:
    streams = streams_of(catalog_of(cap.url, replication={"Invoices": None, "SalesOrders": "createdAt"}))
    found = {name: each.get("replication_key") for name, each in streams.items()}
    assert found == {
        "BusinessPartners": "modifiedAt", "Addresses": "modifiedAt", "Products": None, "SalesOrders": "createdAt",
        "SalesOrderItems": None, "Invoices": None,
    }  # fmt: skip


# ------------------------------------------------------------ all of it


def test_every_row_arrives_once_with_its_exact_values(cap: Cap) -> None:
    done = read(cap.url)
    assert (done.code, done.records("_quarantine")) == (0, [])
    for name in OPEN:
        keys = done.schema(name)["key_properties"]
        found = {tuple(row[key] for key in keys): row for row in done.records(name)}
        truth = {tuple(row[key] for key in keys): row for row in erp.TABLES[name]()}
        assert len(done.records(name)) == len(found)
        assert found.keys() == truth.keys()
        for key, row in truth.items():
            assert_same(found[key], row)


def assert_same(found: dict[str, Any], truth: dict[str, Any]) -> None:
    for name, value in truth.items():
        got = found[name]
        if name in ("creditLimit", "price", "total", "amount", "quantity") and value is not None:
            assert isinstance(got, str)
            assert Decimal(got) == Decimal(value)
        elif name == "tags":
            assert got == json.loads(value or "[]")
        elif name.endswith("At") and name != "opensAt":
            assert same_moment(got, value)
        elif isinstance(value, float):
            assert got == value
        else:
            assert (got, type(got)) == (value, type(value))


def test_digits_that_a_double_cannot_hold_are_kept(cap: Cap) -> None:
    done = read(cap.url, entities=["BusinessPartners"])
    limit = done.schema("BusinessPartners")["schema"]["properties"]["creditLimit"]
    assert (limit["precision"], limit["scale"]) == (15, 2)
    points = {row["ID"]: row["points"] for row in done.records("BusinessPartners")}
    assert points["BP00002"] == 9_007_199_254_740_995  # the nearest double is another number


def test_more_rows_of_one_moment_than_a_page_holds_all_arrive(cap: Cap) -> None:
    done = read(cap.url, entities=["BusinessPartners"], page_size=40)
    tied = [row for row in done.records("BusinessPartners") if same_moment(row["modifiedAt"], erp.DAY.isoformat())]
    assert len(tied) == erp.TIED > 10 * 40


def test_a_page_larger_than_the_server_hands_out_is_read_whole(cap: Cap) -> None:
    with faulty(cap.url) as proxy:
        done = read(proxy.url, entities=["BusinessPartners", "Products"], page_size=5000)
    assert len(set(ids(done, "BusinessPartners"))) == erp.PARTNERS
    assert len(set(ids(done, "Products"))) == erp.PRODUCTS


@pytest.mark.parametrize("paging", ["keyset", "skip", "links"])
def test_every_way_through_the_pages_comes_to_the_same(cap: Cap, paging: str) -> None:
    done = read(cap.url, entities=["Products", "Invoices"], paging=paging)
    assert done.code == 0
    assert sorted(ids(done, "Products")) == sorted(row["ID"] for row in erp.products())
    assert len(done.records("Invoices")) == len(erp.invoices())


def test_pages_of_a_set_without_a_moment_of_change_are_asked_for_at_once(cap: Cap) -> None:
    with faulty(cap.url) as proxy:
        done = read(proxy.url, entities=["Products"])
        queries = [seen.query for seen in proxy.requests if seen.path.endswith("/Products")]
    assert len(done.records("Products")) == erp.PRODUCTS
    assert len(queries) == erp.PRODUCTS // 100 + 1  # the last one is empty: nothing came while pages were read
    assert [query for query in queries if "$count" in query] == queries[:1]


def test_only_selected_properties_are_asked_for(cap: Cap) -> None:
    catalog = catalog_of(cap.url, entities=["BusinessPartners"])
    for entry in streams_of(catalog)["BusinessPartners"]["metadata"]:
        if entry["breadcrumb"] and entry["breadcrumb"][1] in ("name", "contact_email", "contact_phone"):
            entry["metadata"]["selected"] = False
    with faulty(cap.url) as proxy:
        done = read(proxy.url, catalog=catalog, entities=["BusinessPartners"])
        queries = [seen.query for seen in proxy.requests if seen.path.endswith("/BusinessPartners")]
    assert all("$select=" in query and "contact_email" not in query for query in queries)
    assert len(done.records("BusinessPartners")) == erp.PARTNERS
    assert not done.records("BusinessPartners")[0].keys() & {"name", "contact_email", "contact_phone"}


def test_what_a_navigation_property_leads_to_comes_along(cap: Cap) -> None:
    done = read(cap.url, entities=["SalesOrders"], expand={"Sales*": ["items", "partner"]})
    order = next(row for row in done.records("SalesOrders") if row["ID"] == 7)
    assert [item["position"] for item in order["items"]] == [1, 2]
    assert order["partner"]["ID"] == order["partner_ID"]
    assert not [name for name in order["items"][0] if "@" in name]


def test_rows_without_a_moment_of_change_arrive_too() -> None:
    rows = [row | {"modifiedAt": None} if row["settled"] else row for row in erp.invoices()]
    with erp.serving(Invoices=rows) as server:
        first = read(server.url, entities=["Invoices"], page_size=20)
        second = read(server.url, entities=["Invoices"], page_size=20, state=first.state)
    moments = [row["modifiedAt"] for row in first.records("Invoices")]
    assert (len(moments), moments.count(None)) == (len(rows), sum(row["settled"] for row in rows))
    assert {row["modifiedAt"] for row in second.records("Invoices")} <= {None}


# ------------------------------------------------------------ what changed


def test_a_second_run_moves_only_what_changed(own_cap: Cap) -> None:
    first = read(own_cap.url)
    assert [len(read(own_cap.url, state=first.state).records(name)) for name in OPEN] == [0] * len(OPEN)
    own_cap.change("PATCH", "BusinessPartners('BP00007')", {"blocked": True})
    own_cap.change("PATCH", "Products(00000000-0000-0005-0000-000000000005)", {"price": "0.05"})
    own_cap.change("POST", "Addresses", {"partner_ID": "BP00400", "kind": "billing", "city": "Roma"})
    second = read(own_cap.url, state=first.state)
    assert ids(second, "BusinessPartners") == ["BP00007"]
    assert [(row["ID"][-1], row["price"]) for row in second.records("Products")] == [("5", "0.05")]
    assert [row["city"] for row in second.records("Addresses")] == ["Roma"]
    assert [name for name in OPEN if second.records(name)] == ["BusinessPartners", "Addresses", "Products"]


@pytest.mark.parametrize(("entity", "key"), [("Invoices", "dueOn"), ("SalesOrders", "ID")])
def test_a_date_or_a_growing_number_may_tell_what_is_new(cap: Cap, entity: str, key: str) -> None:
    changes: dict[str, Any] = {"entities": [entity], "replication": {entity: key}}
    first = read(cap.url, **changes)
    with faulty(cap.url) as proxy:
        second = read(proxy.url, state=first.state, **changes)
        queries = [seen.query for seen in proxy.requests if seen.path.endswith(entity)]
    assert len(first.records(entity)) == len(erp.TABLES[entity]())
    assert len(second.records(entity)) <= 1  # the last number itself is asked for again
    assert any(f"{key}%20ge%20" in query for query in queries)


def test_a_product_that_is_gone_leaves_a_tombstone_and_only_one(own_cap: Cap) -> None:
    first = read(own_cap.url, entities=["Products"])
    gone = "00000000-0000-0009-0000-000000000009"
    own_cap.change("DELETE", f"Products({gone})")
    second = read(own_cap.url, entities=["Products"], state=first.state)
    [row] = second.records("Products")
    assert row["ID"] == gone
    assert row["_deleted_at"]
    assert {value for name, value in row.items() if name not in ("ID", "_deleted_at")} == {None}
    assert read(own_cap.url, entities=["Products"], state=second.state).records("Products") == []


def test_a_start_date_bounds_the_first_run(cap: Cap) -> None:
    done = read(cap.url, entities=["BusinessPartners"], start_date="2026-03-01T08:14:00Z")
    assert set(ids(done, "BusinessPartners")) == {
        row["ID"] for row in erp.partners() if row["modifiedAt"] > "2026-03-01T08:13"
    }


def test_rows_go_out_in_files_where_the_loader_takes_them(own_cap: Cap, tmp_path: Path) -> None:
    batches = {"encoding": {"format": "parquet"}, "storage": {"root": f"file://{tmp_path}/batches"}}
    changes: dict[str, Any] = {"entities": ["Products"], "batch_config": batches}
    first = read(own_cap.url, **changes)
    own_cap.change("DELETE", "Products(00000000-0000-0003-0000-000000000003)")
    second = read(own_cap.url, state=first.state, **changes)
    [row] = rows_in(second)
    assert (row["ID"][-1], row["name"], row["_deleted_at"] is None) == ("3", None, False)
    found = {row["ID"]: row for row in rows_in(first)}
    assert len(found) == erp.PRODUCTS
    assert found["00000000-0000-0005-0000-000000000005"]["price"] == Decimal("5.10")


def rows_in(done: Run) -> list[dict[str, Any]]:
    files = [file for message in done.messages if message["type"] == "BATCH" for file in message["manifest"]]
    return [row for file in files for row in pq.read_table(file.removeprefix("file://")).to_pylist()]


# ------------------------------------------------------------ bad weather


@pytest.mark.parametrize("entity", ["BusinessPartners", "Products"])
def test_bad_weather_loses_and_doubles_nothing(cap: Cap, entity: str) -> None:
    with faulty(cap.url, first_of(every(3, Broken(503)), at(4, Truncated()))) as proxy:
        done = read(proxy.url, entities=[entity], page_size=50)
        assert [seen.status for seen in proxy.requests].count(503) >= 3
    assert done.code == 0
    assert sorted(ids(done, entity)) == sorted(row["ID"] for row in erp.TABLES[entity]())


def test_a_killed_run_goes_on_at_its_page(cap: Cap, tmp_path: Path) -> None:
    started: list[subprocess.Popen[bytes]] = []
    page_6 = at(6, Kill(lambda: started[0].pid), when=_of_partners)
    with faulty(cap.url, page_6) as proxy:
        (tmp_path / "config.json").write_text(json.dumps(config(proxy.url, entities=["BusinessPartners"])))
        words = [sys.executable, "-c", "from tap_odata import main; main()", "--config", str(tmp_path / "config.json")]
        started.append(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ}))
        out, _ = started[0].communicate(timeout=120)
        assert started[0].returncode == -signal.SIGKILL
        messages = [json.loads(line) for line in out.splitlines(keepends=True) if line.endswith(b"\n")]
        before = {message["record"]["ID"] for message in messages if message["type"] == "RECORD"}
        state = [message["value"] for message in messages if message["type"] == "STATE"][-1]
        asked = len(proxy.requests)
        second = read(proxy.url, entities=["BusinessPartners"], state=state)
        again = [seen for seen in proxy.requests[asked:] if _of_partners(seen)]
    after = ids(second, "BusinessPartners")
    assert len(before) >= 400
    assert before | set(after) == {row["ID"] for row in erp.partners()}
    assert len(after) <= erp.PARTNERS - len(before) + 100
    assert "gt" in again[0].query  # behind the last row, not from the start


def _of_partners(seen: Seen) -> bool:
    return seen.path.endswith("/BusinessPartners")


# ------------------------------------------------------------ what is wrong, in one sentence


def test_a_missing_right_on_one_set_stops_no_other_and_the_exit_code_tells(cap: Cap) -> None:
    done = read(cap.url, entities=["*"])
    assert (done.code, done.last_line) == (
        2,
        "tap-odata: Salaries: 403 from GET /odata/v4/erp/Salaries. "
        "Next: renew user and password, or give them the right to read.",
    )
    assert {name: len(done.records(name)) for name in OPEN} == {name: len(erp.TABLES[name]()) for name in OPEN}
    assert len(read(cap.url, user="hr", entities=["Salaries"]).records("Salaries")) == 1


def test_a_wrong_password_is_told_with_the_settings_to_renew(cap: Cap) -> None:
    done = read(cap.url, password="sesame-wrong")
    assert (done.code, done.out, done.last_line) == (
        2,
        "",
        "tap-odata: 401 from GET /odata/v4/erp/$metadata. "
        "Next: renew user and password, or give them the right to read.",
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"entities": ["SalesOrder"]}, "the service has no entity set SalesOrder. Next: did you mean 'SalesOrders'?"),
        ({"replication": {"Prices*": "at"}}, "setting replication: the service has no entity set Prices*. Next:"),
        ({"replication": {"Products": "changed"}}, "replication: Products has no property changed. Next: valid:"),
        ({"replication": {"Products": "name"}}, "name of Products is neither a moment nor a whole number. Next:"),
        ({"expand": {"SalesOrders": ["item"]}}, "has no navigation property item. Next: did you mean 'items'?"),
        ({"token_url": "https://login.example"}, "client_id is missing. Next: set client_id and client_secret."),
        ({"password": None}, "setting password is missing. Next: set password."),
    ],
)  # fmt: skip
def test_a_setting_that_does_not_fit_the_service_is_told(cap: Cap, changes: dict[str, Any], told: str) -> None:
    done = read(cap.url, **changes)
    assert (done.code, done.out) == (2, "")
    assert told in done.last_line


def test_a_catalogue_that_selects_what_is_not_there_is_told(cap: Cap) -> None:
    catalog = catalog_of(cap.url)
    streams_of(catalog)["Invoices"]["tap_stream_id"] = "Invoice"
    done = read(cap.url, catalog=catalog)
    assert done.code == 3
    assert "the catalog selects Invoice, and the service has no such entity set. Next: did you mean" in done.last_line


@pytest.mark.parametrize("path", ["", "/odata/v4/shop"])
def test_an_address_without_the_service_is_told(cap: Cap, path: str) -> None:
    done = read(cap.url.removesuffix("/odata/v4/erp") + path)
    assert (done.code, done.out, done.last_line) == (
        2,
        "",
        f"tap-odata: 404 from GET {path}/$metadata. Next: check the URL: the interface is not there.",
    )


def test_a_web_page_at_the_address_is_told(cap: Cap) -> None:
    with faulty(cap.url, always(Html())) as proxy:
        done = read(proxy.url)
    assert (done.code, done.out) == (3, "")
    assert "a web page came instead of data from GET /odata/v4/erp/$metadata. Next: check the URL" in done.last_line


def test_no_state_and_no_log_holds_a_person(cap: Cap) -> None:
    done = read(cap.url)
    assert CANARY in {row["contact_email"] for row in done.records("BusinessPartners")}
    assert CANARY not in json.dumps(done.state)
