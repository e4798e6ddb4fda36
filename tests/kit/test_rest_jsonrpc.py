from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, SecretStr
from singer_sdk import Stream
from tests.kit.http_server import Call, Reply, Server, serving

from snello.kit.entry import entry
from snello.kit.http import api_key
from snello.kit.rest import Errors, RestSettings, RestTap, Retry, Values
from snello.kit.rest.jsonrpc import JsonRpcStream, plain
from snello.kit.testing import Run, run

CANARY = "canary.person@aurora.example"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHOWN = "%Y-%m-%d %H:%M:%S"
PAGE = 50


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path))


def column(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": [kind, "null"], **more}


MOMENT = column("string", format="date-time")


# ------------------------------------------------------------ a server that speaks as Odoo does, and its tap


class Odoo:
    """``execute_kw`` over rows whose ``write_date`` is stored to the microsecond and shown to the second."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self.rows = list(rows)
        self.domains: list[Any] = []

    def __call__(self, call: Call) -> Reply:
        question = call.json
        database, user, password, model, method, (domain,), more = question["params"]["args"]
        assert (question["jsonrpc"], question["method"], question["params"]["service"]) == ("2.0", "call", "object")
        assert (database, user, password, method, more["order"]) == ("crm", 7, "sesame", "search_read", "id asc")
        if model != "res.partner":
            return error("builtins.KeyError", model)
        self.domains.append(domain)
        found = [row for row in self.rows if all(holds(row, *leaf) for leaf in domain)]
        found = [row for row in found if row["active"] or not more["context"].get("active_test", True)]
        page = sorted(found, key=lambda row: row["id"])[: more["limit"]]
        return Reply({"jsonrpc": "2.0", "id": question["id"], "result": [self.shown(row) for row in page]})

    @staticmethod
    def shown(row: dict[str, Any]) -> dict[str, Any]:
        values = {name: False if value is None else value for name, value in row.items()}
        return values | {"write_date": row["write_date"].strftime(SHOWN)}


def holds(row: dict[str, Any], name: str, operator: str, value: Any) -> bool:
    if name == "write_date":
        value = datetime.strptime(value, SHOWN).replace(tzinfo=UTC)
    found = row[name]
    return bool(found > value if operator == ">" else found >= value)


def partners(count: int, first: int = 1, at: datetime = NOON) -> list[dict[str, Any]]:
    """Rows of one second, stored microseconds apart, those with the higher number earlier."""
    return [
        {
            "id": number,
            "name": f"Partner {number}",
            "email": CANARY,
            "phone": None,
            "active": number % 10 != 0,
            "write_date": at + timedelta(microseconds=count - number + first),
        }
        for number in range(first, first + count)
    ]


def error(name: str, message: str = "") -> Reply:
    data = {"name": name, "message": f"{message} {CANARY}", "debug": f"Traceback {CANARY}"}
    return Reply({"jsonrpc": "2.0", "id": 1, "error": {"code": 200, "message": "Odoo Server Error", "data": data}})


class Partners(JsonRpcStream):
    """One row a partner."""

    name, model, url_base, path = "partners", "res.partner", "{url}", "/jsonrpc"
    rpc_params = {  # noqa: RUF012
        "service": "object",
        "method": "execute_kw",
        "args": [
            *("{database}", "{uid}", "{password}", "{model}", "search_read", ["{domain}"]),
            {"fields": "{fields}", "order": "id asc", "limit": "{limit}", "context": {"active_test": False}},
        ],
    }
    changed = (("write_date", ">=", "{since}"),)
    since_format = SHOWN
    primary_keys, replication_key = ("id",), "write_date"
    auth = api_key("password", header="X-Unused")
    retry = Retry(tries=3, first=0.01)
    values = Values(empty=(False,), moments={"write_date": SHOWN})
    errors = Errors(
        "$.error",
        code="$.error.data.name",
        again={"psycopg2.errors.SerializationFailure"},
        expired={"odoo.exceptions.AccessDenied"},
        denied={"odoo.exceptions.AccessError"},
    )


class Settings(RestSettings):
    """What the tap is told."""

    url: str = Field(description="Address.")
    database: str = Field("crm", description="Database.")
    uid: int = Field(7, description="User.")
    password: SecretStr = Field(SecretStr("sesame"), description="Password.")
    page_size: int = Field(PAGE, description="Rows of one request.")


SCHEMA = {
    "properties": {
        "id": column("integer"),
        "name": column("string"),
        "email": column("string"),
        "phone": column("string"),
        "active": column("boolean"),
        "write_date": MOMENT,
    }
}


class TapOdoo(RestTap):
    """Singer tap for a server as Odoo's."""

    name, settings = "tap-odoo", Settings

    def discover_streams(self) -> Sequence[Stream]:
        """The one stream."""
        return [*super().discover_streams(), Partners(self, self, schema=SCHEMA)]


def read(url: str, state: Any = None, tap: type[RestTap] = TapOdoo, **changes: Any) -> Run:
    done = run(entry(tap), {"url": url, "database": "crm", "uid": 7, "password": "sesame", **changes}, state=state)
    assert CANARY not in done.err
    return done


@contextmanager
def odoo(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[Server, Odoo]]:
    answers = Odoo(rows)
    with serving(answers) as server:
        yield server, answers


def test_a_second_that_fills_several_pages_is_read_whole_and_once() -> None:
    with odoo(partners(4 * PAGE + 20)) as (server, _):
        done = read(server.url)
    assert done.code == 0
    assert [row["id"] for row in done.records("partners")] == list(range(1, 4 * PAGE + 21))


def test_the_next_run_emits_only_what_changed_even_in_the_second_that_was_last_seen() -> None:
    rows = partners(30, at=NOON - timedelta(days=1)) + partners(30, first=31)
    with odoo(rows) as (server, answers):
        first = read(server.url)
        answers.rows[3] |= {"name": "Changed", "write_date": NOON + timedelta(microseconds=999)}
        answers.rows.append(partners(1, first=99, at=NOON)[0])
        second = read(server.url, first.state)
        assert answers.domains[-1] == [["write_date", ">=", "2026-03-01 11:59:00"]]
    assert {row["id"] for row in second.records("partners")} == {4, 99}


def test_false_is_null_but_where_the_field_is_a_boolean() -> None:
    with odoo(partners(10)) as (server, _):
        rows = read(server.url).records("partners")
    assert {row["phone"] for row in rows} == {None}
    assert {row["active"] for row in rows} == {True, False}
    assert {row["write_date"] for row in rows} == {"2026-03-01T12:00:00+00:00"}


def told(reply: Reply | Callable[[Call], Reply]) -> tuple[int, str]:
    with serving(reply if callable(reply) else [reply]) as server:
        done = read(server.url)
    return done.code, done.last_line


def test_a_missing_right_names_the_model() -> None:
    assert told(error("odoo.exceptions.AccessError")) == (
        2,
        "tap-odoo: partners: no right to read res.partner. Next: give the user that right, or deselect the stream.",
    )


def test_a_refused_login_names_the_setting() -> None:
    code, line = told(error("odoo.exceptions.AccessDenied"))
    assert code == 2
    assert line.endswith("Next: renew password, or give them the right to read.")


def test_a_fault_that_passes_is_waited_for() -> None:
    rows = Odoo(partners(3))
    faults = iter([error("psycopg2.errors.SerializationFailure")])
    with serving(lambda call: next(faults, None) or rows(call)) as server:
        done = read(server.url)
    assert (done.code, len(done.records("partners"))) == (0, 3)


def test_any_other_error_tells_its_code_and_nothing_of_its_text() -> None:
    code, line = told(error("builtins.ValueError", "Invalid field"))
    assert code == 3
    assert "200 from POST /jsonrpc holds an error, code builtins.ValueError." in line


@pytest.mark.parametrize("document", [[], {"id": 1}, {"id": 1, "error": None}, "text"])
def test_what_is_no_answer_of_json_rpc_is_told(document: Any) -> None:
    code, line = told(Reply(document))
    assert code == 3
    assert "the answer of POST /jsonrpc is none of JSON-RPC" in line


@pytest.mark.parametrize("result", [True, {"id": 1}, [1, 2]])
def test_a_result_that_is_no_list_of_records_is_told(result: Any) -> None:
    code, line = told(Reply({"id": 1, "result": result}))
    assert code == 3
    assert "the answer of POST /jsonrpc holds no list of records" in line


# ------------------------------------------------------------ a server that shows moments as it stores them


class Things(JsonRpcStream):
    """One row a thing."""

    name, model, url_base, path = "things", "stock.thing", "{url}", "/rpc/"
    rpc_method, envelope, typed = "model.{model}.search_read", {}, True
    rpc_params = ("{domain}", 0, "{limit}", "{order}", "{fields}", {})
    ordered, order = ("changed", "id"), (("changed", "ASC"), ("id", "ASC"))
    changed = (("changed", ">=", "{since}"),)
    primary_keys, replication_key = ("id",), "changed"
    retry = Retry(tries=1)
    errors = Errors("$.error", code="$.error[0]")


class TapThings(RestTap):
    """Singer tap for a server with typed values."""

    name, settings = "tap-things", Settings

    def discover_streams(self) -> Sequence[Stream]:
        """The one stream."""
        columns = {"id": column("integer"), "good": column("boolean"), "changed": MOMENT}
        return [*super().discover_streams(), Things(self, self, schema={"properties": columns})]


def stamp(moment: datetime) -> dict[str, Any]:
    parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
    return {"__class__": "datetime", **{part: getattr(moment, part) for part in parts}}


def thing(number: int) -> dict[str, Any]:
    return {"id": number, "good": 1, "changed": stamp(NOON + timedelta(microseconds=7))}


def test_a_page_begins_behind_the_moment_and_number_of_the_last_row() -> None:
    with serving([Reply({"id": 1, "result": [thing(4), thing(5)]}), Reply({"id": 1, "result": [thing(6)]})]) as server:
        done = read(server.url, tap=TapThings, page_size=2)
        first, second = (call.json for call in server.calls)
    moment = stamp(NOON + timedelta(microseconds=7))
    behind = ["OR", [["changed", ">", moment]], [["changed", "=", moment], ["id", ">", 5]]]
    order = [["changed", "ASC"], ["id", "ASC"]]
    assert first == {
        "id": 1,
        "method": "model.stock.thing.search_read",
        "params": [[], 0, 2, order, ["id", "good", "changed"], {}],
    }
    assert second["params"] == [[behind], 0, 2, order, ["id", "good", "changed"], {}]
    assert [row["id"] for row in done.records("things")] == [4, 5, 6]
    assert done.records("things")[0] == {
        "id": 4,
        "good": True,
        "changed": "2026-03-01T12:00:00.000007Z",
        "_extra": None,
    }


def test_behind_a_row_without_a_moment_come_the_others_and_all_that_have_one() -> None:
    bare = thing(5) | {"changed": None}
    with serving([Reply({"id": 1, "result": [bare]}), Reply({"id": 1, "result": []})]) as server:
        read(server.url, tap=TapThings, page_size=1)
        asked = server.calls[1].json["params"][0]
    assert asked == [["OR", [["changed", "!=", None]], [["changed", "=", None], ["id", ">", 5]]]]


def test_the_next_run_asks_from_the_bookmark_less_the_overlap() -> None:
    with serving([Reply({"id": 1, "result": [thing(4)]})]) as server:
        first = read(server.url, tap=TapThings)
        second = read(server.url, first.state, tap=TapThings)
        assert server.calls[-1].json["params"][0] == [
            ["changed", ">=", stamp(NOON - timedelta(minutes=1) + timedelta(microseconds=7))]
        ]
    assert second.records("things") == []


def test_a_model_that_the_server_does_not_know_is_named() -> None:
    with serving([Reply({"id": 1, "error": ["'stock.thing'", f"Traceback {CANARY}"]})]) as server:
        done = read(server.url, tap=TapThings)
    assert (done.code, done.last_line) == (
        2,
        "tap-things: things: the server has no stock.thing. "
        "Next: activate the module that brings it, or deselect the stream.",
    )


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ({"__class__": "Decimal", "decimal": "10.9990"}, "10.9990"),
        ({"__class__": "date", "year": 2026, "month": 3, "day": 1}, "2026-03-01"),
        ({"__class__": "time", "hour": 9, "minute": 5, "second": 0, "microsecond": 0}, "09:05:00.000000"),
        (stamp(NOON), "2026-03-01T12:00:00.000000"),
        ({"__class__": "timedelta", "seconds": 90.5}, 90.5),
        ({"__class__": "bytes", "base64": "aGVs\nbG8=\n"}, "aGVsbG8="),
        ([{"__class__": "Decimal", "decimal": "1"}, 2], ["1", 2]),
        ({"code": {"__class__": "Decimal", "decimal": "1"}}, {"code": "1"}),
        (None, None),
        (True, True),
    ],
)
def test_typed_values_become_plain_ones(typed: Any, value: Any) -> None:
    assert plain(typed) == value
