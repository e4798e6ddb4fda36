"""What becomes of one call that reaches the proxy: passed on, broken, or both."""

from __future__ import annotations

import os
import signal
import socket
import struct
import threading
from datetime import UTC, datetime
from email.utils import format_datetime
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol
from urllib.parse import urlsplit

from snello.kit.conformance import faults as of
from snello.kit.conformance.faults import Fault, Seen
from snello.kit.conformance.forwarding import Answer, Headers, forward, reordered

JSON = ("Content-Type", "application/json")
HTML = ("Content-Type", "text/html; charset=utf-8")
PAGE = b"<!doctype html><html><body><h1>We will be back soon</h1></body></html>"
FORWARDED = (
    of.BrokenAfter, of.ResetAfter, of.Truncated, of.Slow, of.TimeoutAfter, of.HtmlAfter, of.KillAfter, of.Hold,
    of.Reordered,
)  # fmt: skip


class Diary(Protocol):
    """Notes calls and knows what each meets."""

    upstream: str
    origin: str
    ended: threading.Event

    def arrived(self, seen: Seen) -> tuple[int, Fault | None]:
        """Note a call; its number, and the fault that it meets."""

    def answered(self, number: int, status: int) -> None:
        """Note what a call was answered."""


class Breaking(BaseHTTPRequestHandler):
    """One connection: its calls go through to the upstream, but for those that meet a fault."""

    proxy: Diary
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        """Any method, one call."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        address = urlsplit(self.path)
        seen = Seen(self.command, address.path, address.query, headers=dict(self.headers), body=self._body())
        self.number, fault = self.proxy.arrived(seen)
        self._meet(fault, seen)

    def _meet(self, fault: Fault | None, seen: Seen) -> None:
        answer = None
        if isinstance(fault, of.Hold):
            while not fault.event.wait(0.02) and not self.proxy.ended.is_set():
                continue
        if fault is None or isinstance(fault, FORWARDED):
            try:
                answer = forward(seen, self.path, self.headers.items(), (self.proxy.upstream, self.proxy.origin))
            except (OSError, HTTPException):  # the server is gone: so is the connection, for the caller
                self._reset()
                return
        match fault:
            case of.Limited():
                self._say(429, _json("too_many_requests"), [JSON, *_retry_after(fault.retry_after)])
            case of.Broken(status) | of.BrokenAfter(status):
                self._say(status, _json("internal_error"), [JSON])
            case of.Unauthorized():
                self._say(401, _json("unauthorized"), [JSON, ("WWW-Authenticate", 'Bearer error="invalid_token"')])
            case of.Html(status) | of.HtmlAfter(status):
                self._say(status, PAGE, [HTML])
            case of.Timeout(seconds) | of.TimeoutAfter(seconds):
                self.proxy.ended.wait(seconds)
                self._reset()
            case of.Kill(pid) | of.KillAfter(pid):
                os.kill(pid(), signal.SIGKILL)
                self._reset()
            case of.Reset() | of.ResetAfter():
                self._reset()
            case _ if answer is not None:
                self._relay(answer, fault)

    def _relay(self, answer: Answer, fault: Fault | None) -> None:
        status, headers, body = answer
        if isinstance(fault, of.Truncated):
            self._say(status, body, headers, sent=body[: int(len(body) * fault.share)])
            self._reset(politely=True)
        elif isinstance(fault, of.Reordered):
            self._say(status, reordered(body), headers)
        elif isinstance(fault, of.Slow):
            self._say(status, body, headers, sent=b"")
            size = max(1, -(-len(body) // fault.chunks))
            for start in range(0, len(body), size):
                self.proxy.ended.wait(fault.seconds)
                self.wfile.write(body[start : start + size])
        else:
            self._say(status, body, headers)

    def _say(self, status: int, body: bytes, headers: Headers, *, sent: bytes | None = None) -> None:
        """Head and body in one write; ``sent`` is how much of the body really goes out."""
        self.proxy.answered(self.number, status)
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if status >= 200 and status not in (204, 304) and self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
            if sent is None:
                sent = body
        self._headers_buffer += [b"\r\n", sent or b""]  # type: ignore[attr-defined]
        self.flush_headers()

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self._read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().partition(b";")[0] or b"0", 16):
            parts.append(self._read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            continue
        return b"".join(parts)

    def _read(self, size: int) -> bytes:
        found = self.rfile.read(size)
        if len(found) < size:
            raise ConnectionAbortedError("the caller went away while it spoke")  # what it said is not passed on
        return found

    def _reset(self, *, politely: bool = False) -> None:
        """End the connection at once; not politely, the caller's next read finds it reset."""
        self.close_connection = True
        if not politely:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RDWR) if politely else os.close(self.connection.detach())

    def log_message(self, *_: Any) -> None:
        """The diary is enough."""


def _json(code: str) -> bytes:
    return b'{"code": "%s", "message": "%s"}' % (code.encode(), code.replace("_", " ").encode())


def _retry_after(asked: float | datetime | None) -> Headers:
    if asked is None:
        return []
    text = format_datetime(asked.astimezone(UTC), usegmt=True) if isinstance(asked, datetime) else f"{asked:g}"
    return [("Retry-After", text)]
