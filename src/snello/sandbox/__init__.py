"""The demo company: people with a known truth, their traces in every source, and stand-ins for the vendors' clouds."""

from __future__ import annotations

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
