from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from snello.errors import ConfigError, ContractError, RetryLater, RowsRefused
from snello.kit.channel.rehearsal import Rehearsal
from snello.sandbox.emulators import Weather, serve
from snello.sandbox.emulators.webhook import SECRET, webhook
from target_webhook import TargetWebhook

Judge = Callable[[dict[str, Any]], tuple[int, Any]]


class Receiver:
    """A receiver that answers as ``judge`` says and remembers what came."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.requests: list[tuple[dict[str, str], bytes]] = []

    @property
    def sizes(self) -> list[int]:
        return [len(json.loads(body)["changes"]) for _, body in self.requests]

    @contextmanager
    def serving(self) -> Iterator[str]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((dict(self.headers), body))
                status, answer = receiver.judge(json.loads(body))
                text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hooks/t0ken"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.fixture
def stage(tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path, "webhook__loyal", max_removal_share=1)


def people(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"customer_id": f"c{n:03}", "email": f"p{n}@example.it", "visits": n, **more} for n in range(count)]


def config(url: str, **more: Any) -> dict[str, Any]:
    return {"url": url, "secret": SECRET, "retry_attempts": 1, **more}


def statuses(stage: Rehearsal) -> Counter[tuple[str, str]]:
    ledger = stage.ledger()
    rows = ledger.lookup(stage.sync, [f"c{n:03}" for n in range(999)])
    ledger.close()
    return Counter((row["status"], row["code"]) for row in rows.values())


def all_well(_: dict[str, Any]) -> tuple[int, Any]:
    return 200, {}


def test_a_batch_says_sync_purpose_and_a_row_a_change(stage: Rehearsal) -> None:
    receiver = Receiver(all_well)
    stage.publish(people(2))
    with receiver.serving() as url:
        stage.run(TargetWebhook, config(url))
        stage.publish(people(1))
        stage.run(TargetWebhook, config(url))
    first, second = (json.loads(body) for _, body in receiver.requests)
    assert (first["sync"], first["purpose"], first["channel"]) == ("webhook__loyal", "profiling", "any")
    row = first["changes"][1]
    assert len(row.pop("fingerprint")) == 32
    assert row == {"op": "upsert", "key": "c001", "customer_id": "c001", "email": "p1@example.it", "visits": 1}
    assert second["changes"] == [{"op": "remove", "key": "c001", "fingerprint": None, "customer_id": "c001"}]


@pytest.mark.parametrize("name", ["op", "key", "fingerprint", "moved_from"])
def test_a_column_that_would_take_the_place_of_what_a_row_means_stops_the_run(stage: Rehearsal, name: str) -> None:
    receiver = Receiver(all_well)
    stage.publish(people(1, **{name: "remove"}))
    with receiver.serving() as url, pytest.raises(ConfigError, match=f"column '{name}'"):
        stage.run(TargetWebhook, config(url))
    assert receiver.requests == []


def test_the_key_may_be_called_key(stage: Rehearsal) -> None:
    receiver = Receiver(all_well)
    stage.terms["key"] = "key"
    stage.publish([{"customer_id": "c1", "key": "event1"}])
    with receiver.serving() as url:
        stage.run(TargetWebhook, config(url))
    assert json.loads(receiver.requests[0][1])["changes"][0]["key"] == "event1"


def test_a_body_is_signed_with_its_moment(stage: Rehearsal) -> None:
    receiver = Receiver(all_well)
    stage.publish(people(1))
    with receiver.serving() as url:
        stage.run(TargetWebhook, config(url))
    headers, body = receiver.requests[0]
    moment, signature = (part.split("=")[1] for part in headers["Snello-Signature"].split(","))
    assert signature == hmac.new(SECRET.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()


def test_the_emulator_accepts_batches_through_bad_weather_and_sees_each_once(stage: Rehearsal) -> None:
    stage.publish(people(60))
    with serve(webhook(weather=Weather(limited=0.2, broken=0.2, retry_after=0, seed=3))) as url:
        stage.run(TargetWebhook, config(url, batch_size=5, retry_attempts=10))
        received = httpx.get(f"{url}/_inspect/deliveries").json()
    assert len(received) == 12
    assert Counter(row["key"] for one in received for row in one["body"]["changes"]) == {
        row["customer_id"]: 1 for row in people(60)
    }


def test_rows_judged_by_the_receiver_get_its_verdict_and_the_others_are_delivered(stage: Rehearsal) -> None:
    results = [
        {"key": "c000", "status": "refused", "code": "too_young"},
        {"key": "c001", "status": "retry", "code": "busy"},
        {"key": "c002", "status": "delivered"},
        {"key": "c003", "status": "refused", "code": "ada@example.it said no"},
        {"key": "c004", "status": "whatever"},
        {"key": "c999", "status": "refused", "code": "unknown"},
    ]
    stage.publish(people(8))
    receiver = Receiver(lambda _: (200, {"results": results}))
    with receiver.serving() as url:
        stage.run(TargetWebhook, config(url))
        assert statuses(stage) == {
            ("delivered", ""): 4,
            ("refused", "too_young"): 1,
            ("refused", "refused"): 1,
            ("retrying", "busy"): 1,
            ("retrying", "put_off"): 1,
        }
        receiver.judge = all_well
        stage.run(TargetWebhook, config(url))
    assert receiver.sizes == [8, 2]


@pytest.mark.parametrize("answer", [b"", b"OK", b"[1, 2]", b'{"results": "none"}', b'{"results": [{"key": 1}]}'])
def test_an_answer_without_verdicts_accepts_the_whole_batch(stage: Rehearsal, answer: bytes) -> None:
    stage.publish(people(3))
    with Receiver(lambda _: (200, answer)).serving() as url:
        stage.run(TargetWebhook, config(url))
    assert statuses(stage) == {("delivered", ""): 3}


def test_a_refused_batch_is_halved_until_the_guilty_row_is_alone(stage: Rehearsal) -> None:
    def judge(body: dict[str, Any]) -> tuple[int, Any]:
        guilty = any(row["key"] == "c037" for row in body["changes"])
        return (422, {"code": "bad_row", "message": "p37@example.it"}) if guilty else (200, {})

    receiver = Receiver(judge)
    stage.publish(people(64))
    with receiver.serving() as url:
        stage.run(TargetWebhook, config(url))
        assert statuses(stage) == {("delivered", ""): 63, ("refused", "bad_row"): 1}
        assert len(receiver.requests) == 13
        stage.run(TargetWebhook, config(url))
    assert len(receiver.requests) == 13
    keys = [headers["Idempotency-Key"] for headers, _ in receiver.requests]
    assert len(set(keys)) == len(keys)


def test_a_receiver_that_takes_no_row_at_all_is_not_asked_for_each(stage: Rehearsal) -> None:
    receiver = Receiver(lambda _: (422, {"code": "wrong_version"}))
    stage.publish(people(400))
    with (
        receiver.serving() as url,
        pytest.raises(ContractError, match="refused 25 rows one by one and took none, last with code wrong_version"),
    ):
        stage.run(TargetWebhook, config(url))
    assert len(receiver.requests) < 120


def test_when_the_receiver_is_down_the_rows_are_sent_again_under_the_same_key(stage: Rehearsal) -> None:
    down = Receiver(lambda _: (503, b""))
    stage.publish(people(5))
    with down.serving() as url:
        with pytest.raises(RetryLater, match="503 from POST the webhook"):
            stage.run(TargetWebhook, config(url))
        assert statuses(stage) == {("retrying", "unreachable"): 5}
        down.judge = all_well
        stage.publish(people(7))
        stage.run(TargetWebhook, config(url))
    assert statuses(stage) == {("delivered", ""): 7}
    calls = [(headers["Idempotency-Key"], body) for headers, body in down.requests]
    assert sorted(down.sizes) == [2, 5, 5]
    assert calls.count(calls[0]) == 2


def test_a_changed_row_gets_its_batch_a_new_key(stage: Rehearsal) -> None:
    receiver = Receiver(lambda _: (503, b""))
    stage.publish(people(3))
    with receiver.serving() as url:
        with pytest.raises(RetryLater):
            stage.run(TargetWebhook, config(url))
        receiver.judge = all_well
        stage.publish([{**row, "visits": 99} if row["customer_id"] == "c001" else row for row in people(3)])
        stage.run(TargetWebhook, config(url))
    keys = {headers["Idempotency-Key"] for headers, _ in receiver.requests}
    assert len(keys) == len(receiver.requests)
    assert statuses(stage) == {("delivered", ""): 3}


def test_a_row_put_off_again_and_again_is_given_up_in_the_end(stage: Rehearsal) -> None:
    receiver = Receiver(lambda _: (200, {"results": [{"key": "c000", "status": "retry", "code": "busy"}]}))
    stage.publish(people(1))
    with receiver.serving() as url:
        for _ in range(4):
            stage.run(TargetWebhook, config(url, max_attempts=3))
    assert len(receiver.requests) == 3
    assert statuses(stage) == {("dead", "busy"): 1}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "401 from POST the webhook. Next: check that TARGET_WEBHOOK_SECRET is the receiver's"),
        (404, "404 from the webhook. Next: check TARGET_WEBHOOK_URL"),
    ],
)
def test_a_wrong_address_or_secret_is_one_sentence_without_the_address(
    stage: Rehearsal, status: int, words: str
) -> None:
    stage.publish(people(1))
    with Receiver(lambda _: (status, b"")).serving() as url, pytest.raises(ConfigError) as fault:
        stage.run(TargetWebhook, config(url))
    assert words in str(fault.value)
    assert "t0ken" not in str(fault.value)


def test_refused_rows_fail_the_run_only_when_asked(stage: Rehearsal) -> None:
    stage.publish(people(2))
    refuse = Receiver(lambda _: (200, {"results": [{"key": "c000", "status": "refused", "code": "too_young"}]}))
    with (
        refuse.serving() as url,
        pytest.raises(
            RowsRefused, match=r"1 rows were refused \(too_young\)\. Next: run `snello receipts webhook__loyal`"
        ),
    ):
        stage.run(TargetWebhook, config(url, fail_on_refused=True))
    assert statuses(stage) == {("delivered", ""): 1, ("refused", "too_young"): 1}


def test_no_personal_data_is_in_a_log_an_error_or_the_ledger(
    stage: Rehearsal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    canary = {"email": "canary.person@example.it", "phone": "+393470000042", "tax_code": "RSSMRA80A01L219M"}
    receiver = Receiver(lambda body: (422, body))
    stage.publish([{**row, **canary} for row in people(3)])
    faults: list[str] = []
    with receiver.serving() as url:
        stage.run(TargetWebhook, config(url))
        stage.publish([{**row, **canary, "visits": 7} for row in people(3)])
        receiver.judge = lambda body: (503, body)
        with pytest.raises(RetryLater) as down:
            stage.run(TargetWebhook, config(url))
        faults.append(str(down.value))
        broken = stage.messages().replace('"type":"RECORD"', '"type":"RECORD', 1)
        with pytest.raises(ContractError) as half:
            stage.feed(TargetWebhook, config(url), broken)
        faults.append(str(half.value))
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("ledger.db*") if path.is_file())
    assert len(kept) > 10_000
    for value in canary.values():
        assert any(value.encode() in body for _, body in receiver.requests)
        assert value not in caplog.text + "".join(faults)
        assert value.encode() not in kept
