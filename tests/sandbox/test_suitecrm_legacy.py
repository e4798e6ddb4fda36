"""The stand-in's elder interface, and the records that it and V8 hand out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from snello.sandbox.emulators import serve
from snello.sandbox.emulators.suitecrm import CLIENT_ID, CLIENT_SECRET, suitecrm
from snello.sandbox.emulators.suitecrm_fields import fields_of
from snello.sandbox.emulators.suitecrm_legacy import PASSWORD, PATH, USER
from snello.sandbox.emulators.suitecrm_rows import records_of

Start = Callable[..., "Crm"]
PAGE = {"query": "", "order_by": "contacts.id asc", "offset": 0, "select_fields": ["id", "last_name"]}


class Crm:
    """A client of the elder interface."""

    def __init__(self, url: str) -> None:
        self.url = url
        digest = hashlib.md5(PASSWORD.encode()).hexdigest()
        self.login = {"user_auth": {"user_name": USER, "password": digest}}
        self.session = self.call("login", **self.login)["id"]

    def call(self, method: str, **given: Any) -> Any:
        form = {"method": method, "input_type": "JSON", "response_type": "JSON", "rest_data": json.dumps(given)}
        answer = httpx.post(self.url + PATH, data=form)
        assert answer.status_code == 200
        return answer.json()

    def page(self, module: str = "Contacts", **given: Any) -> Any:
        return self.call("get_entry_list", session=self.session, module_name=module, **{**PAGE, **given})


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:
        yield lambda **given: Crm(stack.enter_context(serve(suitecrm(**{"contacts": 60, **given}))))


@pytest.fixture
def crm(start: Start) -> Crm:
    return start()


def ids(page: Any) -> list[str]:
    return [entry["id"] for entry in page["entry_list"]]


def test_a_page_holds_so_many_records_and_tells_how_many_there_are(crm: Crm) -> None:
    first = crm.page(max_results=25)
    assert (first["result_count"], first["total_count"], first["next_offset"]) == (25, "56", 25)
    rest = crm.page(max_results=25, offset=50)
    assert (rest["result_count"], rest["next_offset"]) == (6, 56)
    assert crm.page(max_results=0)["result_count"] == 20
    assert sorted(ids(first)) == ids(first)


def test_an_entry_is_names_and_values_and_an_unknown_field_is_left_out_without_a_word(crm: Crm) -> None:
    [entry] = crm.page(max_results=1, select_fields=["last_name", "no_such_field"])["entry_list"]
    assert entry["module_name"] == "Contacts"
    assert entry["name_value_list"].keys() == {"last_name"}
    assert entry["name_value_list"]["last_name"]["name"] == "last_name"


def test_a_query_is_comparisons_of_the_modules_own_columns(crm: Crm) -> None:
    first, second, third = ids(crm.page(max_results=3))
    behind = crm.page(query=f"contacts.id > '{first}' AND contacts.id <= '{third}'")
    assert ids(behind) == [second, third]
    recent = crm.page(query="contacts.date_modified >= '2026-01-06 00:00:00'", select_fields=["date_modified"])
    moments = [entry["name_value_list"]["date_modified"]["value"] for entry in recent["entry_list"]]
    assert moments
    assert min(moments) >= "2026-01-06 00:00:00"


@pytest.mark.parametrize("query", ["1=1 OR 1", "leads.id > 'x'", "contacts.email1 = 'x'", "contacts.nothing = 'x'"])
def test_what_the_database_does_not_understand_is_a_fault_of_the_server(crm: Crm, query: str) -> None:
    given = {"session": crm.session, "module_name": "Contacts", "query": query}
    form = {"input_type": "JSON", "response_type": "JSON", "rest_data": json.dumps(given)}
    answer = httpx.post(crm.url + PATH, data={"method": "get_entry_list", **form})
    assert (answer.status_code, "suitecrm.log" in answer.text) == (500, True)


def test_deleted_records_are_listed_apart(crm: Crm) -> None:
    gone = crm.page(deleted=1, select_fields=["deleted"])
    assert [entry["name_value_list"]["deleted"]["value"] for entry in gone["entry_list"]] == ["1"] * 4
    assert not set(ids(gone)) & set(ids(crm.page(max_results=100)))


@pytest.mark.parametrize(
    ("method", "given", "number"),
    [
        ("login", {"user_auth": {"user_name": USER, "password": PASSWORD}}, 10),
        ("get_entry_list", {"session": "ended", "module_name": "Contacts"}, 11),
        ("nothing", {}, 1001),
    ],
)
def test_a_fault_comes_inside_a_200(crm: Crm, method: str, given: dict[str, Any], number: int) -> None:
    told = crm.call(method, **given)
    assert told.keys() == {"name", "number", "description"}
    assert told["number"] == number


def test_an_unknown_module_and_a_missing_right_are_faults(start: Start) -> None:
    crm = start(lacking={"Leads/list", "Calls/access"})
    assert [crm.page(module)["number"] for module in ("Notes", "Leads", "Calls")] == [20, 40, 40]
    assert crm.page("Cases", order_by="")["result_count"] == 19


def test_a_session_ends(start: Start) -> None:
    crm = start(token_life=0.0)
    assert crm.page()["number"] == 11


def test_a_user_logs_in_to_v8_with_a_client_of_the_kind_password(crm: Crm) -> None:
    login = {"grant_type": "password", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "username": USER}
    told = httpx.post(f"{crm.url}/Api/access_token", data={**login, "password": PASSWORD}).json()
    assert told.keys() == {"token_type", "expires_in", "access_token", "refresh_token"}
    answer = httpx.post(f"{crm.url}/Api/access_token", data={**login, "password": "x"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_generated_records_are_the_same_each_time_with_ties_empty_values_and_deleted_ones() -> None:
    fields = fields_of({})
    made = records_of(60, fields)
    assert made == records_of(60, fields)
    assert {name: len(rows) for name, rows in made.items()} == {
        "Contacts": 60, "Accounts": 15, "Leads": 30, "Opportunities": 20, "Cases": 20, "Calls": 30, "Meetings": 12,
        "Campaigns": 4,
    }  # fmt: skip
    for module, rows in made.items():
        assert all(row.keys() == fields[module].keys() for row in rows)
        assert all(isinstance(value, str) for row in rows for value in row.values())
        assert len({row["id"] for row in rows}) == len(rows)
    contacts = made["Contacts"]
    assert len({row["date_modified"] for row in contacts}) < len(contacts) / 5
    assert {"", "0", "1"} <= {value for row in contacts for value in row.values()}
    assert sum(row["deleted"] == "1" for row in contacts) == 4
    assert not records_of(0, fields)
