"""Activation: from a published audience to what one channel shall hold, and the proof of what it was sent.

- ``Sync``: what one audience and one channel agreed on
- ``plan``: audience, consent and ledger compared as sets; nothing but the difference travels
- ``Ledger``: deliveries (what each channel holds), receipts (what became of every change), runs
- ``Change`` and ``Verdict``: what travels to a channel and what comes back
- ``AuditLog``: who did what to whose data, in a chain; ``Erasures``: who is to be forgotten, and how far that has come
"""

from snello.activation.audit import AuditLog
from snello.activation.changes import Bounce, Change, Held, Size, Verdict
from snello.activation.erasures import Erasures
from snello.activation.ledger import Ledger
from snello.activation.plan import Plan
from snello.activation.planner import Planner
from snello.activation.sync import Sync

__all__ = ["AuditLog", "Bounce", "Change", "Erasures", "Held", "Ledger", "Plan", "Planner", "Size", "Sync", "Verdict"]
