from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import BaseModel, Field, SecretStr

from snello.kit.entry import entry
from snello.kit.rest import (
    Auth,
    Paging,
    RestStream,
    RestTap,
    Retry,
    api_key,
    basic,
    bearer,
    cursor,
    next_link,
    page_number,
    single_page,
)
from snello.kit.testing import Run, run

CANARY = "canary.person@aurora.example"
QUICK = Retry(tries=3, first=0.01, longest=1.0)
Thing = dict[str, Any]


@dataclass
class Call:
    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Answer:
    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0  # bytes of the announced length that are not sent

    @property
    def bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Server:
    url: str
    calls: list[Call]


@contextmanager
def serving(answer: Callable[[Call], Answer]) -> Iterator[Server]:
    """A server on loopback that answers as the function says, and notes what it was asked."""
    calls: list[Call] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            call = Call(url.path, {k: v[0] for k, v in parse_qs(url.query).items()}, dict(self.headers))
            calls.append(call)
            given = answer(call)
            self.send_response(given.status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(given.bytes))} | given.headers
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(given.bytes[: len(given.bytes) - given.cut])

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_port}", calls)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Settings(BaseModel):
    """Settings of the probe."""

    url: str = Field(description="Address.")
    user: str = Field("reader", description="User.")
    token: SecretStr = Field(SecretStr("hunter22-token"), description="Secret.")
    shelf: str = Field("a/b", description="A part of the path.")
    start_date: str | None = Field(None, description="Where to begin.")


def read(server: Server, state: dict[str, Any] | None = None, start_date: str = "", **declared: Any) -> Run:
    """Run a tap with one stream of the declared kind."""
    things: type[RestStream] = type(
        "Things",
        (RestStream,),
        {
            "__doc__": "Things.",
            "__module__": __name__,
            "name": "things",
            "url_base": "{url}/v1",
            "path": "/things",
            "primary_keys": ("id",),
            "retry": QUICK,
            **declared,
        },
    )
    tap = type("TapProbe", (RestTap,), {"name": "tap-probe", "stream_classes": (things,), "settings": Settings})
    config = {"url": server.url, "token": "hunter22-token"} | ({"start_date": start_date} if start_date else {})
    done = run(entry(tap), config, state=state)
    assert CANARY not in done.err
    assert "hunter22-token" not in done.err
    return done


def thing(number: int, **more: Any) -> Thing:
    return {"id": number, "name": CANARY, "changed_at": None} | more


def ids(done: Run) -> list[int]:
    return [record["id"] for record in done.records("things")]


# ------------------------------------------------------------------ requests


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        (basic("user", "token"), "Authorization", "Basic cmVhZGVyOmh1bnRlcjIyLXRva2Vu"),
        (bearer("token"), "Authorization", "Bearer hunter22-token"),
        (api_key("token"), "X-Api-Key", "hunter22-token"),
        (api_key("token", header="Api"), "Api", "hunter22-token"),
    ],
)
def test_credentials_travel_in_their_header(auth: Auth, header: str, value: str) -> None:
    with serving(lambda call: Answer([thing(1)])) as server:
        assert read(server, auth=auth).code == 0
    assert server.calls[0].headers[header] == value


def test_settings_fill_the_path_quoted_and_the_base_as_they_are() -> None:
    with serving(lambda call: Answer([thing(1)])) as server:
        read(Server(server.url + "/", server.calls), path="/shelves/{shelf}/things", params="order=asc&x=1")
    assert [(call.path, call.query) for call in server.calls] == [
        ("/v1/shelves/a%2Fb/things", {"order": "asc", "x": "1"})
    ]


# ------------------------------------------------------------------ pages


@pytest.mark.parametrize("in_header", [True, False])
def test_next_links_are_followed_as_they_are(in_header: bool) -> None:
    def answer(call: Call) -> Answer:
        page = int(call.query.get("p", "1"))
        link = f"/v1/things?p={page + 1}" if page < 3 else None
        headers = {"Link": f'<{link}>; rel="next"'} if link and in_header else {}
        return Answer({"data": [thing(page)], "links": {"next": link}}, headers=headers)

    paging = next_link() if in_header else next_link("$.links.next")
    with serving(answer) as server:
        done = read(server, paging=paging, records_jsonpath="$.data[*]")
    assert ids(done) == [1, 2, 3]


