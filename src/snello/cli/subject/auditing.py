"""The audit log as a person reads and checks it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from snello.activation import AuditLog, Erasures, Ledger
from snello.activation.audit import Entry
from snello.cli.screen import Block, Grid, Line
from snello.errors import ContractError
from snello.settings import Settings


@dataclass(frozen=True)
class Whole:
    """A log that holds: how many entries, and the hash of the last, which names all before it."""

    entries: int
    head: str


def entries(hub: Settings, last: int) -> list[Entry]:
    """The newest entries."""
    ledger = Ledger(hub.ledger)
    try:
        return AuditLog(ledger.engine, hub.salt.get_secret_value()).entries(last)
    finally:
        ledger.close()


def verified(hub: Settings, expect: str | None) -> Whole:
    """What holds; raises ``ContractError`` naming the first broken link, or a head that is not in the log.

    A log that was cut off with its seal is known by the erasures of which it does not tell.
    """
    ledger = Ledger(hub.ledger)
    try:
        erasures = Erasures(ledger, hub.salt.get_secret_value())
        begun = [one.erasure for one in erasures.all()]  # before the log: one that begins now is in it
        broken, said = erasures.log.verify(), erasures.log.entries()
    finally:
        ledger.close()
    cure = "compare the ledger with a backup"
    untold = set(begun) - {json.loads(entry.details).get("erasure") for entry in said}
    if not broken and untold:
        raise ContractError("audit log", f"it does not tell of the erasure {min(untold)}: its end was cut off", cure)
    if broken:
        raise ContractError("audit log", f"link {broken.seq} is broken: {broken.what}", cure)
    if expect and not any(entry.hash.startswith(expect) for entry in said):
        raise ContractError("audit log", "the head that was written down is not in it", cure)
    return Whole(len(said), said[-1].hash if said else "")


def page(found: Sequence[Entry]) -> Iterator[Block]:
    """The entries, one a line."""
    rows = [
        (one.seq, one.at[:19].replace("T", " "), one.actor, one.action, one.subject[:12], _short(one.details))
        for one in found
    ]
    yield Grid("", ("entry", "at", "actor", "action", "subject", "details"), rows) if rows else Line("no entry yet")


def word(whole: Whole) -> Iterator[Block]:
    """That the log is whole, and what to write down."""
    yield Line(f"{whole.entries:,} entries, every link holds", "ok")
    if whole.head:
        yield Line(f"head {whole.head[:32]}: write it down elsewhere; `snello audit verify --expect` asks for it later")


def _short(details: str) -> str:
    said = ((name, value) for name, value in json.loads(details).items() if not isinstance(value, dict))
    return " ".join(f"{name}={value}" for name, value in said)
