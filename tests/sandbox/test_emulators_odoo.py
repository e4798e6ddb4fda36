from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import odoolib
import pytest
from odoolib.tools import AuthenticationError, JsonRPCException

from snello.sandbox.emulators import Weather, serve
from snello.sandbox.emulators.odoo import API_KEY, DATABASE, LOGIN, SEEDED, odoo

Start = Callable[..., str]
PROTOCOLS = {18: "jsonrpc", 19: "json2"}
versions = pytest.mark.parametrize("version", PROTOCOLS)


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:
        yield lambda *args, **given: stack.enter_context(serve(odoo(*args, **given)))


def client(url: str, version: int, key: str = API_KEY) -> Any:
    port = urlsplit(url).port
    return odoolib.get_connection("127.0.0.1", PROTOCOLS[version], port, DATABASE, LOGIN, key)


def fault(call: Callable[[], Any]) -> str:
    """The class of Odoo's exception, over either protocol."""
    with pytest.raises((JsonRPCException, ValueError)) as raised:
        call()
    if isinstance(raised.value, JsonRPCException):
        return str(raised.value.error["data"]["name"])
    return str(raised.value)


@versions
def test_odoos_own_client_makes_finds_changes_and_deletes_a_partner(start: Start, version: int) -> None:
    partner = client(start(version=version), version).get_model("res.partner")
    made = partner.create([{"name": "Ada", "email": "Ada@Example.it"}, {"name": "Eva"}])
    assert len(made) == 2
    partner.write(made[:1], {"ref": "c1", "category_id": [[4, 1, 0]]})
    (found,) = partner.search_read(
        domain=[["email_normalized", "=", "ada@example.it"]], fields=["name", "ref", "category_id", "phone"]
    )
    assert found == {"id": made[0], "name": "Ada", "ref": "c1", "category_id": [1], "phone": False}
    assert partner.unlink(made) is True
    assert partner.search_count([["name", "in", ["Ada", "Eva"]]]) == 0


@versions
def test_a_wrong_key_is_no_login(start: Start, version: int) -> None:
    with pytest.raises(AuthenticationError):
        client(start(version=version), version, "wrong").get_model("res.partner").search_count(domain=[])


@versions
@pytest.mark.parametrize(
    ("model", "method", "named", "name"),
    [
        ("res.partner", "create", {"vals_list": [{"email": "a@example.it"}]}, "ValidationError"),
        ("res.partner", "create", {"vals_list": [{"name": "A", "vat": "IT12345678901"}]}, "ValidationError"),
        ("res.partner", "create", {"vals_list": [{"name": "A", "x_none": 1}]}, "ValueError"),
        ("res.partner", "create", {"vals_list": [{"name": "A", "x_snello_score": "much"}]}, "ValueError"),
        ("res.partner", "search_read", {"domain": [["x_none", "=", 1]]}, "ValueError"),
        ("res.partner", "search_read", {"domain": [["name", "near", "A"]]}, "ValueError"),
        ("mail.blacklist", "create", {"vals_list": [{"email": "nobody"}]}, "UserError"),
        ("sale.order", "search_read", {"domain": []}, "exist"),
        ("res.partner", "_write", {}, "AccessError"),
        ("res.partner", "explode", {}, "AttributeError"),
    ],
)
def test_what_odoo_refuses_is_refused(
    start: Start, version: int, model: str, method: str, named: dict[str, Any], name: str
) -> None:
    answer = call(start(version=version), version, model, method, **named)
    assert name in f"{answer['name']} {answer['message']}"


def call(url: str, version: int, model: str, method: str, ids: Any = None, **named: Any) -> dict[str, Any]:
    """The exception that a call ends with."""
    if version == 19:
        headers = {"Authorization": f"bearer {API_KEY}"}
        body = named if ids is None else {**named, "ids": ids}
        answer = httpx.post(f"{url}/json/2/{model}/{method}", headers=headers, json=body)
        assert answer.status_code >= 400
        told: dict[str, Any] = answer.json()
        return told
    first = ids if ids is not None else named.pop("vals_list", [])
    args = [DATABASE, 2, API_KEY, model, method, [first] if first or ids is not None else [], named]
    body = {"jsonrpc": "2.0", "id": 1, "params": {"service": "object", "method": "execute_kw", "args": args}}
    answer = httpx.post(f"{url}/jsonrpc", json=body)
    assert answer.status_code == 200
    error: dict[str, Any] = answer.json()["error"]
    assert error["message"] == "Odoo Server Error"
    data: dict[str, Any] = error["data"]
    return data


