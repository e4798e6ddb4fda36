from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from snello.errors import ConfigError, RetryLater
from snello.kit.channel import BatchRefused, Http, Pace, Retry

Answer = tuple[int, dict[str, str], bytes]


class Scripted(BaseHTTPRequestHandler):
    """Answers as the script says, one answer a call; the last one again and again."""

    script: ClassVar[list[Answer]] = []
    bodies: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        status, headers, body = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if status == 0:
            time.sleep(0.5)
            return
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def serving(*script: Answer) -> Iterator[str]:
    Scripted.script, Scripted.bodies = list(script), []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook?token=hidden"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def http() -> Iterator[Http]:
    session = Http("target-acme", retry=Retry(attempts=3, first_wait=0.001, max_wait=2), renew="renew ACME_KEY")
    yield session
    session.close()


OK: Answer = (200, {}, b"{}")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_fault_is_tried_again_with_the_same_body(http: Http, status: int) -> None:
    with serving((status, {}, b""), OK) as url:
        assert http.call("POST", url, data=b"body").status_code == 200
    assert Scripted.bodies == [b"body", b"body"]


def test_a_lasting_fault_ends_in_one_sentence_without_the_query(http: Http) -> None:
    with serving((503, {}, b"secret words")) as url, pytest.raises(RetryLater) as fault:
        http.call("POST", url)
    assert str(fault.value) == (
        "target-acme: 503 from POST /hook, tried 3 times. Next: run again later; nothing is lost."
    )


@pytest.mark.parametrize("as_date", [False, True])
def test_the_channel_says_how_long_to_wait(http: Http, monkeypatch: pytest.MonkeyPatch, as_date: bool) -> None:
    slept: list[float] = []
    monkeypatch.setattr("snello.kit.http.client.Client._nap", lambda _, seconds: slept.append(seconds))
    asked = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True) if as_date else "1.5"
    with serving((429, {"Retry-After": asked}, b""), OK) as url:
        http.call("POST", url)
    assert len(slept) == 1
    assert 0 < slept[0] <= 2
    assert as_date or slept == [1.5]


def test_a_wait_beyond_the_agreed_one_ends_the_run(http: Http) -> None:
    with serving((429, {"Retry-After": "3600"}, b"")) as url, pytest.raises(RetryLater, match="asks to wait 3600 s"):
        http.call("POST", url)
    assert len(Scripted.bodies) == 1


def test_a_limit_header_counts_for_a_429_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("snello.kit.http.client.Client._nap", lambda _, seconds: slept.append(seconds))
    http = Http("target-acme", retry=Retry(attempts=3, first_wait=0.001).also("x-limit-reset"))
    with serving((429, {"x-limit-reset": "7"}, b""), (500, {"x-limit-reset": "7"}, b""), OK) as url:
        http.call("POST", url)
    http.close()
    assert slept[0] == 7
    assert slept[1] < 1


def test_silence_is_tried_again() -> None:
    http = Http("target-acme", retry=Retry(attempts=2, timeout=0.1, first_wait=0.001))
    with serving((0, {}, b"")) as url, pytest.raises(RetryLater, match=r"no answer within 0\.1 s from POST /hook"):
        http.call("POST", url)
    http.close()


def test_a_closed_port_is_told_as_no_connection(http: Http) -> None:
    with pytest.raises(RetryLater, match="no connection"):
        http.call("POST", "http://127.0.0.1:1/hook")


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (401, {}, "401 from POST /hook. Next: renew ACME_KEY"),
        (403, {}, "403 from POST /hook. Next: renew ACME_KEY"),
        (307, {"Location": "http://elsewhere.example/"}, "307, a redirect, from POST /hook"),
    ],
)
def test_what_only_a_person_can_mend_is_a_wrong_configuration(
    http: Http, status: int, headers: dict[str, str], words: str
) -> None:
    with serving((status, headers, b"secret words")) as url, pytest.raises(ConfigError) as fault:
        http.call("POST", url)
    assert words in str(fault.value)
    assert len(Scripted.bodies) == 1


@pytest.mark.parametrize("url", ["no url", "ftp://example.it/x", "http://"])
def test_a_wrong_address_is_told(http: Http, url: str) -> None:
    with pytest.raises(ConfigError, match="its URL is not one"):
        http.call("POST", url)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"code": "bad_rows", "message": "ada@example.it"}', "bad_rows"),
        (b'{"code": "ada@example.it"}', "422"),
        (b'{"code": 7}', "422"),
        (b"[]", "422"),
        (b"no json", "422"),
    ],
)
def test_a_refused_body_keeps_a_plain_code_and_nothing_else(http: Http, body: bytes, code: str) -> None:
    with serving((422, {}, body)) as url, pytest.raises(BatchRefused) as fault:
        http.call("POST", url)
    assert (fault.value.code, fault.value.status) == (code, 422)
    assert "example.it" not in str(fault.value)


def test_calls_are_spread_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 3))
        clock[0] += seconds

    monkeypatch.setattr("snello.kit.channel.http.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("snello.kit.channel.http.time.sleep", sleep)
    pace = Pace(4)
    for _ in range(3):
        pace.hold()
    clock[0] += 10
    pace.hold()
    assert slept == [0.25, 0.25]


def test_without_a_pace_calls_go_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("snello.kit.channel.http.time.sleep", waits.append)
    Pace().hold()
    Pace().hold()
    assert waits == []
