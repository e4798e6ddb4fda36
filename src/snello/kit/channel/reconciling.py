"""What a channel holds of ours beside what the ledger says: drift that somebody made by hand is found and listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from snello.activation import Ledger
from snello.activation.ledger import UNKNOWN
from snello.errors import ConfigError, SnelloError
from snello.kit.channel.settings import from_hub
from snello.kit.channel.sink import ActivationSink, counts_alone
from snello.lake import Lake

SHOWN = 20


@dataclass(frozen=True)
class Drift:
    """Where channel and ledger differ.

    - ``missing``: keys that the ledger calls held and the channel does not list; ``foreign``: the other way round
    - rows in doubt, and rows that are to be sent again, count as neither
    """

    sync: str
    held: int
    listed: int
    missing: tuple[str, ...]
    foreign: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.foreign)

    def said(self) -> dict[str, Any]:
        """For a line of JSON: numbers, and some of the keys."""
        numbers = {"missing": len(self.missing), "foreign": len(self.foreign)}
        keys = [*self.missing, *self.foreign][:SHOWN]
        return {"sync": self.sync, "held": self.held, "listed": self.listed, **numbers, "keys": keys}


def reconcile(ledger: Ledger, sink: ActivationSink[Any], sync: str) -> Drift:
    """Compare the channel's listing with the ledger, keys in canonical form; nothing is changed.

    Raises ``ConfigError`` when the channel cannot say what it holds.
    """
    listing = sink.listing()
    if listing is None:
        if counts_alone(type(sink)):
            what = "the platform lists nobody, so that no rows can be compared; it tells how many it has"
            raise ConfigError(
                f"sync {sync}", what, f"ask `snello sync check {sync}`, which compares its figures with ours"
            )
        cure = "compare in the channel itself, or ask `snello receipts` what was sent"
        raise ConfigError(f"sync {sync}", f"{sink.name} cannot say what they hold", cure)
    listed = {sink.canonical(row.key): row.key for row in listing}
    settled, open_rows = ledger.settled(sync), ledger.unsettled(sync).to_pylist()
    known = pc.not_equal(settled["fingerprint"], UNKNOWN)
    held = _canonical(settled.filter(known)["key"].to_pylist(), sink)
    sure = [row["key"] for row in open_rows if row["fingerprint"] not in (None, UNKNOWN) and _certain(row)]
    held |= _canonical(sure, sink)
    unknown = settled.filter(pc.invert(known))["key"].to_pylist()
    doubted = _canonical([*unknown, *(row["key"] for row in open_rows if not _certain(row))], sink)
    missing = tuple(sorted(held[key] for key in held.keys() - listed.keys()))
    foreign = tuple(sorted(listed[key] for key in listed.keys() - held.keys() - doubted.keys()))
    return Drift(sync, len(held), len(listed), missing, foreign)


def told_of(drift: Drift) -> tuple[str, str]:
    """The drift in words, and what to do about it."""
    what = f"{len(drift.missing):,} rows are missing there, {len(drift.foreign):,} are unknown to the ledger"
    return what, "look into the channel: a row that is missing comes back with its next change"


def title_of(sync: str) -> str:
    """The list that a published sync names; its own name when it names none, or nothing is published."""
    try:
        manifest = Lake(from_hub("lake", None)).manifest()
    except SnelloError:
        return sync
    return str((manifest.syncs if manifest else {}).get(sync, {}).get("list") or sync)


def _certain(row: Mapping[str, Any]) -> bool:
    return row["status"] not in ("in_doubt", "retrying") and row["fingerprint"] != UNKNOWN


def _canonical(keys: list[str], sink: ActivationSink[Any]) -> dict[str, str]:
    return {sink.canonical(key): key for key in keys}