@versions
def test_gone_records_are_missing_and_a_lacking_right_is_named(start: Start, version: int) -> None:
    url = start(version=version, denied=[("res.partner", "create")])
    assert "MissingError" in call(url, version, "res.partner", "write", [99], vals={"ref": "x"})["name"]
    told = call(url, version, "res.partner", "create", vals_list=[{"name": "A"}])
    assert told["name"] == "odoo.exceptions.AccessError"
    assert "not allowed to create 'Contact' (res.partner)" in told["message"]


def test_version_18_has_no_json2_and_create_takes_its_records_by_position(start: Start) -> None:
    url = start(version=18)
    assert httpx.get(f"{url}/web/version").status_code == 404
    headers = {"Authorization": f"bearer {API_KEY}"}
    assert httpx.post(f"{url}/json/2/res.partner/search_count", headers=headers, json={}).status_code == 404
    args = [DATABASE, 2, API_KEY, "res.partner", "create", [], {"vals_list": [{"name": "A"}]}]
    body = {"jsonrpc": "2.0", "id": 1, "params": {"service": "object", "method": "execute_kw", "args": args}}
    assert httpx.post(f"{url}/jsonrpc", json=body).json()["error"]["data"]["name"] == "builtins.IndexError"


@versions
def test_an_import_makes_all_or_none_and_changes_what_its_external_id_names(start: Start, version: int) -> None:
    url = start(version=version)
    partner = client(url, version).get_model("res.partner")
    fields = ["id", "name", "category_id/.id"]
    mixed = partner.load(fields=fields, data=[["snello.c1", "Ada", "1"], ["snello.c2", "", "1"]])
    assert mixed["ids"] is False
    assert [said["record"] for said in mixed["messages"]] == [1]
    assert partner.search_count(domain=[]) == 0
    first = partner.load(fields=fields, data=[["snello.c1", "Ada", "1"]])
    again = partner.load(fields=fields, data=[["snello.c1", "Ada Rossi", "1"]])
    assert first["ids"] == again["ids"]
    assert [row["name"] for row in partner.search_read(domain=[], fields=["name"])] == ["Ada Rossi"]
    (link,) = client(url, version).get_model("ir.model.data").search_read(domain=[], fields=["module", "name"])
    assert (link["module"], link["name"]) == ("snello", "c1")
    partner.unlink(first["ids"])
    assert client(url, version).get_model("ir.model.data").search_count(domain=[]) == 0


def test_who_is_archived_is_shown_only_to_who_asks(start: Start) -> None:
    partner = client(start(), 19).get_model("res.partner")
    partner.create([{"name": "Old", "active": False}, {"name": "New"}])
    assert partner.search_count(domain=[]) == 1
    assert partner.search_count(domain=[], context={"active_test": False}) == 2
    assert partner.search_count(domain=["|", ["active", "=", True], ["active", "=", False]]) == 2
    assert partner.search_count(domain=["!", ["name", "=", "New"]], context={"active_test": False}) == 1


def test_an_address_is_on_the_blacklist_once(start: Start) -> None:
    blacklist = client(start(), 19).get_model("mail.blacklist")
    assert blacklist.create([{"email": "A@example.it"}]) == blacklist.create([{"email": "Ada <a@example.it>"}])


def test_a_call_that_fails_changes_nothing_and_what_went_well_outlives_a_restart(start: Start, tmp_path: Path) -> None:
    url = start(tmp_path / "odoo.db", busy=1)
    partner = client(url, 19).get_model("res.partner")
    assert "SerializationFailure" in fault(lambda: partner.create([{"name": "Ada"}]))
    assert "ValidationError" in fault(lambda: partner.create([{"name": "Ada"}, {"name": ""}]))
    (made,) = partner.create([{"name": "Ada"}])
    again = client(start(tmp_path / "odoo.db"), 19).get_model("res.partner")
    assert again.search_read(domain=[], fields=["name"]) == [{"id": made, "name": "Ada"}]


