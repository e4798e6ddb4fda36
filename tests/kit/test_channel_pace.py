"""A channel's pace belongs to the account: processes share it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CALLER = """
import sys
from snello.kit.channel import Http, Pace
http = Http("target-paced", headers={"api-key": sys.argv[2]}, pace=Pace(20), parallel=4)
for _ in range(int(sys.argv[3])):
    http.call("POST", sys.argv[1], json={})
http.close()
"""


@contextmanager
def receiving() -> Iterator[tuple[str, list[tuple[float, str]]]]:
    moments: list[tuple[float, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            moments.append((time.monotonic(), self.headers["api-key"]))
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", moments
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_two_processes_with_one_key_keep_to_one_pace_together(tmp_path: Path) -> None:
    words = [sys.executable, "-c", CALLER]
    environment = {**os.environ, "SNELLO_STATE": str(tmp_path)}
    with receiving() as (url, moments):
        callers = [subprocess.Popen([*words, url, "one key", "15"], env=environment) for _ in range(2)]
        assert [caller.wait(120) for caller in callers] == [0, 0]
    times = sorted(moment for moment, _ in moments)
    assert len(times) == 30
    # a turn is given every 50 ms at most; a busy machine may shift the first call, and only make the whole slower
    assert times[-1] - times[0] > 29 * 0.05 * 0.55
    with closing(sqlite3.connect(tmp_path / "limits.db")) as base:
        assert base.execute("select count(distinct account) from request").fetchone() == (1,)
