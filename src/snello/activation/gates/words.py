"""The codes of the gates in words."""

from __future__ import annotations

from snello.activation.sync import Sync

_WORDS = {
    "no_consent": "without consent",
    "complaint": "who complained",
    "unsubscribed": "who unsubscribed",
    "hard_bounce": "whose address bounced",
    "suppressed": "suppressed by hand",
    "holdout": "held out to measure",
    "pressure": "contacted often enough lately",
    "priority": "left to a sync of higher priority",
    "below_minimum": "waiting for the smallest audience that the platform takes",
}


def word_of(code: str) -> str:
    """A code of a gate as it ends the sentence *12 members …*."""
    for beginning, words in (("missing_", "without "), ("invalid_", "with an invalid ")):
        if code.startswith(beginning):
            return words + code.removeprefix(beginning)
    return _WORDS.get(code, code)


def reason_of(sync: Sync, gate: str, code: str) -> str:
    """Why a gate kept somebody back, for the receipt."""
    if gate == "consent":
        return f"no consent to {sync.purpose} by {sync.channel}"
    if code == "pressure" and sync.pressure:
        return f"pressure: {sync.pressure.at_most} contacts in {sync.pressure.days} days"
    if code == "below_minimum":
        return f"size: fewer than {sync.min_size:,} members"
    return f"{gate}: {word_of(code)}"
