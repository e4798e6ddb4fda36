"""Which letters are on their way: noted before the text of each goes out, settled when the server has answered.

SMTP knows no idempotency key. A letter whose text was sent and whose answer never came may have arrived; one that was
not begun has not. The journal tells the two apart after a kill, so that the first is not repeated by mistake and the
second is not lost. It holds Message-IDs alone.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from snello.errors import ConfigError, RetryLater

KEPT_DAYS = 90
BUSY = 30.0
Fate = Literal["begun", "taken"]


class Journal:
    """A SQLite file, one for a relay account; safe for threads and processes.

    Raises ``ConfigError`` when the file cannot be used, ``RetryLater`` when it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
            self._base.execute("pragma journal_mode = wal")
            self._base.execute("pragma synchronous = full")  # what was begun before a power cut was begun
            self._base.execute(
                "create table if not exists letter (ref text primary key, fate text not null, at real not null)"
            )
            self._base.execute("delete from letter where at < ?", [time.time() - KEPT_DAYS * 86400])
        except (sqlite3.Error, OSError) as error:
            what = f"the journal of letters cannot be used ({type(error).__name__})"
            raise ConfigError("setting journal", what, "name a file that this user may write") from None

    def fates(self, refs: Iterable[str]) -> dict[str, Fate]:
        """What is known of these letters; those that were never begun are not in it."""
        asked, found = list(refs), dict[str, Fate]()
        for start in range(0, len(asked), 500):
            part = asked[start : start + 500]
            marks = ", ".join("?" * len(part))
            found |= dict(self._run(f"select ref, fate from letter where ref in ({marks})", part))
        return found

    def begin(self, ref: str) -> None:
        """From now on this letter may have arrived."""
        self._note(ref, "begun")

    def taken(self, ref: str) -> None:
        """The server has taken it."""
        self._note(ref, "taken")

    def forget(self, ref: str) -> None:
        """The server has refused it, or put it off: it did not arrive."""
        self._run("delete from letter where ref = ?", [ref])

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def _note(self, ref: str, fate: Fate) -> None:
        self._run("insert or replace into letter values (?, ?, ?)", [ref, fate, time.time()])

    def _run(self, statement: str, values: list[object] | list[str]) -> list[tuple[str, Fate]]:
        try:
            with self._lock:
                return self._base.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            what = f"the journal of letters cannot be written ({type(error).__name__})"
            raise RetryLater("target-smtp", what, "make room on the disk, then run again; nothing is lost") from None
