"""Activation: from a published audience to what one channel shall hold, and the proof of what it was sent.

- ``Sync``: what one audience and one channel agreed on
- ``plan``: audience, consent and ledger compared as sets; nothing but the difference travels
- ``Ledger``: deliveries (what each channel holds), receipts (what became of every change), runs
- ``Change`` and ``Verdict``: what travels to a channel and what comes back
- ``AuditLog``: who did what to whose data, in a chain; ``Erasures``: who is to be forgotten, and how far that has come
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snello.activation.audit import AuditLog
    from snello.activation.changes import Bounce, Change, Held, Size, Verdict
    from snello.activation.erasures import Erasures
    from snello.activation.ledger import Ledger
    from snello.activation.plan import Plan
    from snello.activation.planner import Planner
    from snello.activation.sync import Sync

__all__ = ["AuditLog", "Bounce", "Change", "Erasures", "Held", "Ledger", "Plan", "Planner", "Size", "Sync", "Verdict"]

_HOMES = {name: name.lower() for name in ("Erasures", "Ledger", "Plan", "Planner", "Sync")}
_HOMES |= {"AuditLog": "audit", **dict.fromkeys(("Bounce", "Change", "Held", "Size", "Verdict"), "changes")}


def __getattr__(name: str) -> Any:
    """Import what is asked for: a target starts without what compares audiences."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
