from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kit.http_server import Reply, Server, serving

from snello.errors import ConfigError, RetryLater
from snello.kit.http import Client, Limit, Retry, bearer
from snello.kit.http.buckets import OwnBucket, SharedBucket


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("10/s", Limit(10, 1)),
        (" 300 / min ", Limit(300, 60)),
        ("100/30s", Limit(100, 30)),
        ("1000/Day", Limit(1000, 86400)),
    ],
)
def test_a_limit_is_read_from_a_text(text: str, limit: Limit) -> None:
    assert Limit.parse(text) == limit


@pytest.mark.parametrize("text", ["", "ten/s", "0/s", "10", "10/fortnight", "10/0s", "-1/s"])
def test_a_limit_that_is_none_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match=r"tap-x: the limit does not parse\. Next: write it as 10/s"):
        Limit.parse(text, "tap-x")


@given(st.integers(1, 6), st.one_of(st.none(), st.integers(1, 6)), st.lists(st.floats(0, 3), max_size=40))
def test_no_window_holds_more_than_allowed_whenever_one_asks(
    requests: int, burst: int | None, pauses: list[float]
) -> None:
    limit, now = Limit(requests, 2.0, burst), 0.0
    allowed: list[float] = []
    for pause in pauses:
        now += pause
        latest = [allowed[-many] for many, _ in limit.windows if len(allowed) >= many]
        now += limit.wait(now, latest)
        allowed.append(now)
    for many, span in limit.windows:
        gaps = [later - earlier for earlier, later in zip(allowed, allowed[many:], strict=False)]
        assert all(gap > span - 1e-5 for gap in gaps)


def test_a_clock_that_steps_back_is_not_waited_for() -> None:
    assert Limit(1, 2.0).wait(100.0, [100_000.0]) == 2.0


def test_two_accounts_do_not_share_a_limit(tmp_path: Path) -> None:
    one, other = (SharedBucket(Limit(1, 60), tmp_path / "limits.db", name) for name in ("a", "b"))
    assert one.take() == 0
    assert 50 < one.take() <= 60
    assert other.take() == 0
    one.close()
    other.close()


def test_a_rest_holds_for_whoever_uses_the_account(tmp_path: Path) -> None:
    one, other = (SharedBucket(Limit(9), tmp_path / "limits.db", "a") for _ in range(2))
    one.rest(30)
    assert 25 < other.take() <= 30
    one.close()
    other.close()


PROGRAM = """
    import sys
    from snello.kit.http import Client, Limit, bearer
    client = Client("tap-probe", auth=bearer("token"), config={"token": "hunter22-token"}, limit=Limit(4, 0.8))
    for _ in range(8):
        client.send("GET", sys.argv[1])
    client.close()
"""


def test_two_processes_share_one_limit(state: Path) -> None:
    with serving([Reply([])]) as server:
        command = [sys.executable, "-c", textwrap.dedent(PROGRAM), server.url]
        runs = [subprocess.Popen(command, env={**os.environ}) for _ in range(2)]
        assert [run.wait(120) for run in runs] == [0, 0]
    moments = sorted(call.moment for call in server.calls)
    assert len(moments) == 16
    # a request may reach the server late, never two windows' worth at once
    assert all(later - earlier > 0.4 for earlier, later in zip(moments, moments[4:], strict=False))
    with sqlite3.connect(state / "limits.db") as base:
        text = "".join(str(row) for row in base.execute("select * from request"))
    base.close()
    assert "hunter22" not in text
    assert (state / "limits.db").stat().st_mode & 0o077 == 0
    assert state.stat().st_mode & 0o077 == 0


def test_threads_share_one_limit() -> None:
    with serving([Reply([])]) as server, ThreadPoolExecutor(4) as pool:
        client = Client("tap-probe", limit=Limit(2, 0.3), workers=4)
        list(pool.map(lambda _: client.send("GET", server.url), range(6)))
        client.close()
    moments = sorted(call.moment for call in server.calls)
    assert all(later - earlier > 0.15 for earlier, later in zip(moments, moments[2:], strict=False))


