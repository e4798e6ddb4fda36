"""Run an emulator in this process, on a loopback port."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from snello.errors import RetryLater
from snello.sandbox.ports import HOST

START_SECONDS = 30.0


@contextmanager
def serve(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Serve ``app`` from a thread until the block ends; yields its URL. Port 0 takes a free one."""
    # The protocol is named so that asyncio sends small answers at once; without it each waits for an acknowledgement.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        server, started = _server(app)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        if not started.wait(START_SECONDS):
            raise RetryLater("sandbox", "an emulator did not start", "run it again")
        try:
            yield f"http://{HOST}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def _server(app: ASGIApp) -> tuple[uvicorn.Server, threading.Event]:
    """A server and the event that it sets once it answers."""
    started = threading.Event()
    config = uvicorn.Config(app, http="h11", ws="none", lifespan="off", log_level="warning", access_log=False)

    class Announced(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

    return Announced(config), started
