from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from snello.kit.rest import Retry
from snello.kit.testing import Run, run
from snello.sandbox.emulators import Weather, serve
from snello.sandbox.emulators.suitecrm import CLIENT_ID, CLIENT_SECRET, suitecrm
from snello.sandbox.emulators.suitecrm_legacy import PASSWORD, USER
from tap_suitecrm import main
from tap_suitecrm.records import converters
from tap_suitecrm.stream import SuiteStream
from tap_suitecrm.values import plain, unescaped

STREAMS = ("contacts", "accounts", "leads", "opportunities", "cases", "calls", "meetings", "campaigns")
LOGIN = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
V8 = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
V4 = {"interface": "v4_1", "user": USER, "password": PASSWORD}
BOTH = pytest.mark.parametrize("settings", [V8, V4], ids=["v8", "v4_1"])
LEGACY = "/service/v4_1/rest.php"
Start = Callable[..., "Crm"]
Rows = dict[str, dict[str, dict[str, Any]]]


class Crm:
    """A SuiteCRM, somebody who works in it, and the tap."""

    def __init__(self, url: str) -> None:
        self.url = url

    def write(self, method: str, path: str = "", **data: Any) -> str:
        """One call over V8 that must succeed; the record's id."""
        token = httpx.post(f"{self.url}/Api/access_token", data=LOGIN).json()["access_token"]
        given: dict[str, Any] = {"json": {"data": data}} if data else {}
        where = f"{self.url}/Api/V8/module{path}"
        answer = httpx.request(method, where, headers={"Authorization": f"Bearer {token}"}, **given)
        answer.raise_for_status()
        found = answer.json()["data"]
        return str(found["id"]) if isinstance(found, dict) else ""

    def add(self, module: str = "Contacts", **attributes: Any) -> str:
        return self.write("POST", type=module, attributes=attributes)

    def change(self, number: str, **attributes: Any) -> None:
        self.write("PATCH", type="Contacts", id=number, attributes=attributes)

    def read(self, settings: dict[str, Any], state: Any = None, **more: Any) -> Run:
        done = run(main, {"url": self.url, **settings, **more}, state=state)
        assert not [secret for secret in (CLIENT_SECRET, PASSWORD, "@example.org") if secret in done.err]
        return done

    def calls(self) -> dict[str, int]:
        found: dict[str, int] = httpx.get(f"{self.url}/_inspect").json()["calls"]
        return found


def rows_of(done: Run) -> Rows:
    """The records of each stream by id, without deleted ones."""
    assert done.code == 0, done.last_line
    return {name: {row["id"]: row for row in done.records(name) if not row["_deleted_at"]} for name in STREAMS}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(SuiteStream, "retry", Retry(tries=8, first=0.01, longest=2.0))
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "state"))


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:

        def begun(*, around: Callable[[ASGIApp], ASGIApp] = lambda app: app, **given: Any) -> Crm:
            return Crm(stack.enter_context(serve(around(suitecrm(**given)))))

        yield begun


@pytest.fixture
def crm(start: Start) -> Crm:
    return start(contacts=60)


# ---- rows


def test_the_same_rows_come_over_either_interface(crm: Crm) -> None:
    one, other = (rows_of(crm.read(settings, page_size=25)) for settings in (V8, V4))
    assert one == other
    assert {name: len(rows) for name, rows in one.items()} == {
        "contacts": 56, "accounts": 14, "leads": 28, "opportunities": 19, "cases": 19, "calls": 28, "meetings": 12,
        "campaigns": 4,
    }  # fmt: skip


