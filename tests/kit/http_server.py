"""A server on loopback for tests of the HTTP client: answers as a function says, and notes what it was asked."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    query: dict[str, str]
    headers: Any
    body: bytes
    moment: float

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    body: Any = None
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    cut: int = 0  # bytes of the announced length that are not sent
    pause: float = 0.0  # seconds before each byte

    @property
    def bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Server:
    url: str
    calls: list[Call] = field(default_factory=list)


@contextmanager
def serving(answer: Callable[[Call], Reply] | Sequence[Reply], tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Replies by a function, or one after another of a list, the last again and again."""
    lock = threading.Lock()
    stopped = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
            call = Call(self.command, url.path, query, self.headers, body, time.monotonic())
            with lock:
                running.calls.append(call)
                number = len(running.calls)
            reply = answer(call) if callable(answer) else answer[min(number, len(answer)) - 1]
            self.send_response(reply.status)
            given = {name.lower() for name, _ in reply.headers}
            if "content-type" not in given:
                self.send_header("Content-Type", "application/json")
            length = 0 if reply.status in (204, 304) else len(reply.bytes)
            self.send_header("Content-Length", str(length))
            for name, value in reply.headers:
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self._write(reply, length)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        def _write(self, reply: Reply, length: int) -> None:
            content = reply.bytes[: length - reply.cut]
            if not reply.pause:
                self.wfile.write(content)
            else:
                for byte in content:
                    if stopped.wait(reply.pause):
                        break
                    self.wfile.write(bytes([byte]))
            if reply.cut:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that refuses is no news
    running = Server(f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
