"""JSON:API by its text, and with the traps that a real CRM of this kind lays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.kit.http_server import Call, Reply, Server, serving

from snello.kit.entry import entry
from snello.kit.http import Retry, bearer
from snello.kit.rest import RestSettings, RestTap
from snello.kit.rest.jsonapi import JsonApiStream, flat, pages
from snello.kit.testing import Run, run

CANARY = "canary@example.test"
TEXT = {"type": ["string", "null"]}


class Contacts(JsonApiStream):
    """People in a CRM."""

    name, path, primary_keys = "contacts", "/module/Contacts", ("id",)
    url_base, auth = "{url}", bearer("token")
    paging = pages(3)
    replication_key, since, since_format = "date_modified", "filter[date_modified][gte]", "%Y-%m-%dT%H:%M:%S+00:00"
    params = "sort=date_modified"
    include: ClassVar = ("account",)
    all_text = True
    retry = Retry(tries=3, first=0.01, longest=1.0)

    def __init__(self, tap: Any, host: Any) -> None:
        properties = {
            "id": {"type": "string"}, "type": TEXT, "first_name": TEXT, "email1": TEXT, "account_id": TEXT,
            "date_modified": {"type": ["string", "null"], "format": "date-time"},
            "do_not_call": {"type": ["boolean", "null"]}, "visits": {"type": ["integer", "null"]},
            "credit": {"type": ["string", "null"], "format": "singer.decimal", "precision": 12, "scale": 2},
            "birthdate": {"type": ["string", "null"], "format": "date"},
            "account": {"type": ["object", "null"]}, "list_ids": {"type": ["array", "null"]},
        }  # fmt: skip
        super().__init__(tap, host, schema={"properties": properties})


class Settings(RestSettings):
    """What the tap of these tests is told."""

    url: str
    token: str = "sesame-token"


class TapProbe(RestTap):
    """The tap of these tests."""

    name = "tap-probe"
    stream_classes = (Contacts,)
    settings = Settings


main = entry(TapProbe)


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "state"))


def contact(n: int) -> dict[str, Any]:
    """As SuiteCRM writes one: texts throughout, and a type that is not the module's name."""
    attributes = {
        "first-name": f"Ada {n}", "email1": CANARY, "date_modified": f"2026-03-01T08:{n // 4:02}:00+00:00",
        "do_not_call": "1" if n % 2 else "0", "visits": str(n), "credit": f"{n}.50",
        "birthdate": "" if n % 3 else "1980-02-01",
    }  # fmt: skip
    relationships = {
        "account": {"data": {"type": "Account", "id": f"a{n % 2}"}, "links": {"related": "x"}},
        "list": {"data": [{"type": "List", "id": "l1"}, {"type": "List", "id": "l2"}]},
        "calls": {"links": {"related": "V8/module/Contacts/1/relationships/calls"}},
    }
    return {"type": "Contact", "id": f"c{n:02}", "attributes": attributes, "relationships": relationships}


ACCOUNTS = [{"type": "Account", "id": f"a{n}", "attributes": {"name": f"Firm {n}"}} for n in range(2)]


