"""The end of a run: what came back of earlier deliveries, what the platform says, and which rows are not through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from snello.activation import Ledger
from snello.activation.feedback import Sent, measure, suppress
from snello.errors import ConfigError
from snello.kit.channel.settings import from_hub
from snello.kit.channel.sink import ActivationSink

ANY = "any"  # no channel is named where a run had no change: whoever bounced is left in peace on all


def take_back(ledger: Ledger, sync: str, sink: ActivationSink[Any], channel: str) -> int:
    """Enter what came back since the last look into the suppressions; how many entries are new."""
    bounces = list(sink.bounced())
    salt = _salt() if any(bounce.address for bounce in bounces) else ""
    return suppress(ledger, sync, channel or ANY, bounces, salt)


def look_back(
    ledger: Ledger, sync: str, run_id: str, sink: ActivationSink[Any], tally: Mapping[tuple[str, str], int]
) -> None:
    """Note how large the platform says the audience is, after a run that sent something."""
    outcomes: Counter[str] = Counter()
    for (status, _), many in tally.items():
        outcomes[status] += many
    sent = sum(outcomes[status] for status in ("delivered", "refused", "dead", "retrying"))
    if sent:
        measure(ledger, sync, run_id, Sent(sent, outcomes["delivered"]), sink.size(), sink.floor)


def listed(codes: Counter[str]) -> str:
    """Codes with how many have each, the most frequent first."""
    return ", ".join(f"{code} {many:,}" for code, many in codes.most_common())


def unfinished(sync: str, refused: Counter[str], waiting: Counter[str], waits: Mapping[str, str]) -> Iterator[str]:
    """A sentence each on the rows that were refused, and on those that were put off; ``waits``: see the sink."""
    if refused:
        yield f"{sync}: {refused.total():,} rows refused ({listed(refused)}). Next: snello receipts {sync}."
    if waiting:
        row = "row waits" if waiting.total() == 1 else "rows wait"
        usual = "the channel put them off, and the next run tries again"
        what = next((waits[code] for code, _ in waiting.most_common() if code in waits), usual)
        yield f"{sync}: {waiting.total():,} {row} ({listed(waiting)}): {what}. Next: snello sync run {sync}."


def channel_of(schema: Mapping[str, Any]) -> str:
    """The sync's channel, where the schema tells it before the first change does."""
    told = schema.get("properties", {}).get("_channel", {}).get("enum")
    return str(told[0]) if told else ""


def _salt() -> str:
    try:
        return from_hub("salt", None)
    except ConfigError:
        return ""  # the customer is suppressed; only other customers with the same address are not
