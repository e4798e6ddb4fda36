"""Run an emulator in this process, on a loopback port."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

from snello.errors import RetryLater
from snello.sandbox.ports import HOST

START_SECONDS = 30.0
TICK = 1.0  # seconds for which uvicorn's Date header stands
GOING = 0.002  # seconds between two looks whether the last connections are closed


@contextmanager
def serve(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Serve ``app`` from a thread until the block ends; yields its URL. Port 0 takes a free one."""
    # The protocol is named so that asyncio sends small answers at once; without it each waits for an acknowledgement.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        server = _Server(
            uvicorn.Config(app, http="h11", ws="none", lifespan="off", log_level="warning", access_log=False)
        )
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        if not server.answers.wait(START_SECONDS):
            raise RetryLater("sandbox", "an emulator did not start", "run it again")
        try:
            yield f"http://{HOST}:{listener.getsockname()[1]}"
        finally:
            server.end()
            thread.join()


class _Server(uvicorn.Server):
    """Uvicorn's server, which ends when it is told to instead of at its next look; a test brings up hundreds."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = threading.Event()

    def end(self) -> None:
        """Let it end, from another thread."""
        self.should_exit = True
        with suppress(RuntimeError):  # it ended by itself
            self._loop.call_soon_threadsafe(self._told.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop, self._told = asyncio.get_running_loop(), asyncio.Event()
        self.answers.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # of the tick 0 the Date is set
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), TICK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, which sleeps a tenth of a second before it looks whether anything is under way."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections or self.server_state.tasks:
            await asyncio.sleep(GOING)
        for server in self.servers:
            await server.wait_closed()
