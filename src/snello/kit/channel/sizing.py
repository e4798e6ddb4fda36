"""How many rows a call takes: fewer when the channel finds a body too large or takes too long, slowly more again."""

from __future__ import annotations

from snello.kit.channel.http import BatchRefused

TOO_LARGE = 413
WORDS = frozenset({"too_large", "payload_too_large", "request_too_large", "body_too_large", "too_many_rows"})
STEPS = 20  # full calls that went well until a halved size is what it was


class Sizing:
    """The size of the next batch, never above ``most``; ``patience``: seconds after which an answer counts as late."""

    def __init__(self, most: int, patience: float) -> None:
        self.most, self.now, self.patience = most, most, patience

    def learn(self, rows: int, seconds: float) -> None:
        """From a call that went well: late ones halve the size, full ones let it grow."""
        if seconds >= self.patience:
            self.now = max(1, min(self.now, rows) // 2)
        elif rows >= self.now:
            self.now = min(self.most, self.now + max(1, self.most // STEPS))

    def refused(self, rows: int, fault: BatchRefused) -> None:
        """From a body that was refused: only one that is too large says anything about size."""
        if fault.status == TOO_LARGE or fault.code in WORDS:
            self.now = max(1, min(self.now, rows // 2))
