"""tap-odoo over a stand-in for Odoo: all rows over both interfaces, shared moments, only what changed, clear faults."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from snello.kit.rest import Retry
from snello.kit.testing import Run, run
from snello.sandbox import files
from snello.sandbox.draw import Draw
from snello.sandbox.emulators import Weather, serve
from snello.sandbox.emulators.odoo import API_KEY, DATABASE, LOGIN, SEEDED, odoo
from snello.sandbox.emulators.odoo_company import of_company
from snello.sandbox.people import make_people
from snello.sandbox.traces.odoo import trace
from tap_odoo import TapOdoo, main
from tap_odoo.stream import OdooStream

MODELS = {each.name: each.model for each in TapOdoo.stream_classes}
OF_CUSTOMERS = {
    "invoices": ("move_type", {"out_invoice", "out_refund"}),
    "payments": ("partner_type", {"customer"}),
}
RPC = {"interface": "jsonrpc", "login": LOGIN}
JSON2 = {"interface": "json2"}
either = pytest.mark.parametrize("interface", [RPC, JSON2], ids=["jsonrpc", "json2"])
PARTNERS = 60


class Server:
    """A stand-in to look into and to work in."""

    def __init__(self, url: str) -> None:
        self.url = url

    def rows(self, stream: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(f"{self.url}/_inspect/records/{MODELS[stream]}").json()
        field, values = OF_CUSTOMERS.get(stream, ("id", None))
        return [row for row in found if values is None or row[field] in values]

    def ids(self, stream: str) -> list[int]:
        return sorted(row["id"] for row in self.rows(stream))

    def inside(self, stream: str, method: str, *given: Any, at: str | None = None) -> Any:
        params = {"at": at} if at else None
        path = f"{self.url}/_inspect/call/{MODELS[stream]}/{method}"
        return httpx.post(path, json=given, params=params).raise_for_status().json()

    def calls(self) -> Counter[str]:
        return Counter(httpx.get(f"{self.url}/_inspect").json()["calls"])


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(OdooStream, "retry", Retry(tries=8, first=0.01, longest=1.0))


@pytest.fixture
def start() -> Iterator[Any]:
    with ExitStack() as stack:
        given = {"partners": PARTNERS}
        yield lambda **more: Server(stack.enter_context(serve(odoo(**{**given, **more}))))


@pytest.fixture
def server(start: Any) -> Server:
    found: Server = start()
    return found


@pytest.fixture(scope="module")
def still() -> Iterator[Server]:
    """One in which nothing is changed."""
    with serve(odoo(partners=PARTNERS)) as url:
        yield Server(url)


def read(url: str, *streams: str, state: Any = None, **changes: Any) -> Run:
    given = {"url": url, "database": DATABASE, "api_key": API_KEY, **changes}
    catalog = None
    if streams:
        catalog = json.loads(run(main, given, "--discover").out)
        for stream in catalog["streams"]:
            root = next(each for each in stream["metadata"] if not each["breadcrumb"])
            root["metadata"]["selected"] = stream["tap_stream_id"] in streams
    done = run(main, given, state=state, catalog=catalog)
    for secret in (API_KEY, str(given["api_key"]), "example.org"):
        assert secret not in done.err
    return done


def ids(done: Run, stream: str) -> list[int]:
    return sorted(row["id"] for row in done.records(stream))


def moved(done: Run) -> dict[str, list[int]]:
    return {name: ids(done, name) for name in MODELS if done.records(name)}


# ------------------------------------------------------------ rows and values


def test_every_row_is_read_and_both_interfaces_give_the_same_rows(still: Server) -> None:
    over_rpc, over_json2 = (read(still.url, **interface) for interface in (RPC, JSON2))
    assert (over_rpc.code, over_json2.code) == (0, 0)
    for stream in MODELS:
        assert ids(over_rpc, stream) == still.ids(stream) != []
        assert over_rpc.records(stream) == over_json2.records(stream)
        declared = set(over_rpc.schema(stream)["schema"]["properties"]) - {"_sdc_extracted_at"}
        assert all(row.keys() == declared for row in over_rpc.records(stream))
        assert all(row["_extra"] is None for row in over_rpc.records(stream))
    assert over_rpc.records("_quarantine") == over_json2.records("_quarantine") == []


@either
def test_false_is_null_but_for_yes_and_no_and_what_is_pointed_to_has_number_and_name(
    server: Server, interface: dict[str, str]
) -> None:
    given = {
        "name": "Odd D'Angelo & Figli",
        "is_company": False,
        "active": False,
        "email": "a@example.org, b@example.org",
    }
    number = server.inside("partners", "create", given)
    done = read(server.url, "partners", "sale_orders", "sale_order_lines", **interface)
    row = next(row for row in done.records("partners") if row["id"] == number)
    assert (row["name"], row["active"], row["is_company"], row["is_blacklisted"]) == (
        given["name"],
        False,
        False,
        False,
    )
    empty = ("phone", "parent_id", "country_id", "country_name", "email_normalized", "lang", "company_id")
    assert {row[name] for name in empty} == {None}
    assert (row["category_id"], row["commercial_partner_id"]) == ([], number)
    order = done.records("sale_orders")[0]
    assert order["date_order"].endswith("T10:00:00Z")
    assert order["write_date"] == f"{SEEDED[:10]}T{SEEDED[11:19]}Z"
    assert {row["currency_name"] for row in done.records("sale_orders")} == {"EUR", "JPY"}
    kept = {row["id"]: row for row in server.rows("sale_orders")}
    assert all(float(row["amount_total"]) == kept[row["id"]]["amount_total"] for row in done.records("sale_orders"))
    assert {type(row["amount_total"]) for row in done.records("sale_orders")} == {str}
    assert {row["purchase_price"] for row in done.records("sale_order_lines")} == {None}  # no such field there
    assert {row["display_type"] for row in done.records("sale_order_lines")} == {None, "line_note"}


@either
def test_archived_rows_come_marked_as_such(still: Server, interface: dict[str, str]) -> None:
    done = read(still.url, "partners", "leads", "blacklist", **interface)
    for stream in ("partners", "leads", "blacklist"):
        archived = sorted(row["id"] for row in still.rows(stream) if not row["active"])
        assert sorted(row["id"] for row in done.records(stream) if row["active"] is False) == archived != []


def test_bills_and_payments_of_suppliers_do_not_come(still: Server) -> None:
    done = read(still.url, "invoices", "payments", **JSON2)
    bills = [row for row in httpx.get(f"{still.url}/_inspect/records/account.move").json()]
    assert {row["move_type"] for row in bills} == {"in_invoice", "out_invoice"}
    assert {row["move_type"] for row in done.records("invoices")} == {"out_invoice"}
    assert {row["partner_type"] for row in done.records("payments")} == {"customer"}
    settled = {number for row in done.records("payments") for number in row["reconciled_invoice_ids"]}
    assert settled <= {row["id"] for row in done.records("invoices")}


def test_rows_of_the_companies_that_are_set_come_and_those_of_no_company(still: Server) -> None:
    done = read(still.url, "sale_orders", "partners", companies=[2], **RPC)
    wanted = sorted(row["id"] for row in still.rows("sale_orders") if row["company_id"] == 2)
    assert ids(done, "sale_orders") == wanted
    assert len(wanted) < len(still.rows("sale_orders"))
    assert ids(done, "partners") == still.ids("partners")


# ------------------------------------------------------------ moments


@either
def test_hundreds_of_rows_that_share_a_hidden_microsecond_are_read_once_each_in_pages_of_seven(
    still: Server, interface: dict[str, str]
) -> None:
    assert {row["write_date"] for row in still.rows("sale_order_lines")} == {SEEDED}
    done = read(still.url, "sale_order_lines", page_size=7, **interface)
    assert [row["id"] for row in done.records("sale_order_lines")] == still.ids("sale_order_lines")


@either
def test_the_next_run_moves_only_what_changed(server: Server, interface: dict[str, str]) -> None:
    first = read(server.url, **interface)
    partners, orders = server.ids("partners"), server.ids("sale_orders")
    server.inside("partners", "write", partners[20:23], {"name": "Changed"})
    server.inside("partners", "write", partners[30:31], {"active": False})
    new = server.inside("leads", "create", {"name": "New", "type": "lead"})
    server.inside("sale_orders", "write", orders[:1], {"state": "cancel"})
    second = read(server.url, state=first.state, **interface)
    assert moved(second) == {
        "partners": sorted([*partners[20:23], partners[30]]),
        "leads": [new],
        "sale_orders": orders[:1],
    }
    assert moved(read(server.url, state=second.state, **interface)) == {}


def test_countries_and_states_come_again_only_when_they_changed_though_all_are_of_one_moment(server: Server) -> None:
    italy = server.ids("countries")[0]
    many = [{"name": f"State {number}", "code": f"{number}", "country_id": italy} for number in range(1_200)]
    made = server.inside("country_states", "create", many, at=SEEDED)
    first = read(server.url, "countries", "country_states", **JSON2)
    assert set(made) <= set(ids(first, "country_states"))
    server.inside("country_states", "write", made[7:8], {"code": "changed"})
    server.inside("countries", "write", [italy], {"code": "XI"})
    second = read(server.url, "countries", "country_states", state=first.state, **JSON2)
    assert moved(second) == {"country_states": made[7:8], "countries": [italy]}
    assert moved(read(server.url, "countries", "country_states", state=second.state, **JSON2)) == {}


def test_a_second_run_over_the_companys_odoo_moves_nothing(tmp_path: Path) -> None:
    as_of = datetime(2026, 10, 1, tzinfo=UTC)
    for name, frame in trace(make_people(200, 3, as_of), Draw(3, "odoo", as_of)).tables.items():
        files.arrow(frame, tmp_path / "company" / "odoo" / f"{name}.arrow")
    with serve(of_company(tmp_path / "company")) as url:
        first = read(url, **RPC)
        assert moved(first).keys() >= {"countries", "country_states", "partners", "sale_orders", "invoices"}
        assert moved(read(url, state=first.state, **RPC)) == {}


@either
def test_a_full_refresh_gives_the_very_same_rows(still: Server, interface: dict[str, str]) -> None:
    first, again = (read(still.url, **interface) for _ in range(2))
    assert {name: first.records(name) for name in MODELS} == {name: again.records(name) for name in MODELS}


@either
def test_rows_of_the_last_second_that_were_committed_later_are_read_by_the_next_run(
    server: Server, interface: dict[str, str]
) -> None:
    first = read(server.url, "partners", **interface)
    same_second = SEEDED.replace(".250000", ".750000")
    late = [server.inside("partners", "create", {"name": "Late"}, at=at) for at in (same_second, SEEDED)]
    long_one = server.inside("partners", "create", {"name": "Two minutes"}, at="2026-09-30 07:58:00.000001")
    second = read(server.url, "partners", state=first.state, **interface)
    assert ids(second, "partners") == sorted([*late, long_one])


@either
def test_an_address_that_gets_blacklisted_is_told_though_its_partner_did_not_change(
    server: Server, interface: dict[str, str]
) -> None:
    server.inside("partners", "create", {"name": "Newer than the overlap"})
    first = read(server.url, **interface)
    [number] = server.inside("blacklist", "create", [{"email": "Person3@example.org"}])
    second = read(server.url, state=first.state, **interface)
    assert moved(second) == {"blacklist": [number]}
    assert second.records("blacklist")[0]["email"] == "person3@example.org"
    marked = [row for row in read(server.url, "partners", **interface).records("partners") if row["is_blacklisted"]]
    assert "person3@example.org" in {row["email_normalized"] for row in marked}


@either
def test_rows_deleted_between_runs_are_reported_where_that_is_asked_for(
    server: Server, interface: dict[str, str]
) -> None:
    given = {"deletions": ["partners"], **interface}
    first = read(server.url, "partners", "leads", **given)
    gone = [server.ids("partners")[4], server.ids("partners")[9]]
    server.inside("partners", "unlink", gone)
    server.inside("leads", "unlink", server.ids("leads")[:1])
    second = read(server.url, "partners", "leads", state=first.state, **given)
    assert moved(second) == {"partners": gone}
    for row in second.records("partners"):
        assert row.pop("_deleted_at")
        assert [name for name, value in row.items() if value is not None] == ["id"]
    assert moved(read(server.url, "partners", "leads", state=second.state, **given)) == {}


def test_a_start_date_bounds_the_first_run_but_for_what_addresses_point_to(server: Server) -> None:
    new = server.inside("leads", "create", {"name": "New", "type": "lead"})
    done = read(server.url, start_date="2026-10-15", **JSON2)
    places = {name: server.ids(name) for name in ("countries", "country_states")}
    assert moved(done) == {"leads": [new], **places}


def test_a_run_costs_one_request_for_the_fields_of_a_stream_and_one_a_page(server: Server) -> None:
    read(server.url, page_size=1000, **JSON2)
    made = server.calls()
    for model in MODELS.values():
        calls = {path: count for path, count in made.items() if f"/{model}/" in path}
        assert {path.rpartition("/")[2]: count for path, count in calls.items()} == {"fields_get": 1, "search_read": 1}


# ------------------------------------------------------------ interruptions


@either
def test_bad_weather_loses_and_doubles_nothing(start: Any, interface: dict[str, str]) -> None:
    server = start(weather=Weather(limited=0.15, broken=0.15, retry_after=0, seed=3))
    done = read(server.url, page_size=20, **interface)
    assert done.code == 0
    assert {name: ids(done, name) for name in MODELS} == {name: server.ids(name) for name in MODELS}


@either
def test_meeting_another_transaction_is_tried_again(
    start: Any, interface: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snello.sandbox.emulators.odoo.WRITING", frozenset({"search_read"}))
    server = start(busy=3)
    done = read(server.url, "partners", page_size=20, **interface)
    assert done.code == 0
    assert ids(done, "partners") == server.ids("partners")
    assert done.err.count("asking again") == 3


# ------------------------------------------------------------ what is wrong, in one sentence


def test_a_wrong_key_is_tried_once_over_jsonrpc(server: Server) -> None:
    done = read(server.url, **RPC | {"api_key": "wrong-key-0123"})
    assert (done.code, done.last_line) == (
        2,
        "tap-odoo: Odoo refuses the login. Next: renew api_key, and see that login and database are right.",
    )
    assert sum(server.calls().values()) == 1


def test_a_wrong_key_is_told_over_json2(still: Server) -> None:
    done = read(still.url, "partners", **JSON2 | {"api_key": "wrong-key-0123"})
    assert (done.code, done.last_line) == (
        2,
        "tap-odoo: partners: 401 from POST /json/2/res.partner/fields_get. "
        "Next: renew api_key, or give them the right to read.",
    )


def test_no_login_is_told(still: Server) -> None:
    done = read(still.url, interface="jsonrpc")
    assert (done.code, done.last_line) == (2, "tap-odoo: setting login is missing. Next: set login.")


@pytest.mark.parametrize(
    ("interface", "told"),
    [
        (RPC, "the server has no such database, or does not reach it. Next: set database to one that it has."),
        (
            JSON2,
            "404 from POST /json/2/res.partner/fields_get. "
            "Next: check url and database; versions before 19 are read with interface: jsonrpc.",
        ),
    ],
    ids=["jsonrpc", "json2"],
)
def test_an_unknown_database_is_told(still: Server, interface: dict[str, str], told: str) -> None:
    done = read(still.url, "partners", **interface | {"database": "elsewhere"})
    assert (done.code, done.last_line) == (2, f"tap-odoo: partners: {told}")


def test_a_version_without_json2_is_told(start: Any) -> None:
    done = read(start(version=18).url, "partners", **JSON2)
    assert done.code == 2
    assert done.last_line.endswith("Next: check url and database; versions before 19 are read with interface: jsonrpc.")


@either
def test_a_missing_right_stops_no_other_stream_and_names_the_model(start: Any, interface: dict[str, str]) -> None:
    server = start(denied=[("sale.order", "read"), ("mail.blacklist", "read")])
    done = read(server.url, **interface)
    assert done.code == 2
    for name in ("sale_orders", "blacklist"):
        told = f"tap-odoo: {name}: no right to read {MODELS[name]}. "
        assert f"{told}Next: give the user that right, or deselect the stream; see that companies" in done.err
        assert done.records(name) == []
    others = set(MODELS) - {"sale_orders", "blacklist"}
    assert {name: ids(done, name) for name in others} == {name: server.ids(name) for name in others}


@either
def test_a_company_that_is_not_the_users_is_refused(still: Server, interface: dict[str, str]) -> None:
    done = read(still.url, "sale_orders", companies=[9], **interface)
    assert (done.code, done.last_line) == (
        2,
        "tap-odoo: sale_orders: no right to read sale.order. Next: give the user that right, or deselect the stream; "
        "see that companies, where set, are the user's own.",
    )


@either
def test_a_model_whose_module_is_missing_is_named(start: Any, interface: dict[str, str]) -> None:
    server = start(absent=["crm.lead"])
    done = read(server.url, "leads", "partners", **interface)
    assert (done.code, done.last_line) == (
        2,
        "tap-odoo: leads: the server has no crm.lead. "
        "Next: activate the module that brings it, or deselect the stream.",
    )
    assert ids(done, "partners") == server.ids("partners")


def test_an_address_without_odoo_is_told(still: Server) -> None:
    done = read(f"{still.url}/blog", "partners", **RPC)
    assert done.code == 2
    assert "404 from POST /blog/jsonrpc. Next: check the URL" in done.last_line


@pytest.mark.parametrize(
    ("changes", "setting"),
    [({"url": "erp.example"}, "url"), ({"database": "a b"}, "database"), ({"interface": "xmlrpc"}, "interface")],
)
def test_a_setting_that_is_none_is_refused_at_once(still: Server, changes: dict[str, str], setting: str) -> None:
    done = read(**{"url": still.url, **changes})
    assert done.code == 2
    assert done.last_line.startswith(f"tap-odoo: setting {setting}:")


def test_a_stream_that_is_none_is_refused_at_once(still: Server) -> None:
    done = read(still.url, deletions=["elsewhere"], **JSON2)
    assert done.code == 2
    assert "deletions" in done.last_line