@BOTH
def test_awkward_values_come_as_they_were_meant(start: Start, settings: dict[str, Any]) -> None:
    crm = start()
    number = crm.add(
        first_name="", last_name="O&#039;Neill &amp; Fils", email1="ada@example.org",
        description="a?x=1&copy=2 &amp;lt;",
        birthdate="1980-02-29", do_not_call="1", email_opt_out="0", lawful_basis="^consent^,^contract^",
    )  # fmt: skip
    offer = crm.add("Opportunities", name="x", amount="1234.500000", probability="0", date_closed="")
    found = rows_of(crm.read(settings))
    row = found["contacts"][number]
    assert (row["first_name"], row["last_name"]) == (None, "O'Neill & Fils")
    assert row["description"] == "a?x=1&copy=2 &lt;"
    assert (row["birthdate"], row["lawful_basis"]) == ("1980-02-29", "^consent^,^contract^")
    assert (row["do_not_call"], row["email_opt_out"]) == (True, False)
    assert row["date_modified"].endswith("+00:00")
    offered = found["opportunities"][offer]
    assert (offered["amount"], offered["probability"], offered["date_closed"]) == ("1234.500000", 0, None)


@pytest.mark.parametrize(
    ("declared", "told", "meant"),
    [
        ({"type": ["boolean", "null"]}, "on", True),
        ({"type": ["boolean", "null"]}, False, False),
        ({"type": ["boolean", "null"]}, "maybe", "maybe"),
        ({"type": ["integer", "null"]}, "12", 12),
        ({"type": ["integer", "null"]}, "12.5", "12.5"),
        ({"type": ["string", "null"], "format": "date"}, "0000-00-00", None),
        ({"type": ["string", "null"], "format": "date"}, "2026-03-01T00:00:00+00:00", "2026-03-01"),
        ({"type": ["string", "null"], "format": "date-time"}, "0000-00-00 00:00:00", None),
        ({"type": ["string", "null"], "format": "date-time"}, "2026-03-01 10:00:00", "2026-03-01T10:00:00+00:00"),
        ({"type": ["string", "null"], "format": "date-time"}, "2026-03-01T12:00:00+02:00", "2026-03-01T10:00:00+00:00"),
        ({"type": ["string", "null"], "format": "date-time"}, "soon", "soon"),
        ({"type": ["string", "null"]}, 7, "7"),
        ({"type": ["string", "null"]}, "", None),
    ],
)
def test_a_value_is_read_by_its_declaration(declared: dict[str, Any], told: Any, meant: Any) -> None:
    assert plain({"x": told}, converters({"x": declared})) == {"x": meant}


def test_an_escape_is_undone_once_and_no_other_than_suitecrms() -> None:
    assert unescaped("&amp;#039; &quot;&lt;b&gt;&quot; &eacute; &#39;") == '&#039; "<b>" &eacute; \''


@BOTH
def test_fields_of_ones_own_arrive_where_a_module_has_them(start: Start, settings: dict[str, Any]) -> None:
    crm = start()
    number = crm.add(last_name="Rossi", snello_segment_c="gold", email1="ada@example.org")
    account = crm.add("Accounts", name="Casa")
    found = rows_of(crm.read(settings, custom_fields=["snello_segment_c"]))
    assert found["contacts"][number]["_extra"] == {"snello_segment_c": "gold"}
    assert found["accounts"][account]["_extra"] is None


def test_a_field_that_a_version_does_not_have_is_not_asked_for_and_null(start: Start) -> None:
    crm = start(around=Elder)
    number = crm.add(last_name="Rossi", lawful_basis="^consent^")
    row = rows_of(crm.read(V8))["contacts"][number]
    assert (row["last_name"], row["lawful_basis"]) == ("Rossi", None)


