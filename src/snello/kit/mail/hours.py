"""When letters may go out: the hours of a day in a time zone, and which day it is there."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from snello.errors import ConfigError, RetryLater


def zone(name: str) -> ZoneInfo:
    """The time zone of a setting. Raises ``ValueError`` with the cure."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("it is no time zone. Next: name one such as Europe/Rome") from None


@dataclass(frozen=True)
class Hours:
    """From one time of day until another, which may be on the next day."""

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Hours:
        """Of a text such as ``08:00-20:00``. Raises ``ValueError`` with the cure."""
        found = re.fullmatch(r"\s*(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})\s*", text)
        try:
            start, end = (time.fromisoformat(part.zfill(5)) for part in found.groups()) if found else (time(), time())
        except ValueError:
            start = end = time()
        if start == end:
            raise ValueError("it is no span of hours. Next: write it as 08:00-20:00")
        return cls(start, end)

    def hold(self, moment: datetime) -> bool:
        """Whether a moment lies within, its last minute not."""
        now = moment.time().replace(tzinfo=None)
        if self.start < self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end

    def check(self, moment: datetime, where: str) -> None:
        """Raise ``RetryLater`` outside of them."""
        if not self.hold(moment):
            what = f"letters go out between {self.start:%H:%M} and {self.end:%H:%M}, it is {moment:%H:%M}"
            raise RetryLater(where, what, "run again within these hours; nothing is lost")


def sending_day(moment: datetime) -> date:
    """The day that letters speak of: that of the moment, or SNELLO_TODAY. Raises ``ConfigError``."""
    given = os.environ.get("SNELLO_TODAY")
    try:
        return date.fromisoformat(given) if given else moment.date()
    except ValueError:
        raise ConfigError("SNELLO_TODAY", f"{given!r} is no day", "write it as YYYY-MM-DD, or leave it out") from None
