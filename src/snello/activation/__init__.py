"""Activation: from a published audience to what one channel shall hold, and the proof of what it was sent.

- ``Sync``: what one audience and one channel agreed on
- ``plan``: audience, consent and ledger compared as sets; nothing but the difference travels
- ``Ledger``: deliveries (what each channel holds), receipts (what became of every change), runs
- ``Change`` and ``Verdict``: what travels to a channel and what comes back
"""

from snello.activation.changes import Bounce, Change, Held, Size, Verdict
from snello.activation.ledger import Ledger
from snello.activation.plan import Plan, Planner
from snello.activation.sync import Sync

__all__ = ["Bounce", "Change", "Held", "Ledger", "Plan", "Planner", "Size", "Sync", "Verdict"]
