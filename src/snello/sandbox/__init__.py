"""The demo company: people with a known truth, their traces in every source, and stand-ins for the vendors' clouds."""

from __future__ import annotations

from snello.sandbox.world import World, generate, read_world

__all__ = ["World", "generate", "read_world"]
