"""A target killed at random instants, over and over: is anything lost, is anything done twice, is the ledger true?

.venv/bin/python bench/kills.py [KILLS] [SEED]        default: 1,000 kills

One mirror sync of 600 people into target-webhook, four bodies of 10 under way at once. Each run is a process of its
own, tap and target, killed with SIGKILL so long after its first call as chance says. Whenever a run comes through, the
audience changes: some rows differ, some leave, some come. The receiver remembers every body and what it holds; an
effect that changes nothing there was doubled. Exit code 1 when a promise was broken.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PEOPLE, BATCH, ANSWER, LATEST = 600, 10, 0.005, 0.15  # rows, rows a body, seconds to answer, seconds until a kill
REWRITTEN = 5  # one row in so many differs, leaves or comes with each publication

# Imports once, then forks a child a run: what is killed is a real process, without seconds of start-up each.
ZYGOTE = """
import os, sys
from pathlib import Path
from snello.kit.channel.rehearsal import Rehearsal
from target_webhook import TargetWebhook
folder, url, batch = sys.argv[1:]
config = {"url": url, "secret": "0123456789", "batch_size": int(batch), "parallel": 4, "retry_attempts": 1}
print("ready", flush=True)
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        Rehearsal(Path(folder), max_removal_share=1, max_growth_share=100).run(TargetWebhook, config)
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Receiver:
    """Holds rows, knows a repeated Idempotency-Key, and counts what it was made to do twice."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}
        self.bodies: dict[str, bytes] = {}
        self.effects = self.repeats = self.doubled = self.forged = 0
        self.called, self._lock = threading.Event(), threading.Lock()

    def take(self, key: str, body: bytes) -> None:
        """One body; a key that came before has its effect no more."""
        with self._lock:
            if key in self.bodies:
                self.repeats += 1
                self.forged += self.bodies[key] != body
                return
            self.bodies[key] = body
            for row in json.loads(body)["changes"]:
                before = self.held.get(row["key"])
                self.effects += 1
                self.doubled += before == row["fingerprint"]
                self.held.pop(row["key"], None)
                if row["op"] == "upsert":
                    self.held[row["key"]] = row["fingerprint"]

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The receiver's address."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                if len(body) < length:
                    self.close_connection = True  # the sender was killed while it sent: no server acts on a part
                    return
                receiver.take(self.headers["Idempotency-Key"], body)
                receiver.called.set()
                time.sleep(ANSWER)  # between effect and answer there is time to die
                try:
                    self.send_response(200)
                    self.send_header("Content-Length", "2")
                    self.end_headers()
                    self.wfile.write(b"{}")
                except ConnectionError:
                    self.close_connection = True  # the sender was killed while it waited

            def log_message(self, *_: Any) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class Runs:
    """Runs of the sync, each in a process of its own."""

    def __init__(self, folder: Path, url: str, receiver: Receiver) -> None:
        self.receiver, self._said = receiver, (folder / "said").open("w")
        self._zygote = subprocess.Popen(
            [sys.executable, "-c", ZYGOTE, str(folder), url, str(BATCH)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )
        self._line()

    def run(self, killed_after: float | None = None) -> int:
        """The exit status of a run, killed so many seconds after its first call reached the receiver."""
        assert self._zygote.stdin
        self.receiver.called.clear()
        self._zygote.stdin.write("go\n")
        self._zygote.stdin.flush()
        child = int(self._line())
        if killed_after is not None:
            self.receiver.called.wait(5)
            time.sleep(killed_after)
            with suppress(ProcessLookupError):  # it came through
                os.kill(child, signal.SIGKILL)
        return int(self._line())

    def _line(self) -> str:
        assert self._zygote.stdout
        line = self._zygote.stdout.readline()
        if not line:
            raise SystemExit(f"the runs ended:\n{Path(self._said.name).read_text()[-2000:]}")
        return line

    def end(self) -> None:
        """No more runs."""
        self._zygote.kill()
        self._zygote.communicate()
        self._said.close()


def rewritten(audience: dict[str, int], version: int, chance: random.Random) -> dict[str, int]:
    """The audience with some rows that differ, some gone and some new; no content comes back that was there before."""
    kept = {key: value for key, value in audience.items() if chance.randrange(REWRITTEN * 3)}
    changed = {key: version for key in kept if not chance.randrange(REWRITTEN)}
    new = {f"c{version:04}n{n:03}": version for n in range(len(audience) - len(kept))}
    return {**kept, **changed, **new}


def main(kills: int, seed: int) -> int:
    from snello.kit.channel.rehearsal import Rehearsal

    chance, receiver, began = random.Random(seed), Receiver(), time.monotonic()
    audience, killed, runs_made, version = {f"c{n:05}": 0 for n in range(PEOPLE)}, 0, 0, 0
    with tempfile.TemporaryDirectory(prefix="snello-bench-") as name, receiver.serving() as url:
        folder = Path(name)
        stage = Rehearsal(folder, max_removal_share=1, max_growth_share=100)

        def publish() -> None:
            stage.publish([{"customer_id": key, "value": value} for key, value in sorted(audience.items())])

        publish()
        runs = Runs(folder, url, receiver)
        try:
            while killed < kills:
                status, runs_made = runs.run(chance.uniform(0, LATEST)), runs_made + 1
                killed += status == signal.SIGKILL
                if status == 0:
                    version += 1
                    audience = rewritten(audience, version, chance)
                    publish()
            while runs.run() != 0 or '"RECORD"' in stage.messages():
                continue
        finally:
            runs.end()
        ledger = stage.ledger()
        settled = ledger.settled(stage.sync).to_pydict()
        unsettled = {where: rows for where, rows in ledger.standing(stage.sync).items() if where[1] != "delivered"}
        ledger.close()
    true = dict(zip(settled["key"], settled["fingerprint"], strict=True)) == receiver.held and not unsettled
    lost, strangers = audience.keys() - receiver.held.keys(), receiver.held.keys() - audience.keys()
    print(
        f"seed {seed}: {killed:,} kills in {runs_made:,} runs over {version + 1:,} publications, "
        f"{receiver.effects:,} effects, {receiver.repeats:,} bodies came again, {time.monotonic() - began:.0f} s\n"
        f"lost {len(lost) + len(strangers)}, doubled {receiver.doubled}, same key with another body {receiver.forged}, "
        f"ledger {'equal to' if true else 'DIFFERS FROM'} the receiver's truth"
    )
    return int(bool(lost or strangers or receiver.doubled or receiver.forged or not true))


if __name__ == "__main__":
    given = [int(word.replace(",", "").replace("_", "")) for word in sys.argv[1:]]
    sys.exit(main(*(given + [1_000, 7][len(given) :])))
