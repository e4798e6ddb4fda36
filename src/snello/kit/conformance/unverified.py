"""A server whose certificate nobody vouches for."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def unverified() -> Iterator[str]:
    """URL of a server on 127.0.0.1 with a certificate of an authority that nobody knows; it serves nothing."""
    import trustme

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_refused, args=(listener, context), daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _refused(listener: socket.socket, context: ssl.SSLContext) -> None:
    """Until the listener is shut: offer the certificate, and hang up."""
    with suppress(OSError):
        while True:
            raw, _ = listener.accept()
            with raw, suppress(OSError):
                context.wrap_socket(raw, server_side=True).close()