def test_a_state_folder_that_cannot_be_used_leaves_a_limit_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "file"))
    told: list[str] = []
    with serving([Reply([])]) as server:
        client = Client("tap-probe", limit=Limit(1, 0.2), tell=told.append)
        for _ in range(3):
            client.send("GET", server.url)
    assert told == ["tap-probe: the limit of requests holds for this process alone: its file cannot be used"]
    moments = [call.moment for call in server.calls]
    assert all(later - earlier > 0.15 for earlier, later in pairwise(moments))


def test_a_file_that_is_no_database_leaves_a_limit_of_the_process(state: Path) -> None:
    state.mkdir()
    (state / "limits.db").write_text("this is no database, whatever its name may say\n" * 100)
    told: list[str] = []
    with serving([Reply([])]) as server:
        Client("tap-probe", limit=Limit(1, 0.2), tell=told.append).send("GET", server.url)
    assert len(told) == 1


# ------------------------------------------------------------------ what the server says of its limit


@pytest.mark.parametrize(
    "headers",
    [
        [("RateLimit-Remaining", "0"), ("RateLimit-Reset", "1")],
        [("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "{soon}")],
        [("RateLimit", "limit=10, remaining=0, reset=1")],
        [("RateLimit", '"default";r=0;t=1')],
    ],
)
def test_an_exhausted_limit_is_waited_for_instead_of_earning_a_refusal(headers: list[tuple[str, str]]) -> None:
    def answer(call: object) -> Reply:
        soon = str(time.time() + 1)
        return Reply([], headers=[(name, value.replace("{soon}", soon)) for name, value in headers])

    with serving(answer) as server:
        client = Client("tap-probe")
        client.send("GET", server.url)
        client.send("GET", server.url)
    first, second = (call.moment for call in server.calls)
    assert second - first > 0.8


def test_a_limit_that_is_not_used_up_is_not_waited_for() -> None:
    left = [("RateLimit-Remaining", "1"), ("RateLimit-Reset", "100")]
    far = [("RateLimit-Remaining", "0"), ("RateLimit-Reset", "1000")]
    with serving([Reply([], headers=left), Reply([], headers=far), Reply([])]) as server:
        client = Client("tap-probe")
        for _ in range(3):
            client.send("GET", server.url)
    assert len(server.calls) == 3


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.started = threading.get_ident()
        monkeypatch.setattr("snello.kit.http.pacing.time", self)
        monkeypatch.setattr("snello.kit.http.buckets.time", self)
        monkeypatch.setattr("snello.kit.http.pacing.Pacing._nap", lambda _, seconds: self.sleep(seconds))

    def monotonic(self) -> float:
        return self.now

    time = monotonic

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def ask(server: Server, client: Client, times: int) -> None:
    for _ in range(times):
        client.send("GET", server.url)


def test_a_long_wait_is_told_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch)
    told: list[str] = []
    with serving([Reply([])]) as server:
        ask(server, Client("tap-x", limit=Limit(1, 150), tell=told.append), 2)
    assert told == ["tap-x: the interface allows 1 request in 150 s; waiting"] * 3


def test_a_short_wait_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch)
    told: list[str] = []
    with serving([Reply([])]) as server:
        ask(server, Client("tap-x", limit=Limit(1, 4), tell=told.append), 5)
    assert told == []


def test_a_wait_of_hours_is_left_to_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch)
    with (
        serving([Reply([])]) as server,
        pytest.raises(RetryLater, match="allows 2 requests in 86400 s"),
    ):
        ask(server, Client("tap-x", limit=Limit(2, 86400)), 3)


def test_a_bucket_without_a_limit_holds_nobody() -> None:
    bucket = OwnBucket(None)
    assert [bucket.take() for _ in range(100)] == [0.0] * 100


def test_a_refusal_waits_as_long_as_the_limit_says() -> None:
    busy = Reply({}, 429, [("X-Acme-Reset", "1")])
    with serving([busy, Reply([])]) as server:
        Client("tap-x", retry=Retry(first=0.0, also=("X-Acme-Reset",)), auth=bearer("t"), config={"t": "x"}).send(
            "GET", server.url
        )
    first, second = (call.moment for call in server.calls)
    assert second - first > 0.9