def test_bad_weather_and_counts_are_those_of_every_emulator(start: Start) -> None:
    url = start(weather=Weather(limited=1.0))
    assert httpx.post(f"{url}/json/2/res.partner/search", json={}).status_code == 429
    assert httpx.get(f"{url}/_inspect").json()["tags"] == {"long_absent": 0}


# ------------------------------------------------------------ reading what a company has done


@versions
def test_a_company_with_a_past_has_the_models_for_it_and_one_without_has_not(start: Start, version: int) -> None:
    assert client(start(version=version, partners=20), version).get_model("sale.order").search_count([]) > 10
    order = client(start(version=version), version).get_model("sale.order")
    told = fault(lambda: order.search_count([]))
    assert told == "odoo.exceptions.UserError" if version == 18 else "does not exist" in told


@versions
def test_moments_are_kept_to_the_microsecond_and_shown_in_whole_seconds(start: Start, version: int) -> None:
    partner = client(start(version=version, partners=20), version).get_model("res.partner")
    domain = [["write_date", ">", SEEDED[:19]]]
    shown = partner.search_read(domain=domain, fields=["write_date"], context={"active_test": False})
    assert {row["write_date"] for row in shown} == {SEEDED[:19]}  # greater than itself, as it is shown
    assert partner.search_count([["write_date", "=", SEEDED[:19]]]) == 0
    assert partner.search_count([["write_date", ">=", "2026-09-30 08:00:01"]]) == 0


@versions
def test_what_a_row_points_to_comes_with_its_name_and_nothing_is_false(start: Start, version: int) -> None:
    server = client(start(version=version, partners=20), version)
    order = server.get_model("sale.order").search_read(domain=[], fields=["currency_id", "origin"], limit=1)[0]
    assert order["currency_id"] in ([1, "EUR"], [2, "JPY"])
    assert order["origin"] is False
    kinds = server.get_model("sale.order").fields_get(attributes=["type"])
    assert {name: kinds[name]["type"] for name in ("currency_id", "amount_total", "write_date")} == {
        "currency_id": "many2one",
        "amount_total": "monetary",
        "write_date": "datetime",
    }


@versions
def test_a_page_is_what_lies_behind_an_id(start: Start, version: int) -> None:
    line = client(start(version=version, partners=20), version).get_model("sale.order.line")
    found: list[int] = []
    while page := line.search_read(domain=[["id", ">", max(found, default=0)]], fields=["id"], limit=7, order="id"):
        found += [row["id"] for row in page]
    assert found == sorted(set(found))
    assert len(found) == line.search_count([])


@versions
def test_rows_are_those_of_the_companies_in_the_context_and_others_are_refused(start: Start, version: int) -> None:
    order = client(start(version=version, partners=40), version).get_model("sale.order")
    every = order.search_count([])
    counted = [order.search_count([], context={"allowed_company_ids": [number]}) for number in (1, 2)]
    assert sum(counted) == every
    assert 0 not in counted
    assert "AccessError" in fault(lambda: order.search_count([], context={"allowed_company_ids": [9]}))


@versions
def test_the_blacklist_marks_partners_without_changing_them(start: Start, version: int) -> None:
    server = client(start(version=version, partners=20), version)
    partner, asked = server.get_model("res.partner"), [["email_normalized", "=", "person2@example.org"]]
    before = partner.search_read(domain=asked, fields=["is_blacklisted", "write_date"])[0]
    server.get_model("mail.blacklist").create([{"email": "Person2@example.org"}])
    after = partner.search_read(domain=asked, fields=["is_blacklisted", "write_date"])[0]
    assert (before["is_blacklisted"], after["is_blacklisted"]) == (False, True)
    assert before["write_date"] == after["write_date"]


def test_the_same_company_has_the_same_past_every_time(start: Start) -> None:
    first, second = (httpx.get(f"{start(partners=30)}/_inspect/records/sale.order").json() for _ in range(2))
    assert first == second