CIRCLES: dict[str, tuple[Paging, Callable[[Call], Answer]]] = {
    "page 2 repeats": (page_number(), lambda call: Answer([thing(1), thing(2)])),
    "points back": (
        cursor("$.next", param="after"),
        lambda call: Answer({"data": [thing(len(call.query))], "next": "again", "at": call.query.get("after")}),
    ),
    "another server": (
        next_link("$.next"),
        lambda call: Answer({"data": [thing(1)], "next": "http://elsewhere.example/v1/things?page=2"}),
    ),
}


@pytest.mark.parametrize("circle", CIRCLES)
def test_a_walk_in_circles_is_refused_and_leaves_no_bookmark(circle: str) -> None:
    paging, answer = CIRCLES[circle]
    with serving(answer) as server:
        done = read(
            server,
            paging=paging,
            records_jsonpath="$[*]" if circle.startswith("page") else "$.data[*]",
            replication_key="changed_at",
        )
    assert done.code == 3
    assert circle in done.last_line
    assert "replication_key_value" not in json.dumps(done.state)
    assert len(server.calls) <= 3


# ------------------------------------------------------------------ what changed since


def changed(number: int, at: str) -> Thing:
    return thing(number, changed_at=at)


def test_a_run_begins_a_little_before_the_last_moment_seen_so_that_ties_are_not_lost() -> None:
    rows = [changed(1, "2024-05-01T10:00:00"), changed(2, "2024-05-01T12:30:00"), changed(3, "2024-05-01T09:00:00")]
    with serving(lambda call: Answer(rows)) as server:
        first = read(server, replication_key="changed_at", since="since")
        second = read(server, first.state, replication_key="changed_at", since="since")
    assert [call.query for call in server.calls] == [{}, {"since": "2024-05-01T12:29:00Z"}]
    assert second.state["bookmarks"]["things"]["replication_key_value"] == "2024-05-01T12:30:00+00:00"


def test_a_start_date_bounds_the_first_run() -> None:
    with serving(lambda call: Answer([thing(1)])) as server:
        read(
            server, start_date="2024-05-01", replication_key="changed_at", since="since", since_format="%Y-%m-%d %H:%M"
        )
    assert server.calls[0].query == {"since": "2024-04-30 23:59"}


def test_a_row_without_a_moment_does_not_move_the_bookmark() -> None:
    with serving(lambda call: Answer([changed(1, "2024-05-01T10:00:00Z"), thing(2)])) as server:
        done = read(server, replication_key="changed_at", since="since")
    assert ids(done) == [1, 2]
    assert done.state["bookmarks"]["things"]["replication_key_value"] == "2024-05-01T10:00:00+00:00"


# ------------------------------------------------------------------ records


def test_declared_fields_are_kept_moments_are_in_utc_and_other_fields_are_told() -> None:
    rows = [
        {"id": 1, "changed_at": "2024-05-01T10:00:00", "links": {"self": CANARY}},
        {"id": 2, "name": "n", "changed_at": "2024-05-01T10:00:00+02:00"},
    ]
    with serving(lambda call: Answer(rows)) as server:
        done = read(server)
    assert done.records("things") == [
        {"id": 1, "name": None, "changed_at": "2024-05-01T10:00:00Z", "_extra": {"links": {"self": CANARY}}},
        {"id": 2, "name": "n", "changed_at": "2024-05-01T10:00:00+02:00", "_extra": None},
    ]
    assert done.err.count("fields not in the schema, kept in _extra: links") == 1


def test_a_record_without_its_key_is_refused_and_stops_no_other() -> None:
    with serving(lambda call: Answer([{"name": CANARY}, thing(2)])) as server:
        done = read(server)
    (refused,) = done.records("_quarantine")
    assert (done.code, ids(done), refused["reason"]) == (0, [2], "no 'id', its key")


@pytest.mark.parametrize("body", [{"error": CANARY}, [CANARY], {"data": {"email": CANARY}}])
def test_an_answer_of_another_shape_is_refused(body: Any) -> None:
    with serving(lambda call: Answer(body)) as server:
        done = read(server)
    assert done.code == 3
    assert "the answer of /v1/things holds no list of records at $[*]" in done.last_line


