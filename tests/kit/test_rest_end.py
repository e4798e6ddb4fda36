from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from snello.kit.conformance import Broken, Seen, faulty

TAP = """
    import sys
    from pydantic import Field
    from snello.kit.rest import RestSettings, RestStream, RestTap, Retry, entry, page_number

    class Settings(RestSettings):
        '''Settings of the probe.'''
        url: str = Field(description="Address.")

    class Things(RestStream):
        '''Things.'''
        name, path, primary_keys, url_base, workers = "things", "/things", ("id",), "{url}", 4
        paging = page_number(total_pages="X-Pages")
        retry = Retry(tries=3, first=60.0)

    class TapProbe(RestTap):
        name, settings = "tap-probe", Settings
        def discover_streams(self):
            quarantine, *_ = super().discover_streams()
            return [quarantine, Things(self, self, schema={"properties": {"id": {"type": "integer"}}})]

    entry(TapProbe)()
"""


def test_a_run_that_is_stopped_does_not_wait_for_pages_that_are_to_be_asked_for_again(tmp_path: Path) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps([{"id": int(self.path.rpartition("=")[2])}]).encode()
            self.send_response(200)
            for name, value in (
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
                ("X-Pages", "9"),
            ):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    def down(seen: Seen, number: int) -> Broken | None:
        return Broken(503) if number else None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    program, config = tmp_path / "tap.py", tmp_path / "config.json"
    program.write_text(textwrap.dedent(TAP))
    try:
        with faulty(f"http://127.0.0.1:{server.server_port}", down) as proxy:
            config.write_text(json.dumps({"url": proxy.url}))
            words = [sys.executable, program, "--config", config]
            with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as tap:
                while len(proxy.requests) < 4:
                    assert tap.poll() is None
                    time.sleep(0.02)
                tap.send_signal(signal.SIGTERM)
                _, err = tap.communicate(timeout=45)  # less than the minute that a page would wait
    finally:
        server.shutdown()
        server.server_close()
    assert tap.returncode == 130
    assert "stopped by a signal" in err