class Elder:
    """A SuiteCRM from before lawful bases: it refuses a page with a field that it does not know."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if b"lawful_basis" in scope.get("query_string", b""):
            refusal = {"errors": {"status": 400, "title": None, "detail": "The following field is not found: x"}}
            await JSONResponse(refusal, 400)(scope, receive, send)
            return

        async def without(message: Any) -> None:
            if scope["path"].startswith("/Api/V8/meta/fields") and message["type"] == "http.response.body":
                message = {**message, "body": message["body"].replace(b'"lawful_', b'"awful__')}
            await send(message)

        await self.app(scope, receive, without)


# ---- changes


@BOTH
def test_a_second_run_moves_only_what_changed_and_a_full_refresh_the_very_same_rows(
    crm: Crm, settings: dict[str, Any]
) -> None:
    first = crm.read(settings, page_size=25)
    changed = sorted(rows_of(first)["contacts"])[7]
    crm.change(changed, last_name="Changed")
    second = crm.read(settings, first.state)
    assert [(row["id"], row["last_name"]) for row in second.records("contacts")] == [(changed, "Changed")]
    assert not [row for name in STREAMS[1:] for row in second.records(name)]
    third = crm.read(settings, second.state)
    assert not [row for name in STREAMS for row in third.records(name)]
    whole = rows_of(crm.read(settings, page_size=25))
    assert whole == {**rows_of(first), "contacts": {**rows_of(first)["contacts"], **rows_of(second)["contacts"]}}


@BOTH
def test_more_records_of_one_second_than_a_page_holds_are_all_read(crm: Crm, settings: dict[str, Any]) -> None:
    first = crm.read(settings)
    tied = sorted(rows_of(first)["contacts"])[:9]
    for number in tied:
        crm.change(number, date_modified="2026-05-01 10:00:00")
    second = crm.read(settings, first.state, page_size=3)
    assert sorted(row["id"] for row in second.records("contacts")) == tied


@BOTH
def test_a_record_that_is_deleted_while_pages_are_read_hides_no_other(
    start: Start, settings: dict[str, Any], tmp_path: Path
) -> None:
    database = tmp_path / "crm.db"
    there = set(rows_of(start(contacts=60, database=database).read(settings))["contacts"])
    done = start(database=database, around=lambda app: Deleting(app, database)).read(settings, page_size=10)
    read = [row["id"] for row in done.records("contacts") if not row["_deleted_at"]]
    assert len(read) == len(set(read))
    assert set(read) == there
    with closing(sqlite3.connect(database)) as db:
        gone = db.execute("SELECT count(*) FROM records WHERE module = 'Contacts' AND deleted").fetchone()
    assert gone == (60 - len(there) + 1,)


class Deleting:
    """A SuiteCRM whose first contact is deleted when the first page of contacts was handed out."""

    def __init__(self, app: ASGIApp, database: Path) -> None:
        self.app, self.database, self.done = app, database, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = b""

        async def noted(message: Any) -> None:
            nonlocal sent
            sent += message.get("body", b"")
            await send(message)

        await self.app(scope, receive, noted)
        if not self.done and re.search(rb'"contact\d+@example', sent):
            self.done = self._delete()

    def _delete(self) -> bool:
        first = "SELECT min(id) FROM records WHERE module = 'Contacts' AND NOT deleted"
        with closing(sqlite3.connect(self.database)) as db, db:
            db.execute(f"UPDATE records SET deleted = 1 WHERE id = ({first})")
        return True


@BOTH
def test_a_reading_that_was_cut_off_goes_on_though_a_record_before_its_place_went(
    start: Start, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(SuiteStream, "retry", Retry(tries=1))
    database = tmp_path / "crm.db"
    there = sorted(rows_of(start(contacts=60, database=database).read(settings))["contacts"])
    first = start(database=database, around=lambda app: Failing(app, behind=there[19])).read(settings, page_size=10)
    assert (first.code, [row["id"] for row in first.records("contacts")]) == (4, there[:20])
    crm = start(database=database)
    crm.write("DELETE", f"/Contacts/{there[15]}")
    second = crm.read(settings, first.state, page_size=10)
    assert [row["id"] for row in second.records("contacts") if not row["_deleted_at"]] == there[20:]


class Failing:
    """A SuiteCRM that is down when it is asked for the records behind an id."""

    def __init__(self, app: ASGIApp, behind: str) -> None:
        self.app, self.behind = app, behind.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = await receive() if scope["type"] == "http" else {}

        async def again() -> Any:
            return asked

        down = self.behind in scope.get("query_string", b"") + asked.get("body", b"")
        app = PlainTextResponse("Down", 503) if down else self.app
        await app(scope, again if asked else receive, send)


# ---- deleted records


def test_the_elder_interface_lists_deleted_records_of_which_the_key_alone_is_asked_for(crm: Crm) -> None:
    first = crm.read(V4)
    gone = sorted(rows_of(first)["contacts"])[3]
    crm.write("DELETE", f"/Contacts/{gone}")
    second = crm.read(V4, first.state)
    [row] = second.records("contacts")
    assert (row["id"], row["email1"], row["last_name"]) == (gone, None, None)
    assert row["_deleted_at"] == row["date_modified"]
    assert not crm.read(V4, second.state).records("contacts")


def test_over_v8_a_deleted_record_is_told_where_its_stream_is_compared(crm: Crm) -> None:
    first = crm.read(V8, deletions=["contacts"])
    gone = sorted(rows_of(first)["contacts"])[3]
    crm.write("DELETE", f"/Contacts/{gone}")
    second = crm.read(V8, first.state, deletions=["contacts"])
    [row] = second.records("contacts")
    assert (row["id"], row["email1"]) == (gone, None)
    assert row["_deleted_at"]


# ---- what leads astray


class Says:
    """A SuiteCRM over V8 of whose answers about contacts ``tell`` makes others."""

    def __init__(self, app: ASGIApp, tell: Callable[[int, bytes], tuple[int, bytes]]) -> None:
        self.app, self.tell, self.pages = app, tell, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kept: list[Any] = []

        async def keep(message: Any) -> None:
            kept.append(message)

        if scope.get("path") != "/Api/V8/module/Contacts":
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, keep)
        self.pages += 1
        status, body = self.tell(self.pages, b"".join(each.get("body", b"") for each in kept))
        await PlainTextResponse(body, status, media_type="application/vnd.api+json")(scope, receive, send)


def test_neither_a_missing_count_nor_links_end_or_prolong_a_listing(start: Start) -> None:
    def tell(page: int, body: bytes) -> tuple[int, bytes]:
        document = json.loads(body)
        meta = {"total-pages": 0, "records-on-this-page": len(document["data"])}
        links = {"next": "V8/module/Contacts?page[number]=1&page[size]=10"}
        return 200, json.dumps({**document, "meta": meta, "links": links}).encode()

    crm = start(contacts=60, around=lambda app: Says(app, tell))
    assert len(rows_of(crm.read(V8, page_size=10))["contacts"]) == 56


def test_a_page_on_which_a_record_went_is_asked_for_again(start: Start) -> None:
    def tell(page: int, body: bytes) -> tuple[int, bytes]:
        detail = "Contacts module with id 8c9ab2f0-6e4f-4d4b-a0b5-2b9a6c6f3f10 is not found"
        refusal = json.dumps({"errors": {"status": 400, "title": None, "detail": detail}}).encode()
        return (400, refusal) if page == 2 else (200, body)

    crm = start(contacts=60, around=lambda app: Says(app, tell))
    done = crm.read(V8, page_size=10)
    assert len(rows_of(done)["contacts"]) == 56
    assert "a record went while the page was made; asking again" in done.err
    assert "8c9ab2f0" not in done.err


@pytest.mark.parametrize(("status", "detail"), [(400, "Module Contacts does not exist"), (400, "Database failure.")])
def test_other_refusals_are_told_without_suitecrms_sentence(start: Start, status: int, detail: str) -> None:
    refusal = json.dumps({"errors": {"status": status, "title": None, "detail": detail}}).encode()
    crm = start(contacts=10, around=lambda app: Says(app, lambda page, body: (status, refusal)))
    done = crm.read(V8)
    assert (done.code, detail in done.err) == ((2, False) if "Module" in detail else (3, False))
    assert "tap-suitecrm: contacts: " in done.last_line


# ---- what a run costs


@BOTH
def test_a_run_in_which_nothing_changed_costs_two_calls_a_stream_and_a_login(
    crm: Crm, settings: dict[str, Any]
) -> None:
    first = crm.read(settings)
    before = sum(crm.calls().values())
    crm.read(settings, first.state)
    assert sum(crm.calls().values()) - before == 1 + 2 * len(STREAMS)


def test_bad_weather_costs_patience_and_no_row(start: Start) -> None:
    crm = start(contacts=40, weather=Weather(limited=0.1, broken=0.1, retry_after=0))
    calm = start(contacts=40)
    for settings in (V8, V4):
        assert rows_of(crm.read(settings, page_size=10)) == rows_of(calm.read(settings))


@BOTH
def test_a_session_that_ends_is_begun_anew(start: Start, settings: dict[str, Any]) -> None:
    crm = start(contacts=30, around=Ending)
    assert len(rows_of(crm.read(settings, page_size=5))["contacts"]) == 28


class Ending:
    """A SuiteCRM that forgets its sessions at every ninth call."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.count = app, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.count += 1
        if scope["type"] == "http" and self.count % 9 == 0:

            async def nothing(message: Any) -> None:
                del message

            await self.app({**scope, "method": "POST", "path": "/_inspect/revoke"}, receive, nothing)
        await self.app(scope, receive, send)


