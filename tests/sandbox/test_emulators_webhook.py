from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from snello.sandbox.emulators import Weather, serve
from snello.sandbox.emulators.webhook import SECRET, webhook

BODY = json.dumps({"sync": "loyal", "changes": [{"key": "c-1"}, {"key": "c-2"}]}).encode()


def sign(body: bytes, moment: int, secret: str = SECRET) -> str:
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def post(url: str, body: bytes = BODY, key: str | None = "k-1", signature: str | None = None) -> httpx.Response:
    headers = {"Snello-Signature": signature if signature is not None else sign(body, int(time.time()))}
    if key:
        headers["Idempotency-Key"] = key
    return httpx.post(f"{url}/hook", content=body, headers=headers, trust_env=False)


@pytest.fixture
def url() -> Iterator[str]:
    with serve(webhook()) as it:
        yield it


def held(url: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = httpx.get(f"{url}/_inspect/deliveries", trust_env=False).json()
    return rows


def test_a_signed_body_is_taken_and_its_rows_are_counted(url: str) -> None:
    answer = post(url)
    assert (answer.status_code, answer.json()) == (200, {"status": "accepted", "rows": 2})
    assert held(url) == [{"key": "k-1", "body": json.loads(BODY), "repeats": 0}]


FORGERIES: dict[str, tuple[Callable[[int], str], str]] = {
    "none": (lambda now: "", "Snello-Signature must read t=<unix>,v1=<hex>"),
    "no moment": (lambda now: "v1=00", "Snello-Signature must read t=<unix>,v1=<hex>"),
    "old": (lambda now: sign(BODY, now - 301), "the signature is older than 300 seconds"),
    "another body's": (lambda now: sign(b"another body", now), "the signature does not match the body"),
    "another secret's": (lambda now: sign(BODY, now, "another secret"), "the signature does not match the body"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_body_is_refused_with_the_reason(url: str, forgery: str) -> None:
    forge, problem = FORGERIES[forgery]
    answer = post(url, signature=forge(int(time.time())))
    assert (answer.status_code, answer.json()) == (401, {"code": "bad_signature", "message": problem})
    assert held(url) == []


def test_the_moment_cannot_be_changed_without_the_secret(url: str) -> None:
    now = int(time.time())
    assert post(url, signature=sign(BODY, now).replace(f"t={now}", f"t={now - 1}")).status_code == 401


def test_a_repeated_body_is_answered_as_the_first_time_and_kept_once(url: str) -> None:
    first, again = post(url), post(url)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert [row["repeats"] for row in held(url)] == [1]
    assert httpx.get(f"{url}/_inspect", trust_env=False).json()["repeats"] == 1


def test_a_key_with_another_body_is_a_mistake(url: str) -> None:
    post(url)
    assert post(url, b'{"changes": []}').json()["code"] == "key_reused"


def test_a_key_is_asked_for_and_a_body_must_be_json(url: str) -> None:
    assert post(url, key=None).json()["code"] == "no_idempotency_key"
    assert post(url, b"hello").json()["code"] == "not_json"
    assert post(url, b"[1, 2, 3]", "k-3").json()["rows"] == 3


def test_what_came_in_outlives_the_server(tmp_path: Path) -> None:
    for repeats in (0, 1):
        with serve(webhook(tmp_path / "webhook.db")) as url:
            assert post(url).status_code == 200
            assert [row["repeats"] for row in held(url)] == [repeats]


def test_a_refused_call_in_bad_weather_leaves_nothing_behind() -> None:
    with serve(webhook(weather=Weather(broken=1.0))) as url:
        assert post(url).status_code == 503
        assert held(url) == []
