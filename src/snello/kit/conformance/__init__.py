"""Proof that a connector keeps its promises when the other side does not.

    from snello.kit.conformance import Limited, every, faulty

- ``faulty``: a proxy in front of a real server that breaks what passes through it, by plan
- ``faults``: the kinds of faults; ``plans``: which call meets which
"""

from snello.kit.conformance.faults import (
    Broken,
    BrokenAfter,
    Fault,
    Hold,
    Html,
    HtmlAfter,
    Kill,
    KillAfter,
    Limited,
    Reordered,
    Reset,
    ResetAfter,
    Seen,
    Slow,
    Timeout,
    TimeoutAfter,
    Truncated,
    Unauthorized,
)
from snello.kit.conformance.plans import Plan, always, at, calm, chance, every, first_of, once, times
from snello.kit.conformance.proxy import Proxy, faulty

__all__ = [
    "Broken",
    "BrokenAfter",
    "Fault",
    "Hold",
    "Html",
    "HtmlAfter",
    "Kill",
    "KillAfter",
    "Limited",
    "Plan",
    "Proxy",
    "Reordered",
    "Reset",
    "ResetAfter",
    "Seen",
    "Slow",
    "Timeout",
    "TimeoutAfter",
    "Truncated",
    "Unauthorized",
    "always",
    "at",
    "calm",
    "chance",
    "every",
    "faulty",
    "first_of",
    "once",
    "times",
]
