"""The endpoint for CloudEvents takes what the specification allows, each event once, and says no in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from snello.sandbox.emulators import serve
from snello.sandbox.emulators.events import LARGEST, TOKEN, events
from snello.sandbox.emulators.watch import Weather

LOGIN = {"Authorization": f"Bearer {TOKEN}"}
ONE, MANY = "application/cloudevents+json", "application/cloudevents-batch+json"


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with serve(events(refuses=lambda data: data.get("refuse"))) as url, httpx.Client(base_url=url) as one:
        yield one


def event(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": f"e{number}", "source": "/s", "type": "t", "data": {}, **more}


def post(client: httpx.Client, body: Any, kind: str = ONE, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post("/any/path", content=content, headers={**LOGIN, "content-type": kind, **headers})


def kept(client: httpx.Client) -> list[tuple[str, str, int]]:
    return [(one["id"], one["_mode"], one["_repeats"]) for one in client.get("/_inspect/events").json()]


def test_a_call_without_the_token_is_unauthorized(client: httpx.Client) -> None:
    assert client.post("/", json=event(), headers={"content-type": ONE}).status_code == 401
    assert post(client, event(), Authorization="Bearer wrong").json()["code"] == "unauthorized"
    assert kept(client) == []


def test_an_event_is_read_in_each_of_the_three_modes(client: httpx.Client) -> None:
    binary = {"ce-specversion": "1.0", "ce-id": "e3", "ce-source": "/s", "ce-type": "t"}
    answers = [post(client, event(1)), post(client, [event(2)], MANY), post(client, {}, "application/json", **binary)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert kept(client) == [("e1", "structured", 0), ("e2", "batched", 0), ("e3", "binary", 0)]


def test_an_event_that_comes_again_is_kept_once_and_counted_by_source_and_id(client: httpx.Client) -> None:
    for body in (event(1), event(1), event(1, source="/other")):
        assert post(client, body).status_code == 202
    assert kept(client) == [("e1", "structured", 1), ("e1", "structured", 0)]
    told = client.get("/_inspect").json()
    assert (told["events"], told["repeats"]) == (2, 1)


@pytest.mark.parametrize("lacking", ["specversion", "id", "source", "type"])
def test_an_event_without_what_each_must_have_is_none(client: httpx.Client, lacking: str) -> None:
    answer = post(client, {name: value for name, value in event().items() if name != lacking})
    assert (answer.status_code, answer.json()["code"]) == (400, "no_cloudevent")


@pytest.mark.parametrize("body", [b"", b"[", b"7", b'{"specversion": "0.3", "id": "e", "source": "/s", "type": "t"}'])
def test_what_is_no_event_of_version_1_is_refused(client: httpx.Client, body: bytes) -> None:
    assert post(client, body).status_code == 400
    assert kept(client) == []


def test_a_batch_with_an_event_that_is_not_taken_is_refused_whole(client: httpx.Client) -> None:
    answer = post(client, [event(1), event(2, data={"refuse": "too_old"})], MANY)
    assert (answer.status_code, answer.json()["code"]) == (422, "too_old")
    assert kept(client) == []


def test_an_event_and_a_batch_have_a_largest_size(client: httpx.Client) -> None:
    assert post(client, event(data={"text": "x" * LARGEST})).json()["code"] == "too_large"
    assert post(client, [event(n) for n in range(1_001)], MANY).status_code == 413
    assert post(client, [event(n) for n in range(1_000)], MANY).status_code == 202


def test_a_mode_that_the_endpoint_does_not_know_is_told() -> None:
    with serve(events(modes=frozenset({"batched"}))) as url, httpx.Client(base_url=url) as client:
        assert post(client, event()).status_code == 415
        assert post(client, [event()], MANY).status_code == 202


def test_what_was_taken_outlives_the_process(tmp_path: Path) -> None:
    for repeats in range(2):
        with serve(events(tmp_path / "events.db")) as url, httpx.Client(base_url=url) as client:
            post(client, event())
            assert kept(client) == [("e1", "structured", repeats)]


def test_bad_weather_is_that_of_every_emulator() -> None:
    with serve(events(weather=Weather(limited=1.0, retry_after=7))) as url, httpx.Client(base_url=url) as client:
        answer = post(client, event())
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
        assert client.get("/_inspect").json()["answers"] == {"429": 1}
