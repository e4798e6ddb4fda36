from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from snello.kit.conformance import (
    Broken,
    BrokenAfter,
    Fault,
    Hold,
    Html,
    HtmlAfter,
    Kill,
    KillAfter,
    Limited,
    Plan,
    Proxy,
    Reordered,
    Reset,
    ResetAfter,
    Seen,
    Slow,
    Timeout,
    TimeoutAfter,
    Truncated,
    Unauthorized,
    always,
    at,
    chance,
    every,
    faulty,
    first_of,
    once,
    times,
)

SEEN = Seen("GET", "/", "")


class Origin:
    """A server that counts its calls and says what reached it."""

    def __init__(self) -> None:
        self.calls = 0
        self.url = ""

    @contextmanager
    def serving(self) -> Iterator[Origin]:
        origin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                origin.calls += 1
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                said = {
                    "method": self.command,
                    "target": self.path,
                    "headers": dict(self.headers),
                    "body": body,
                    "next": f"{origin.url}/page/2",
                    "pad": "x" * 2000,
                    "rows": [{"id": 1, "tags": ["a", "b"]}, {"id": 2}],
                }
                text = json.dumps(said)
                if self.path.startswith("/escaped"):
                    text = text.replace("/", "\\/")
                encoded = b"" if self.path == "/nothing" else text.encode()
                self.send_response(204 if self.path == "/nothing" else 200)
                self.send_header("Content-Type", "text/plain" if self.path == "/text" else "application/json")
                self.send_header("Link", f'<{origin.url}/page/2>; rel="next"')
                self.send_header("Set-Cookie", "a=1")
                self.send_header("Set-Cookie", "b=2")
                if encoded:
                    self.send_header("Content-Length", str(len(encoded)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(encoded)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = handle_any

            def log_message(self, *_: Any) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.fixture(name="origin")
def _origin() -> Iterator[Origin]:
    with Origin().serving() as origin:
        yield origin


@contextmanager
def before(origin: Origin, plan: Plan) -> Iterator[tuple[Proxy, requests.Session]]:
    with faulty(origin.url, plan) as proxy, requests.Session() as session:
        session.trust_env = False
        yield proxy, session


def test_without_a_fault_calls_pass_with_their_headers_and_bodies(origin: Origin) -> None:
    with before(origin, always_none) as (proxy, session):
        answer = session.post(f"{proxy.url}/things?a=1&b=%2F", data=b"body", headers={"X-Mine": "yes"})
        said = answer.json()
        assert (said["method"], said["target"], said["body"]) == ("POST", "/things?a=1&b=%2F", "body")
        assert said["headers"]["X-Mine"] == "yes"
        assert said["headers"]["Host"] == proxy.origin.removeprefix("http://")
        assert answer.cookies.get_dict() == {"a": "1", "b": "2"}
        assert [(seen.method, seen.path, seen.query, seen.status) for seen in proxy.requests] == [
            ("POST", "/things", "a=1&b=%2F", 200)
        ]


@pytest.mark.parametrize("path", ["/plain", "/escaped"])
def test_links_to_the_server_lead_to_the_proxy(origin: Origin, path: str) -> None:
    with before(origin, always_none) as (proxy, session):
        answer = session.get(proxy.url + path)
        assert answer.json()["next"] == f"{proxy.url}/page/2"
        assert answer.links["next"]["url"] == f"{proxy.url}/page/2"
        assert origin.url not in answer.text


def test_bodies_that_are_not_json_pass_untouched(origin: Origin) -> None:
    with before(origin, always_none) as (proxy, session):
        assert origin.url in session.get(f"{proxy.url}/text").text


def test_the_path_of_the_upstream_stays_in_the_proxys_address(origin: Origin) -> None:
    with faulty(f"{origin.url}/v3/") as proxy:
        assert proxy.url == f"{proxy.origin}/v3"


def test_a_connection_is_kept_for_the_next_call(origin: Origin) -> None:
    with before(origin, at(1, Broken())) as (proxy, session):
        for method in ("GET", "PUT", "HEAD", "DELETE"):
            assert session.request(method, f"{proxy.url}/a").status_code == (500 if method == "PUT" else 200)
        assert session.get(f"{proxy.url}/nothing").status_code == 204
        (pool,) = session.get_adapter(proxy.url).poolmanager.pools._container.values()  # type: ignore[attr-defined]
        assert (pool.num_connections, pool.num_requests) == (1, 5)


def test_a_body_sent_in_chunks_arrives_whole(origin: Origin) -> None:
    with before(origin, always_none) as (proxy, session):
        said = session.post(f"{proxy.url}/a", data=iter([b"one ", b"two"])).json()
        assert said["body"] == "one two"


@pytest.mark.parametrize(
    ("asked", "header"),
    [(None, None), (2, "2"), (datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC), "Wed, 02 Jan 2030 03:04:05 GMT")],
)
def test_limited_is_a_429_that_says_when_to_come_again(
    origin: Origin, asked: float | datetime | None, header: str | None
) -> None:
    with before(origin, always(Limited(asked))) as (proxy, session):
        answer = session.get(proxy.url)
        assert (answer.status_code, answer.headers.get("Retry-After"), origin.calls) == (429, header, 0)


@pytest.mark.parametrize(
    ("fault", "status", "effects"),
    [
        (Broken(), 500, 0),
        (Broken(503), 503, 0),
        (BrokenAfter(502), 502, 1),
        (Unauthorized(), 401, 0),
        (Html(), 200, 0),
        (HtmlAfter(), 200, 1),
        (Html(503), 503, 0),
    ],
    ids=repr,
)
def test_a_fault_answers_for_the_server_before_or_after_the_effect(
    origin: Origin, fault: Fault, status: int, effects: int
) -> None:
    with before(origin, always(fault)) as (proxy, session):
        answer = session.post(proxy.url, data=b"x")
        assert (answer.status_code, origin.calls) == (status, effects)
        html = isinstance(fault, Html | HtmlAfter)
        assert answer.headers["Content-Type"].startswith("text/html" if html else "application/json")
        assert [(seen.status, seen.fault) for seen in proxy.requests] == [(status, fault)]


@pytest.mark.parametrize(("fault", "effects"), [(Reset(), 0), (ResetAfter(), 1)], ids=repr)
def test_a_reset_is_one_on_the_wire(origin: Origin, fault: Fault, effects: int) -> None:
    with before(origin, always(fault)) as (proxy, _):
        address = (proxy.origin.removeprefix("http://").partition(":")[0], int(proxy.origin.rpartition(":")[2]))
        with socket.create_connection(address) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            with pytest.raises(ConnectionResetError):
                raw.recv(1)
        assert (origin.calls, proxy.requests[0].status) == (effects, None)


def test_a_truncated_answer_promises_more_than_comes(origin: Origin) -> None:
    with before(origin, always(Truncated(0.25))) as (proxy, session):
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            session.get(proxy.url)
        assert origin.calls == 1


def test_lists_of_an_answer_come_the_other_way_round(origin: Origin) -> None:
    with before(origin, always(Reordered())) as (proxy, session):
        assert session.get(proxy.url).json()["rows"] == [{"id": 2}, {"id": 1, "tags": ["b", "a"]}]


def test_a_slow_answer_comes_whole(origin: Origin) -> None:
    with before(origin, always(Slow(0.001, chunks=7))) as (proxy, session):
        assert len(session.get(proxy.url).json()["pad"]) == 2000


@pytest.mark.parametrize(("fault", "effects"), [(Timeout(30), 0), (TimeoutAfter(30), 1)], ids=repr)
def test_a_timeout_gives_no_answer(origin: Origin, fault: Fault, effects: int) -> None:
    with before(origin, always(fault)) as (proxy, session):
        with pytest.raises(requests.exceptions.ReadTimeout):
            session.post(proxy.url, timeout=0.2)
        assert origin.calls == effects


@pytest.mark.parametrize(("kind", "effects"), [(Kill, 0), (KillAfter, 1)])
def test_a_process_is_killed_in_the_middle_of_its_call(
    origin: Origin, kind: type[Kill] | type[KillAfter], effects: int
) -> None:
    code = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1]); print('answered')"
    started: list[subprocess.Popen[bytes]] = []
    with faulty(origin.url, always(kind(lambda: started[0].pid))) as proxy:
        child = subprocess.Popen(
            [sys.executable, "-c", code, proxy.url], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        started.append(child)
        out, _ = child.communicate(timeout=60)
        assert (child.returncode, out, origin.calls) == (-signal.SIGKILL, b"", effects)


def test_a_call_is_held_until_the_event_is_set(origin: Origin) -> None:
    event = threading.Event()
    with before(origin, always(Hold(event))) as (proxy, session), ThreadPoolExecutor(1) as pool:
        answer = pool.submit(session.get, proxy.url)
        proxy.wait_for(lambda seen: len(seen) == 1)
        assert (origin.calls, answer.done()) == (0, False)
        event.set()
        assert (answer.result(60).status_code, origin.calls) == (200, 1)


def test_waiting_for_calls_that_do_not_come_ends(origin: Origin) -> None:
    with before(origin, always_none) as (proxy, _), pytest.raises(TimeoutError, match="0 calls came"):
        proxy.wait_for(bool, 0.01)


def test_a_server_that_is_gone_is_a_connection_that_is_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with faulty(url) as proxy, pytest.raises(requests.exceptions.ConnectionError):
        requests.get(proxy.url, timeout=60)


def test_many_callers_at_once_are_numbered_without_a_gap(origin: Origin) -> None:
    numbers: list[int] = []

    def plan(_: Seen, number: int) -> Fault | None:
        numbers.append(number)
        return Broken() if number % 4 == 0 else None

    with faulty(origin.url, plan) as proxy, ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: requests.get(proxy.url, timeout=60).status_code, range(40)))
        assert codes.count(500) == 10
        assert sorted(seen.status or 0 for seen in proxy.requests) == [200] * 30 + [500] * 10
    assert numbers == list(range(40))


