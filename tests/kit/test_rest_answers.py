from __future__ import annotations

import gzip
from typing import Any

import pytest
from tests.kit.http_server import Reply, serving
from tests.kit.rest_probe import CANARY, ids, read, stream, thing

from snello.kit.rest import Errors, basic, bearer, single_page


def test_declared_fields_are_kept_moments_are_in_utc_and_other_fields_are_told() -> None:
    rows = [
        {"id": 1, "changed_at": "2024-05-01T10:00:00", "links": {"self": CANARY}},
        {"id": 2, "name": "n", "changed_at": "2024-05-01T10:00:00+02:00"},
    ]
    with serving(lambda call: Reply(rows)) as server:
        done = read(server.url, stream())
    assert done.records("things") == [
        {"id": 1, "name": None, "changed_at": "2024-05-01T10:00:00Z", "_extra": {"links": {"self": CANARY}}},
        {"id": 2, "name": "n", "changed_at": "2024-05-01T10:00:00+02:00", "_extra": None},
    ]
    assert done.err.count("fields not in the schema, kept in _extra: links") == 1


def test_a_record_without_its_key_is_refused_and_stops_no_other() -> None:
    with serving(lambda call: Reply([{"name": CANARY}, thing(2)])) as server:
        done = read(server.url, stream())
    (refused,) = done.records("_quarantine")
    assert (done.code, ids(done), refused["reason"]) == (0, [2], "no 'id', its key")


@pytest.mark.parametrize("body", [{"error": CANARY}, [CANARY], {"data": {"email": CANARY}}])
def test_an_answer_of_another_shape_is_refused(body: Any) -> None:
    with serving(lambda call: Reply(body)) as server:
        done = read(server.url, stream())
    assert done.code == 3
    assert "the answer of /v1/things holds no list of records at $[*]" in done.last_line


@pytest.mark.parametrize("body", [{"error": CANARY}, {"data": None}, {"data": {"id": 1}}])
def test_an_error_inside_a_good_status_is_no_empty_list(body: Any) -> None:
    with serving(lambda call: Reply(body)) as server:
        done = read(server.url, stream(records_jsonpath="$.data[*]"))
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
    with serving(lambda call: Reply({"message": f"no {CANARY}", "secret": "body-secret"}, status)) as server:
        done = read(server.url, stream(auth=basic("user", "token")))
    assert done.code == code
    assert done.last_line.startswith(f"tap-probe: things: {told}")
    assert "body-secret" not in done.err
    assert len(server.calls) == (3 if code == 4 else 1)


BROKEN: dict[str, Reply] = {
    "cut short": Reply([thing(1)], cut=5),
    "half a document": Reply(b'[{"id": 1, "na'),
    "not text": Reply(b'[{"id": 1, "name": "\xff"}]'),
    "damaged compression": Reply(gzip.compress(b"[]" * 50)[:-30], headers=[("Content-Encoding", "gzip")]),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_an_answer_that_is_not_whole_is_asked_for_again(broken: str) -> None:
    answers = [BROKEN[broken], Reply([thing(1), thing(2)])]
    with serving(lambda call: answers.pop(0)) as server:
        done = read(server.url, stream())
    assert (done.code, ids(done)) == (0, [1, 2])


@pytest.mark.parametrize("broken", BROKEN)
def test_an_answer_that_stays_broken_ends_the_run_without_a_row_of_it(broken: str) -> None:
    with serving(lambda call: BROKEN[broken]) as server:
        done = read(server.url, stream())
    assert (done.code, ids(done), len(server.calls)) == (4, [], 3)


def test_a_web_page_is_no_data() -> None:
    page = Reply(f"<html>Sign in {CANARY}</html>".encode(), headers=[("Content-Type", "text/html; charset=utf-8")])
    with serving(lambda call: page) as server:
        done = read(server.url, stream())
    assert done.code == 3
    assert "a web page came instead of data from GET /v1/things" in done.last_line
    assert len(server.calls) == 1


def test_the_seconds_that_the_server_asks_for_are_waited() -> None:
    answers = [Reply({}, 429, [("Retry-After", "0.2")]), Reply({}, 503), Reply([thing(1)])]
    with serving(lambda call: answers.pop(0)) as server:
        done = read(server.url, stream())
    assert done.code == 0
    assert "429 from GET /v1/things; asking again in 0.2 s" in done.err


def test_a_wait_that_is_too_long_is_left_to_the_next_run() -> None:
    with serving(lambda call: Reply({}, 429, [("Retry-After", "3600")])) as server:
        done = read(server.url, stream())
    assert done.code == 4
    assert "it asks to wait 3600 s" in done.last_line
    assert len(server.calls) == 1


def test_a_server_that_is_not_there_is_told_without_its_address() -> None:
    with serving(lambda call: Reply([])) as server:
        pass
    done = read(server.url, stream(auth=bearer("token")))
    assert done.code == 4
    assert "no whole answer from the server (ConnectionError), 3 tries" in done.last_line


def test_an_address_that_is_none_is_a_wrong_setting() -> None:
    done = read("http://", stream(paging=single_page()))
    assert (done.code, done.last_line) == (
        2,
        "tap-probe: things: no request possible (InvalidURL). Next: check the URL.",
    )


@pytest.mark.parametrize(
    ("status", "code", "ends", "told"),
    [
        (400, "BUSY", 4, "400 from GET /v1/things, code BUSY, 3 tries"),
        (422, "NO_RIGHT", 2, "422 from GET /v1/things, code NO_RIGHT. Next: give user and token the right to read"),
        (400, "GONE_OFF", 2, "400 from GET /v1/things, code GONE_OFF. Next: renew user and token"),
        (400, "OTHER", 3, "400 from GET /v1/things. Next: check that the server's version"),
        (404, "OTHER", 2, "404 from GET /v1/things. Next: check the URL"),
    ],
)
def test_a_refusal_means_what_its_declared_code_says_and_else_what_its_status_says(
    status: int, code: str, ends: int, told: str
) -> None:
    errors = Errors("$.error", "$.error", again={"BUSY"}, expired={"GONE_OFF"}, denied={"NO_RIGHT"})
    with serving(lambda call: Reply({"error": code, "message": CANARY}, status)) as server:
        done = read(server.url, stream(auth=basic("user", "token"), errors=errors))
    assert (done.code, done.last_line.startswith(f"tap-probe: things: {told}")) == (ends, True), done.last_line
