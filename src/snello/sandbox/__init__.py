"""The demo company: people with a known truth, their traces in every source, and stand-ins for the vendors' clouds."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snello.sandbox.score import Score, measure
    from snello.sandbox.services import Services, down, environment, up
    from snello.sandbox.withdrawal import Withdrawal, withdraw
    from snello.sandbox.world import World, generate, read_world

__all__ = [
    "Score",
    "Services",
    "Withdrawal",
    "World",
    "down",
    "environment",
    "generate",
    "measure",
    "read_world",
    "up",
    "withdraw",
]

_HOMES = {"score": ("Score", "measure"), "services": ("Services", "down", "environment", "up")}
_HOMES |= {"withdrawal": ("Withdrawal", "withdraw"), "world": ("World", "generate", "read_world")}


def __getattr__(name: str) -> Any:
    """Import what is asked for: a stand-in starts without what makes people, a demo without what scores them."""
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
