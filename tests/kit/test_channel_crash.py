"""Killed at random points, a sync loses nothing and doubles nothing."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from snello.kit.channel.rehearsal import Rehearsal

ROWS, KILLS = 2_000, 30

# Imports once, then forks a child a run: what is killed is a real process, without a second of start-up each.
ZYGOTE = """
import os, sys
from pathlib import Path
from snello.kit.channel.rehearsal import Rehearsal
from target_webhook import TargetWebhook
folder, url = sys.argv[1:]
print("ready", flush=True)
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        stage = Rehearsal(Path(folder), max_removal_share=1)
        config = {"url": url, "secret": "0123456789", "batch_size": 20, "retry_attempts": 1}
        stage.run(TargetWebhook, config)
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Checking:
    """A receiver that holds rows, knows a repeated Idempotency-Key, and counts every effect."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}
        self.effects: Counter[tuple[str, str, str | None]] = Counter()
        self.bodies: dict[str, bytes] = {}
        self.repeats = 0
        self.faults: list[str] = []
        self.called = threading.Event()

    def take(self, key: str, body: bytes) -> None:
        if key in self.bodies:
            self.repeats += 1
            if self.bodies[key] != body:
                self.faults.append("the same key with another body")
            return
        self.bodies[key] = body
        for row in json.loads(body)["changes"]:
            self.effects[row["op"], row["key"], row["fingerprint"]] += 1
            self.held[row["key"]] = row["fingerprint"]

    @contextmanager
    def serving(self) -> Iterator[str]:
        checking = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    self.close_connection = True  # the sender was killed while it sent: no server acts on a part
                    return
                checking.take(self.headers["Idempotency-Key"], body)
                checking.called.set()
                time.sleep(0.005)  # between effect and answer there is time to die
                try:
                    self.send_response(200)
                    self.send_header("Content-Length", "2")
                    self.end_headers()
                    self.wfile.write(b"{}")
                except ConnectionError:
                    self.close_connection = True  # the sender was killed while it waited

            def log_message(self, *_: Any) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class Runs:
    """Runs of the sync, each in a process of its own."""

    def __init__(self, folder: Path, url: str, checking: Checking) -> None:
        self.checking = checking
        self.zygote = subprocess.Popen(
            [sys.executable, "-c", ZYGOTE, str(folder), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._line()

    def run(self, killed_after: float | None = None) -> int:
        """The exit status of a run, killed so many seconds after its first call reached the receiver."""
        assert self.zygote.stdin
        self.checking.called.clear()
        self.zygote.stdin.write("go\n")
        self.zygote.stdin.flush()
        child = int(self._line())
        if killed_after is not None:
            self.checking.called.wait(5)
            time.sleep(killed_after)
            with suppress(ProcessLookupError):  # it came through
                os.kill(child, signal.SIGKILL)
        return int(self._line())

    def _line(self) -> str:
        assert self.zygote.stdout
        line = self.zygote.stdout.readline()
        assert line, self.zygote.stderr.read()[-2000:] if self.zygote.stderr else ""
        return line

    def end(self) -> None:
        self.zygote.kill()
        self.zygote.communicate()


@pytest.mark.timeout(300)
def test_killed_thirty_times_nothing_is_lost_and_nothing_is_doubled(tmp_path: Path) -> None:
    chance, checking = random.Random(7), Checking()
    stage = Rehearsal(tmp_path, max_removal_share=1)
    stage.publish([{"customer_id": f"c{n:05}", "value": n} for n in range(ROWS)])
    with checking.serving() as url:
        runs = Runs(tmp_path, url, checking)
        try:
            killed = sum(runs.run(killed_after=chance.uniform(0, 0.12)) == signal.SIGKILL for _ in range(KILLS))
            while runs.run() != 0 or '"RECORD"' in stage.messages():
                continue
        finally:
            runs.end()
    ledger = stage.ledger()
    settled = {row["key"]: row["fingerprint"] for row in ledger.settled(stage.sync).to_pylist()}
    assert ledger.standing(stage.sync) == {("upsert", "delivered", ""): ROWS}
    ledger.close()
    assert killed > KILLS / 2
    assert checking.repeats > 0
    assert checking.faults == []
    assert checking.held == settled
    assert len(checking.effects) == ROWS
    assert set(checking.effects.values()) == {1}
