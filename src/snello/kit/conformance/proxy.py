"""A reverse proxy in front of a real server that breaks calls by plan.

    with faulty("http://127.0.0.1:8080/v3", every(3, Limited(1))) as proxy:
        run(main, {"api_url": proxy.url})
    assert [seen.status for seen in proxy.requests] == [200, 200, 429, …]

Bodies are read whole and asked for uncompressed. Headers pass as they are, Host too, so signatures over an address
hold; the server's own address in JSON bodies, Link and Location becomes the proxy's. Plain HTTP only.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from snello.kit.conformance.breaking import Breaking
from snello.kit.conformance.faults import Fault, Seen
from snello.kit.conformance.plans import Plan, calm

PATIENCE = 60  # seconds that a test waits for a call to arrive


class Proxy:
    """Address and diary of a proxy; ``plan`` may be replaced at any time, ``requests`` is a copy."""

    def __init__(self, upstream: str, plan: Plan) -> None:
        parts = urlsplit(upstream)
        self.upstream = f"{parts.scheme}://{parts.netloc}"
        self.plan = plan
        self.origin, self.path = "", parts.path.rstrip("/")
        self.ended = threading.Event()
        self.flaws: list[BaseException] = []
        self._seen: list[Seen] = []
        self._news = threading.Condition()

    @property
    def url(self) -> str:
        """The upstream's URL with the proxy's address in it."""
        return self.origin + self.path

    @property
    def requests(self) -> list[Seen]:
        """The calls so far, in the order in which they arrived."""
        with self._news:
            return list(self._seen)

    def wait_for(self, ready: Callable[[list[Seen]], bool], seconds: float = PATIENCE) -> None:
        """Return as soon as the diary is so. Raises ``TimeoutError``."""
        with self._news:
            if not self._news.wait_for(lambda: ready(self._seen), seconds):
                raise TimeoutError(f"{len(self._seen)} calls came within {seconds:g} s, not the ones waited for")

    def arrived(self, seen: Seen) -> tuple[int, Fault | None]:
        """Note a call and ask the plan."""
        with self._news:
            number = len(self._seen)
            fault = self.plan(seen, number)
            self._seen.append(replace(seen, fault=fault))
            self._news.notify_all()
        return number, fault

    def answered(self, number: int, status: int) -> None:
        """Note what a call was answered."""
        with self._news:
            self._seen[number] = replace(self._seen[number], status=status)
            self._news.notify_all()


@contextmanager
def faulty(upstream: str, plan: Plan = calm) -> Iterator[Proxy]:
    """A proxy on a free port of 127.0.0.1 for as long as the block lasts; what a plan raises is raised at its end."""
    proxy = Proxy(upstream, plan)
    server = _Server(proxy)
    proxy.origin = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
    if proxy.flaws:
        raise proxy.flaws[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client may keep its connection open for longer than the test lasts
    request_queue_size = 128

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(("127.0.0.1", 0), type("Handler", (Breaking,), {"proxy": proxy}))
        self.proxy = proxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away, killed as often as not, is no news; a plan that fails is."""
        fault = sys.exc_info()[1]
        if fault is not None and not isinstance(fault, OSError):
            self.proxy.flaws.append(fault)
