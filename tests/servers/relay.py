"""A relay before a server that breaks off, or has a process killed, at the moment at which some bytes pass.

with relay(("127.0.0.1", 5432)) as way:
    way.when(b"COMMIT", way.cut)            # before the server has it; after=True: when it has answered
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Address = tuple[str, int] | str


@dataclass
class Relay:
    """A relay on ``port`` of 127.0.0.1; ``met``: how often the awaited bytes passed."""

    server: Address
    port: int
    met: int = 0
    _wanted: bytes = b""
    _act: Callable[[], None] = lambda: None
    _after: bool = False
    _left: int = 0
    _pairs: list[tuple[socket.socket, socket.socket]] = field(default_factory=list)

    def when(self, wanted: bytes, act: Callable[[], None], *, after: bool = False, skip: int = 0) -> None:
        """Act when a client says this; ``after``: once the server has answered, whose answer is not passed on.

        ``skip``: so many times it may say so unharmed. It happens once.
        """
        self._wanted, self._act, self._after, self._left = wanted, act, after, skip + 1

    def cut(self) -> None:
        """End the connections that are open."""
        pairs, self._pairs = self._pairs, []
        for each in (end for pair in pairs for end in pair):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _due(self) -> bool:
        self._left -= 1
        return self._left == 0

    def carry(self, client: socket.socket) -> None:
        """Pass on what both say until one hangs up."""
        kind = socket.AF_UNIX if isinstance(self.server, str) else socket.AF_INET
        with client, socket.socket(kind, socket.SOCK_STREAM) as server, suppress(OSError):
            server.connect(self.server)
            self._pairs.append((client, server))
            while True:
                ready, _, _ = select.select([client, server], [], [])
                for one in ready:
                    said = one.recv(1 << 16)
                    if not said:
                        return
                    if one is client and self._left and self._wanted in said and self._due():
                        self.met += 1
                        if self._after:
                            server.sendall(said)
                            server.recv(1 << 16)
                        self._act()
                        return
                    (server if one is client else client).sendall(said)


@contextmanager
def relay(server: Address) -> Iterator[Relay]:
    """A relay for as long as the block lasts; ``server``: host and port, or the path of a Unix socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        way = Relay(server, listener.getsockname()[1])

        def listen() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=way.carry, args=(client,), daemon=True).start()

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            yield way
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            way.cut()
            thread.join()
