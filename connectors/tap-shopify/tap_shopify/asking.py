"""How a query of our own is sent beside those of the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from snello.kit.rest import Answer, Request, Send

Ask = Callable[[str, dict[str, Any]], Answer]


def asker(send: Send, place: str) -> Ask:
    """Sends a query with its variables to the interface at ``place``."""
    return lambda text, variables: send(Request("POST", place, json={"query": text, "variables": variables}))
