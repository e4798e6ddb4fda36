"""A process that dies at any moment loses no event and adds none twice: over Redis, as the suite proves over HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis
from tests.servers.redis import redis_server

from snello.kit.channel.rehearsal import Rehearsal
from target_events import TargetEvents

PEOPLE, A_BATCH = 10, 3
KEYS = [f"c{number:02}" for number in range(PEOPLE)]


class Wire:
    """Between the target and Redis; ``moment`` says around each batch, by its number, whether bytes go on."""

    def __init__(self, port: int) -> None:
        self.port, self.batches = port, 0
        self.moment: Callable[[int, bool], bool] = lambda _number, _answered: True
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.listening.getsockname()[1]}"

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                near, _ = self.listening.accept()
                far = socket.create_connection(("127.0.0.1", self.port))
                threading.Thread(target=self._requests, args=(near, far), daemon=True).start()
                threading.Thread(target=self._answers, args=(far, near), daemon=True).start()

    def _requests(self, near: socket.socket, far: socket.socket) -> None:
        with near, suppress(OSError):
            while said := near.recv(1 << 20):
                if b"XADD" in said:
                    self.batches += 1
                    if not self.moment(self.batches, False):
                        return
                far.sendall(said)

    def _answers(self, far: socket.socket, near: socket.socket) -> None:
        with far, suppress(OSError):
            while said := far.recv(1 << 20):
                if self.batches and not self.moment(self.batches, True):
                    return
                near.sendall(said)


@contextmanager
def wired() -> Iterator[tuple[str, Wire]]:
    with redis_server() as url:
        wire = Wire(int(url.rpartition(":")[2]))
        thread = threading.Thread(target=wire.serve, daemon=True)
        thread.start()
        try:
            yield url, wire
        finally:
            wire.listening.shutdown(socket.SHUT_RDWR)
            wire.listening.close()
            thread.join()


def added(url: str) -> Counter[str]:
    with redis.Redis.from_url(url) as client:
        told = [json.loads(one[b"event"]) for _, one in client.xrange("loyal")]
    return Counter(f"{event['subject']} {event['type'].rpartition('.')[2]}" for event in told)


@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("batch", [1, 2, 4])
def test_killed_around_the_effect_of_a_batch_every_event_is_in_the_stream_once(
    tmp_path: Path, batch: int, answered: bool
) -> None:
    stage = Rehearsal(tmp_path, "events__loyal", max_removal_share=1)
    stage.publish([{"customer_id": key, "city": "Forlì"} for key in KEYS])
    with wired() as (url, wire):
        config = {"url": f"{wire.url}/loyal", "batch_size": A_BATCH, "ledger": stage.ledger_url}
        (tmp_path / "config.json").write_text(json.dumps(config))
        command = [
            sys.executable,
            "-c",
            "from target_events import main; main()",
            "--config",
            f"{tmp_path}/config.json",
        ]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
        )

        def kill(number: int, after: bool) -> bool:
            if (number, after) != (batch, answered):
                return True
            os.kill(process.pid, signal.SIGKILL)
            return False

        wire.moment = kill
        process.communicate(stage.messages())
        assert process.returncode == -signal.SIGKILL
        wire.moment = lambda _number, _answered: True
        assert sum(added(url).values()) == min(PEOPLE, A_BATCH * (batch if answered else batch - 1))
        stage.run(TargetEvents, config)
        assert added(url) == {f"{key} added": 1 for key in KEYS}
    ledger = stage.ledger()
    rows = ledger.lookup(stage.sync, KEYS)
    ledger.close()
    assert {row["status"] for row in rows.values()} == {"delivered"}
