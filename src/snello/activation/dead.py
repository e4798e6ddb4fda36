"""Dead letters: rows that a channel refused, or put off until they were given up, and what a person decides of them.

- ``retry``: the next run sends the row again, as if for the first time
- ``drop``: the row is never sent again until its payload changes; a removal cannot be dropped, the channel owes it

Each decision is a receipt with its author and reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import select

from snello.activation.ledger import Ledger
from snello.activation.tables import deliveries
from snello.errors import ConfigError, choices

DEAD = ("refused", "dead")
ENDED = (*DEAD, "dropped")
NAMED = 20  # so many keys can be listed in a message

_CODES = {
    "expired": "it was put off for longer than the sync's expire_days; see whether the channel is well, then retry",
    "not_there": "the channel does not have the row, and mode update adds none; it is asked again once a day",
    "processing": "the channel took the row and never said what became of it; see there whether it is well, then retry",
    "no_verdict": "the target said nothing of the row; read its log, then retry",
    "timeout": "the channel did not answer in time; see whether it is well, then retry",
    "unreachable": "the channel was down; see whether it is well, then retry",
    "configuration": "the target's key or address was wrong; mend it, then retry",
}
_MEND = "mend the value at its source; the row is sent again by itself when it changes, or retry"
_PUT_OFF = "the channel kept putting it off; see whether it is well, then retry"
_OWED = "the channel still holds the row; each run tries again, or remove it there by hand"
_DROPPED = "it is sent again when its payload changes, or retry"


@dataclass(frozen=True)
class DeadLetter:
    """A row that does not reach the channel; ``todo`` says what there is to do about it."""

    sync: str
    key: str
    op: str
    status: str
    code: str
    attempts: int
    since: datetime
    todo: str


def todo(op: str, status: str, code: str) -> str:
    """What to do about a row that ended so."""
    if op == "remove":
        return _OWED
    if status == "dropped":
        return _DROPPED
    return _CODES.get(code, _PUT_OFF if status == "dead" else _MEND)


def letters(ledger: Ledger, sync: str | None = None, code: str | None = None) -> list[DeadLetter]:
    """The rows that were refused, given up or dropped, of one sync or of all, with one code or any; by sync and key."""
    query = select(deliveries).where(deliveries.c.status.in_(ENDED)).order_by(deliveries.c.sync, deliveries.c.key)
    for column, wanted in ((deliveries.c.sync, sync), (deliveries.c.code, code)):
        query = query if wanted is None else query.where(column == wanted)
    return [
        DeadLetter(
            row["sync"],
            row["key"],
            row["op"],
            row["status"],
            row["code"],
            row["attempt"],
            _aware(row["updated_at"]),
            todo(row["op"], row["status"], row["code"]),
        )
        for row in ledger.asked(query)
    ]


@dataclass(frozen=True)
class Choice:
    """Which dead letters of a sync: some keys, those with one code, or ``every`` one; exactly one of the three."""

    sync: str
    keys: tuple[str, ...] = ()
    code: str | None = None
    every: bool = False

    def of(self, ledger: Ledger) -> list[DeadLetter]:
        """The letters chosen. Raises ``ConfigError`` when nothing or too much is said, or there is no such letter."""
        where = f"dead letters of {self.sync}"
        if (bool(self.keys), self.code is not None, self.every).count(True) != 1:
            raise ConfigError(where, "it is not said which", "name keys, or --code, or --all")
        found = letters(ledger, self.sync)
        if self.code is not None:
            codes = {letter.code for letter in found}
            if self.code not in codes:
                raise ConfigError(where, f"none has the code {self.code!r}", _named(self.code, codes, self.sync))
            return [letter for letter in found if letter.code == self.code]
        if not found:
            raise ConfigError(where, "there are none", "run `snello dead list`")
        by_key = {letter.key: letter for letter in found}
        for key in self.keys:
            if key not in by_key:
                raise ConfigError(where, f"{key!r} is none of them", _named(key, by_key, self.sync))
        return [by_key[key] for key in self.keys] if self.keys else found


def retry(ledger: Ledger, choice: Choice, by: str, reason: str) -> int:
    """Have the next run send the rows again, with all its attempts; how many there are."""
    return _decided(ledger, choice, "retrying", by, reason)


def drop(ledger: Ledger, choice: Choice, by: str, reason: str) -> int:
    """Send the rows no more until their payload changes; how many there are.

    Raises ``ConfigError`` when none but removals are chosen; among others they are left as they are.
    """
    return _decided(ledger, choice, "dropped", by, reason)


def _decided(ledger: Ledger, choice: Choice, status: Literal["retrying", "dropped"], by: str, reason: str) -> int:
    chosen = choice.of(ledger)
    ledger.locks.take(choice.sync, "tap")
    ledger.locks.check_free(choice.sync, "target")
    if status == "dropped":
        chosen = [letter for letter in chosen if letter.op != "remove"]
        if not chosen:
            cure = "retry them, or remove them in the channel by hand: what is gone there counts as removed"
            raise ConfigError(f"dead letters of {choice.sync}", "a removal is owed and is not dropped", cure)
    rows = ledger.lookup(choice.sync, (letter.key for letter in chosen))
    ledger.record(*_written(list(rows.values()), status, f"{by}: {reason}"))
    ledger.locks.release(choice.sync, "tap")  # until the ledger is closed at the latest
    return len(rows)


def _written(
    rows: Sequence[dict[str, Any]], status: str, reason: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    anew = {"status": status, "batch": None} | ({"code": "", "attempt": 0} if status == "retrying" else {})
    kept = ("run_id", "sync", "key", "op", "customer")
    proofs = [
        {
            **{name: row[name] for name in kept},
            "fingerprint": row["tried"],
            "status": status,
            "code": "asked_again" if status == "retrying" else row["code"],
            "reason": reason,
            "attempt": row["attempt"],
        }
        for row in rows
    ]
    return [{**row, **anew} for row in rows], proofs


def _aware(moment: datetime) -> datetime:
    """SQLite forgets that its moments are UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _named(given: str, valid: Sequence[str] | set[str] | dict[str, DeadLetter], sync: str) -> str:
    return choices(given, valid) if 0 < len(valid) <= NAMED else f"run `snello dead list {sync}`"