@pytest.mark.parametrize("body", [{"error": CANARY}, {"data": None}, {"data": {"id": 1}}])
def test_an_error_inside_a_good_status_is_no_empty_list(body: Any) -> None:
    with serving(lambda call: Answer(body)) as server:
        done = read(server, records_jsonpath="$.data[*]")
    assert done.code == 3
    assert "holds no list of records at $.data[*]" in done.last_line


# ------------------------------------------------------------------ faults


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (400, 3, "400 from GET /v1/things. Next: check that the server's version"),
        (401, 2, "401 from GET /v1/things. Next: renew user and token"),
        (403, 2, "403 from GET /v1/things. Next: renew user and token"),
        (404, 2, "404 from GET /v1/things. Next: check the URL"),
        (429, 4, "429 from GET /v1/things, 3 tries. Next: run again later: nothing is lost."),
        (500, 4, "500 from GET /v1/things, 3 tries."),
        (503, 4, "503 from GET /v1/things, 3 tries."),
    ],
)
def test_a_status_is_told_with_its_cure_and_without_the_body(status: int, code: int, told: str) -> None:
    with serving(lambda call: Answer({"message": f"no {CANARY}", "secret": "body-secret"}, status)) as server:
        done = read(server, auth=basic("user", "token"))
    assert done.code == code
    assert done.last_line.startswith(f"tap-probe: things: {told}")
    assert "body-secret" not in done.err
    assert len(server.calls) == (3 if code == 4 else 1)


BROKEN: dict[str, Answer] = {
    "cut short": Answer([thing(1)], cut=5),
    "half a document": Answer(b'[{"id": 1, "na'),
    "not text": Answer(b'[{"id": 1, "name": "\xff"}]'),
    "damaged compression": Answer(gzip.compress(b"[]" * 50)[:-30], headers={"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_an_answer_that_is_not_whole_is_asked_for_again(broken: str) -> None:
    answers = [BROKEN[broken], Answer([thing(1), thing(2)])]
    with serving(lambda call: answers.pop(0)) as server:
        done = read(server)
    assert (done.code, ids(done)) == (0, [1, 2])


@pytest.mark.parametrize("broken", BROKEN)
def test_an_answer_that_stays_broken_ends_the_run_without_a_row_of_it(broken: str) -> None:
    with serving(lambda call: BROKEN[broken]) as server:
        done = read(server)
    assert (done.code, ids(done), len(server.calls)) == (4, [], 3)


def test_a_web_page_is_no_data() -> None:
    page = Answer(f"<html>Sign in {CANARY}</html>".encode(), headers={"Content-Type": "text/html; charset=utf-8"})
    with serving(lambda call: page) as server:
        done = read(server)
    assert done.code == 3
    assert "a web page came instead of data from GET /v1/things" in done.last_line
    assert len(server.calls) == 1


def test_the_seconds_that_the_server_asks_for_are_waited() -> None:
    answers = [Answer({}, 429, {"Retry-After": "0.2"}), Answer({}, 503), Answer([thing(1)])]
    with serving(lambda call: answers.pop(0)) as server:
        done = read(server)
    assert done.code == 0
    assert "429 from GET /v1/things; asking again in 0.2 s" in done.err


def test_a_wait_that_is_too_long_is_left_to_the_next_run() -> None:
    with serving(lambda call: Answer({}, 429, {"Retry-After": "3600"})) as server:
        done = read(server)
    assert done.code == 4
    assert "it asks to wait 3600 s" in done.last_line
    assert len(server.calls) == 1


def test_a_server_that_is_not_there_is_told_without_its_address() -> None:
    with serving(lambda call: Answer([])) as server:
        pass
    done = read(Server(server.url, []), auth=bearer("token"))
    assert done.code == 4
    assert "no whole answer from the server (ConnectionError), 3 tries" in done.last_line


def test_an_address_that_is_none_is_a_wrong_setting() -> None:
    done = read(Server("http://", []), paging=single_page())
    assert (done.code, done.last_line) == (
        2,
        "tap-probe: things: no request possible (InvalidURL). Next: check the URL.",
    )
