"""Bounces out of a box: hard ones at once, soft ones when they have come so often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from snello.kit.mail.boxes import Box, days_ago
from snello.kit.mail.refs import Refs
from snello.kit.mail.reports import Report, read

Came = tuple[str, Literal["hard", "complaint", "unsubscribed"]]


class Returns:
    """What came back to one sync; ``often`` soft failures of one mailbox within ``days`` days are a hard one."""

    def __init__(self, box: Box, refs: Refs, often: int, days: int) -> None:
        self.box, self.refs, self.often, self.days = box, refs, often, days
        self._read: dict[str, bool] = {}

    def read(self) -> Iterator[Came]:
        """Key and reason of what nobody has read."""
        soft = self._soft_so_far()
        for piece in self.box.unread():
            report = read(piece.raw, self.refs)
            if report is None:
                continue
            self._read[piece.mark] = report.reason == "soft"
            if report.reason == "soft":
                soft[_who(report)] += 1
                if soft[_who(report)] >= self.often:
                    yield report.key, "hard"
            elif report.reason != "none":
                yield report.key, report.reason

    def close(self) -> None:
        """Flag what was read, now that somebody has written it down, and let go of the box."""
        try:
            while self._read:
                mark, soft = self._read.popitem()
                self.box.done(mark, soft=soft)
        finally:
            self.box.close()

    def _soft_so_far(self) -> Counter[str]:
        found = (read(piece.raw, self.refs) for piece in self.box.soft(days_ago(self.days)))
        return Counter(_who(report) for report in found if report is not None and report.reason == "soft")


def _who(report: Report) -> str:
    """By mailbox: where rows are events, each letter has a key of its own."""
    return report.mailbox or report.key
