from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from tests.watch.conftest import SYNC, Runs

from snello.activation import Ledger
from snello.errors import ConfigError, RetryLater
from snello.lake import Lake
from snello.watch import Terms, judge, observe, tell
from snello.watch.telling import Addresses, dead_before

NOBODY = Addresses()


class Mailbox(Message):
    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Any] = []

    def handle_message(self, message: Any) -> None:
        self.taken.append(message)


@contextmanager
def receiver(status: int = 200) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A web address that takes what is posted to it."""
    taken: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook/t0ken", taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def told(ledger: Ledger, lake: Lake, to: Addresses = NOBODY, later: timedelta = timedelta()) -> list[str]:
    """The kinds that are told by one look."""
    seen = observe(ledger, lake)
    seen = replace(seen, at=seen.at + later)
    terms = Terms(refused_share=1.0, late=timedelta(days=9), dead_before=dead_before(ledger))
    return [alert.kind for alert in tell(ledger, seen, judge(seen, terms), to)]


def test_an_alert_is_told_once_and_again_after_a_day_while_it_stands(ledger: Ledger, lake: Lake, runs: Runs) -> None:
    runs("r1", "breaker open", "too many removals")
    assert told(ledger, lake) == ["breaker"]
    assert told(ledger, lake, later=timedelta(hours=23)) == []
    assert told(ledger, lake, later=timedelta(hours=25)) == ["breaker"]


def test_the_same_fault_of_another_run_is_news_and_one_that_ended_may_come_back(
    ledger: Ledger, lake: Lake, runs: Runs
) -> None:
    runs("r1", "stopped", "no answer")
    assert told(ledger, lake) == ["failed"]
    runs("r2", "stopped", "no answer")
    assert told(ledger, lake) == ["failed"]
    runs("r3", "delivered", a="delivered")
    assert told(ledger, lake) == []
    runs("r4", "stopped", "no answer")
    assert told(ledger, lake) == ["failed"]


def test_given_up_rows_are_told_when_they_grow_beyond_what_was_told(ledger: Ledger, lake: Lake, runs: Runs) -> None:
    runs("r1", "rows refused", a="dead")
    assert told(ledger, lake) == ["dead"]
    runs("r2", "rows refused", b="delivered")
    assert told(ledger, lake) == []
    runs("r3", "rows refused", b="dead")
    assert told(ledger, lake) == ["dead"]


def test_a_webhook_gets_sentences_and_parts(ledger: Ledger, lake: Lake, runs: Runs) -> None:
    runs("r1", "stopped", "no answer within 30 s")
    with receiver() as (url, taken):
        assert told(ledger, lake, Addresses(webhook=url)) == ["failed"]
    [body] = taken
    assert body["text"].startswith(f"sync {SYNC}: its last run was stopped: no answer within 30 s. Next: ")
    assert [alert["kind"] for alert in body["alerts"]] == ["failed"]


def test_a_mail_goes_to_every_receiver(ledger: Ledger, lake: Lake, runs: Runs) -> None:
    runs("r1", "breaker open", "too many removals")
    mailbox = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        to = Addresses(mail=f"smtp://127.0.0.1:{port}?from=hub@example.it&to=ops@example.it,boss@example.it")
        assert told(ledger, lake, to) == ["breaker"]
    finally:
        server.stop()
    [message] = mailbox.taken
    assert (message["From"], message["To"]) == ("hub@example.it", "ops@example.it, boss@example.it")
    assert message["Subject"] == "Snello: breaker, 1 alert"
    assert "too many removals" in message.get_payload()


def test_what_nobody_took_is_told_by_the_next_look(ledger: Ledger, lake: Lake, runs: Runs) -> None:
    runs("r1", "stopped", "no answer")
    with pytest.raises(RetryLater, match="mail server did not take them"):
        told(ledger, lake, Addresses(mail="smtp://127.0.0.1:1?to=ops@example.it"))
    with receiver() as (url, taken):
        assert told(ledger, lake, Addresses(webhook=url)) == ["failed"]
    assert len(taken) == 1


def test_a_webhook_that_refuses_is_a_wrong_setting_and_its_address_is_not_shown(
    ledger: Ledger, lake: Lake, runs: Runs
) -> None:
    runs("r1", "stopped", "no answer")
    with receiver(404) as (url, _), pytest.raises(ConfigError, match="refuses them") as fault:
        told(ledger, lake, Addresses(webhook=url))
    assert "t0ken" not in str(fault.value)


@pytest.mark.parametrize("url", ["ops@example.it", "smtp://mail.example.it", "http://mail.example.it?to=a@example.it"])
def test_a_mail_address_that_is_none_is_told_in_one_sentence(ledger: Ledger, lake: Lake, runs: Runs, url: str) -> None:
    runs("r1", "stopped", "no answer")
    with pytest.raises(
        ConfigError, match=r"SNELLO_ALERT_MAIL: it names no mail server or no receiver\. Next: write it"
    ):
        told(ledger, lake, Addresses(mail=url))