# ---- bad input


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({**V8, "client_secret": "Tr0ub4dor"}, "the login is refused (invalid_client). Next: renew client_id and"),
        ({**V8, "user": USER, "password": "Tr0ub4dor"}, "the login is refused (invalid_grant). Next: renew client_id"),
        (
            {**V4, "password": "Tr0ub4dor"},
            "the login is refused. Next: renew user and password; a few ",
        ),
        ({"client_id": CLIENT_ID}, "client_secret"),
        ({"interface": "v4_1", "user": USER}, "password"),
        ({**V8, "interface": "soap"}, "interface"),
        ({**V8, "deletions": ["notes"]}, "deletions"),
    ],
)
def test_what_is_wrong_with_the_settings_is_told_in_one_sentence(
    crm: Crm, settings: dict[str, Any], sentence: str
) -> None:
    done = crm.read(settings)
    assert done.code == 2
    assert sentence in done.last_line


def test_a_wrong_password_is_tried_once_for_it_locks_the_user(crm: Crm) -> None:
    crm.read({**V4, "password": "Tr0ub4dor"})
    assert crm.calls() == {f"POST {LEGACY}": 1}


@pytest.mark.parametrize(("settings", "right"), [(V8, "view"), (V8, "access"), (V4, "list"), (V4, "access")])
def test_a_missing_right_is_told_with_the_module_and_stops_no_other_stream(
    start: Start, settings: dict[str, Any], right: str
) -> None:
    crm = start(contacts=20, lacking={f"Leads/{right}"})
    done = crm.read(settings)
    assert done.code == 2
    told = "tap-suitecrm: leads: no right to read Leads. Next: give the user of the interface the right to list and"
    assert told in done.last_line
    assert len(done.records("contacts")) >= 19
    assert not done.records("leads")