def suitecrm(contacts: int = 11, *, totals: bool = True) -> Callable[[Call], Reply]:
    """Pages of three, filtered by moment; links.next of the last page points at the first."""

    def answer(call: Call) -> Reply:
        since = call.query.get("filter[date_modified][gte]", "")
        rows = [contact(n) for n in range(contacts)]
        rows = [row for row in rows if row["attributes"]["date_modified"] >= since]
        page, size = int(call.query["page[number]"]), int(call.query["page[size]"])
        last = max(1, -(-len(rows) // size))
        onwards = page + 1 if page < last else 1
        document: dict[str, Any] = {
            "data": rows[(page - 1) * size : page * size],
            "included": ACCOUNTS,
            "links": {"next": f"V8/module/Contacts?page[number]={onwards}&page[size]={size}"},
        }
        if totals:
            document["meta"] = {"total-pages": last, "records-on-this-page": size}
        return Reply(document, headers=[("Content-Type", "application/vnd.api+json")])

    return answer


@contextmanager
def crm(answer: Callable[[Call], Reply]) -> Iterator[tuple[Server, Callable[..., Run]]]:
    with serving(answer) as server:

        def read(state: Any = None) -> Run:
            done = run(main, {"url": f"{server.url}/V8"}, state=state)
            assert CANARY not in done.err
            assert "sesame" not in done.err
            return done

        yield server, read


def ids(done: Run) -> list[str]:
    return [row["id"] for row in done.records("contacts")]


@pytest.mark.parametrize("totals", [True, False])
def test_a_link_that_points_back_ends_the_walk_and_every_row_comes_once(totals: bool) -> None:
    with crm(suitecrm(totals=totals)) as (server, read):
        done = read()
    assert (done.code, ids(done)) == (0, [f"c{n:02}" for n in range(11)])
    assert sorted(call.query["page[number]"] for call in server.calls) == ["1", "2", "3", "4"]


@pytest.mark.parametrize("totals", [True, False])
def test_a_filtered_answer_of_one_page_is_one_page(totals: bool) -> None:
    with crm(suitecrm(totals=totals)) as (server, read):
        first = read()
        before = len(server.calls)
        second = read(first.state)
        calls = server.calls[before:]
    assert (second.code, ids(second)) == (0, [])
    assert {call.query["filter[date_modified][gte]"] for call in calls} == {"2026-03-01T08:01:00+00:00"}


def test_texts_become_what_the_schema_says_they_are() -> None:
    with crm(suitecrm(4)) as (_, read):
        done = read()
    assert done.records("_quarantine") == []
    row = done.records("contacts")[3]
    assert row == {
        "id": "c03", "type": "Contact", "first_name": "Ada 3", "email1": CANARY, "account_id": "a1",
        "date_modified": "2026-03-01T08:00:00+00:00", "do_not_call": True, "visits": 3, "credit": "3.50",
        "birthdate": "1980-02-01", "account": {"name": "Firm 1", "id": "a1", "type": "Account"},
        "list_ids": ["l1", "l2"], "_extra": None,
    }  # fmt: skip
    assert done.records("contacts")[1]["birthdate"] is None


def test_a_text_that_is_no_number_is_refused_with_its_row_alone() -> None:
    def answer(call: Call) -> Reply:
        rows = [contact(1), contact(2)]
        rows[0]["attributes"]["visits"] = "many"
        return Reply({"data": rows, "meta": {"total-pages": 1}})

    with crm(answer) as (_, read):
        done = read()
    assert (done.code, ids(done)) == (0, ["c02"])
    assert "visits" in done.records("_quarantine")[0]["reason"]


def test_relationships_are_asked_for_in_the_types_own_words() -> None:
    with crm(suitecrm(1)) as (server, read):
        read()
    call = server.calls[0]
    assert call.query["include"] == "account"
    assert call.headers["Accept"] == "application/vnd.api+json"


def test_links_with_a_cursor_are_followed_to_the_end() -> None:
    def answer(call: Call) -> Reply:
        at = int(call.query.get("page[cursor]", 0))
        link = {"href": f"/V8/module/Contacts?page[cursor]={at + 1}"} if at < 2 else None
        return Reply({"data": [contact(at)], "links": {"next": link}})

    with crm(answer) as (server, read):
        done = read()
    assert ids(done) == ["c00", "c01", "c02"]
    assert [call.query.get("page[cursor]") for call in server.calls] == [None, "1", "2"]


@pytest.mark.parametrize(
    ("errors", "code", "told"),
    [
        ({"status": 400, "title": None, "detail": CANARY}, 3, "200 from GET /V8/module/Contacts holds an error"),
        ([{"code": "E-7", "detail": CANARY}], 3, "holds an error, code E-7"),
        ([{"status": "503", "detail": CANARY}], 4, "holds an error, code 503, 3 tries"),
        ([{"status": "403", "detail": CANARY}], 2, "code 403. Next: give token the right to read"),
        ([{"status": "401", "detail": CANARY}], 2, "code 401. Next: renew token"),
    ],
)
def test_errors_are_told_by_code_whatever_the_status_of_the_answer(errors: Any, code: int, told: str) -> None:
    with crm(lambda _: Reply({"errors": errors})) as (_, read):
        done = read()
    assert done.code == code
    assert told in done.last_line


def test_an_answer_without_data_is_told() -> None:
    with crm(lambda _: Reply({"meta": {}})) as (_, read):
        done = read()
    assert done.code == 3
    assert "holds no list of records at $.data[*]" in done.last_line


def test_a_resources_own_id_and_type_stand_before_attributes_of_these_names() -> None:
    row = flat({"type": "Contact", "id": "1", "attributes": {"id": "x", "type": "y", "last-name": "B"}})
    assert row == {"id": "1", "type": "Contact", "last_name": "B"}
