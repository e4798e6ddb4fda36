"""Stand-ins for the vendors' clouds, which keep to the vendors' published limits, errors and validation.

Each is an ASGI application: run it in a test with ``with serve(app) as url``, or as a daemon through
``snello.sandbox.up``. Each answers ``GET /_inspect``, which no vendor has, with what it holds and how often it was
called.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snello.sandbox.emulators.mail import Letters, taking
    from snello.sandbox.emulators.serving import serve
    from snello.sandbox.emulators.watch import Weather

__all__ = ["Letters", "Weather", "serve", "taking"]

_HOMES = {"Letters": "mail", "Weather": "watch", "serve": "serving", "taking": "mail"}


def __getattr__(name: str) -> Any:
    """Import what is asked for: of many stand-ins, each a process, none waits for what another needs."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