@BOTH
def test_an_address_where_no_suitecrm_is_ends_with_a_setting_to_check(settings: dict[str, Any]) -> None:
    async def elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("Not here", 404)(scope, receive, send)

    with serve(elsewhere) as url:
        done = Crm(url).read(settings)
    assert done.code == 2
    assert "check the URL" in done.last_line


@pytest.mark.parametrize("answer", [[], {"data": "x"}, {"entry_list": {"a": 1}}, {"name": "x", "number": 4711}])
@BOTH
def test_an_answer_of_another_shape_is_refused(start: Start, settings: dict[str, Any], answer: Any) -> None:
    class Odd:
        def __init__(self, app: ASGIApp) -> None:
            self.app, self.logins = app, 0

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            self.logins += scope.get("path") == LEGACY
            page = scope.get("path", "").startswith("/Api/V8/module") or self.logins > 1
            await (JSONResponse(answer) if page else self.app)(scope, receive, send)

    done = start(contacts=5, around=Odd).read(settings)
    assert done.code == 3
    assert not done.records("contacts")


def test_a_record_without_a_good_id_ends_the_stream_for_the_next_page_begins_behind_it() -> None:
    async def odd(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != LEGACY:
            return
        told = {"id": "s", "entry_list": [{"id": "x' OR '1", "name_value_list": {}}], "total_count": "9"}
        await JSONResponse(told)(scope, receive, send)

    with serve(odd) as url:
        done = Crm(url).read(V4)
    assert done.code == 3
    assert "holds a record without a good id" in done.last_line