def test_half_a_body_is_not_passed_on(origin: Origin) -> None:
    with faulty(origin.url) as proxy:
        host, port = proxy.origin.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as raw:
            raw.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
            raw.shutdown(socket.SHUT_WR)
            assert raw.recv(1) == b""
        assert (origin.calls, proxy.requests) == (0, [])


def test_the_plan_may_be_replaced_while_calls_come(origin: Origin) -> None:
    with before(origin, always(Broken())) as (proxy, session):
        assert session.get(proxy.url).status_code == 500
        proxy.plan = always_none
        assert session.get(proxy.url).status_code == 200


def test_a_plan_that_fails_is_not_taken_for_a_fault(origin: Origin) -> None:
    def plan(_: Seen, __: int) -> Fault | None:
        raise LookupError("of the plan")

    with (
        pytest.raises(LookupError, match="of the plan"),
        faulty(origin.url, plan) as proxy,
        pytest.raises(requests.exceptions.ConnectionError),
    ):
        requests.get(proxy.url, timeout=60)


def test_plans_say_which_calls() -> None:
    fault = Broken()

    def hit(plan: Plan, calls: int = 9) -> list[int]:
        return [number for number in range(calls) if plan(SEEN, number)]

    assert hit(at(3, fault)) == [3]
    assert hit(at(1, fault, when=lambda seen: seen.method == "POST")) == []
    assert hit(every(3, fault)) == [2, 5, 8]
    assert hit(once(fault)) == [0]
    assert hit(once(fault, when=lambda seen: seen.method == "POST")) == []
    assert hit(times(2, fault)) == [0, 1]
    assert hit(first_of(at(3, fault), once(Reset()))) == [0, 3]
    seeded = hit(chance(0.3, 7, fault), 1000)
    assert seeded == hit(chance(0.3, 7, fault), 1000)
    assert 200 < len(seeded) < 400


def always_none(_: Seen, __: int) -> Fault | None:
    return None


def test_of_two_calls_made_in_turn_none_meets_every_second_fault_for_good() -> None:
    plan = every(2, Broken())
    calls = [Seen("GET", path, "") for _ in range(8) for path in ("/lucky", "/unlucky")]
    met = [plan(seen, number) is not None for number, seen in enumerate(calls)]
    assert met[0::2] == [False] * 8
    assert met[1::2] == [True, True, True, False, True, True, True, False]
