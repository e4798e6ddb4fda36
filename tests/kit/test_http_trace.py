from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.kit.http_server import Reply, serving

from snello.errors import SnelloError
from snello.kit import redact
from snello.kit.http import Client, Retry, api_key, oauth2_client

CANARY = "canary.person@aurora.example"


@pytest.fixture(autouse=True)
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SNELLO_TRACE", str(tmp_path / "trace.jsonl"))
    yield tmp_path / "trace.jsonl"
    redact.forget()


def lines(trace: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in trace.read_text().splitlines()]


def test_each_try_is_a_line_with_what_was_asked_and_what_came(trace: Path) -> None:
    with serving([Reply({}, 503), Reply([1, 2])]) as server:
        client = Client("tap-probe: things", retry=Retry(first=0.001))
        client.send("GET", f"{server.url}/v1/things", params={"page": "2", "tag": ["a", "b"]})
    first, second = lines(trace)
    took = second.pop("ms")
    assert isinstance(took, int)
    assert second == {
        "where": "tap-probe: things",
        "method": "GET",
        "host": server.url.partition("//")[2],
        "path": "/v1/things",
        "query": {"page": ["2"], "tag": ["a", "b"]},
        "attempt": 2,
        "status": 200,
        "bytes": 6,
    }
    assert (first["status"], first["attempt"]) == (503, 1)


def test_no_secret_and_no_person_reaches_the_trace(trace: Path) -> None:
    config = {"key": "hunter22", "client_id": "snello", "client_secret": "sesame-open"}
    with serving([Reply({"access_token": "the-access-token"})]) as server:
        Client("tap-probe", auth=api_key("key", param="apikey"), config=config).send(
            "GET", f"{server.url}/people/{CANARY}", params={"q": CANARY, "access_key": "short", "after": "c" * 41}
        )
        Client("tap-probe", auth=oauth2_client("{url}/token"), config={**config, "url": server.url}).send(
            "GET", f"{server.url}/the-access-token"
        )
    text = trace.read_text()
    assert not [word for word in (CANARY, "aurora", "hunter22", "sesame", "the-access-token", "short") if word in text]
    assert lines(trace)[0]["query"] == {"q": ["***"], "access_key": ["***"], "after": ["***"], "apikey": ["***"]}
    assert lines(trace)[0]["path"] == "/people/***"


def test_a_request_without_an_answer_is_a_line_too(trace: Path) -> None:
    with pytest.raises(SnelloError):
        Client("tap-probe", retry=Retry(tries=1)).send("GET", "http://127.0.0.1:1/x")
    assert lines(trace)[0]["fault"] == "ConnectionError"


def test_the_trace_is_its_owners_alone(trace: Path) -> None:
    with serving([Reply([])]) as server:
        Client("tap-probe").send("GET", server.url)
    assert trace.stat().st_mode & 0o077 == 0


def test_a_trace_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_TRACE", str(tmp_path))
    with (
        serving([Reply([])]) as server,
        pytest.raises(SnelloError, match="SNELLO_TRACE: the file cannot"),
    ):
        Client("tap-probe").send("GET", server.url)


def test_nothing_is_written_unless_wanted(trace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNELLO_TRACE")
    with serving([Reply([])]) as server:
        Client("tap-probe").send("GET", server.url)
    assert not trace.exists()
