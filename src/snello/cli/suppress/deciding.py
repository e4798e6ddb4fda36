"""What a person decides of the suppression list, and how it reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import get_args

import duckdb

from snello.activation import Ledger
from snello.activation.audit import who as the_user
from snello.activation.suppressions import Decision, Subject, Suppressions
from snello.activation.sync import Channel
from snello.cli.screen import Block, Grid, Line
from snello.cli.tables import Row
from snello.errors import ConfigError, choices
from snello.lake import Lake
from snello.settings import Settings

_COLUMNS = ("kind", "value", "channel", "reason", "source", "why", "at")
_HASH = 12  # letters of an address's hash that are shown


@dataclass(frozen=True)
class Decided:
    """What became of a decision; ``value``: the customer_id, or the keyed hash of the address."""

    action: str
    kind: str
    value: str
    channel: str
    entries: int
    author: str
    reason: str


def decide(hub: Settings, whom: str, said: Decision, *, lift: bool) -> Decided:
    """Suppress somebody or lift it; raises ``ConfigError`` when nobody is called so or nobody said why."""
    channels = get_args(Channel)
    if said.channel not in channels:
        raise ConfigError("suppress --channel", f"no channel {said.channel!r}", choices(said.channel, channels))
    given = Decision(said.channel, said.reason, said.author or the_user())
    salt = hub.salt.get_secret_value()
    subject = _subject(Lake(hub.lake), whom, salt)
    with closing(Ledger(hub.ledger)) as ledger:
        desk = Suppressions(ledger, salt)
        entries = desk.lift(subject, given) if lift else int(desk.suppress(subject, given))
    action = "lift" if lift else "suppress"
    return Decided(action, subject.kind, subject.value, given.channel, entries, given.author, given.reason.strip())


def listed(hub: Settings) -> list[Row]:
    """The entries of the ledger, newest first; an address as its hash alone."""
    with closing(Ledger(hub.ledger)) as ledger:
        rows = Suppressions(ledger, hub.salt.get_secret_value()).listed()
    return [{name: row[name] for name in _COLUMNS} for row in rows]


def page(decided: Decided) -> Iterator[Block]:
    """One line."""
    whom = "the address" if decided.kind == "address" else decided.value
    where = "any channel" if decided.channel == "any" else decided.channel
    if decided.action == "lift":
        yield Line(f"{whom} may be sent by {where} again, as far as consent goes.", "ok")
    elif decided.entries:
        yield Line(f"{whom} is sent nothing more by {where}; what channels hold goes with their next runs.", "ok")
    else:
        yield Line(f"{whom} was suppressed for {where} already.", "warn")


def list_page(rows: list[Row]) -> Iterator[Block]:
    """The list, addresses by the beginning of their hash."""
    if not rows:
        yield Line("nobody is suppressed by hand or by what came back.", "ok")
        return
    shown = [{**row, "value": row["value"][:_HASH] if row["kind"] == "address" else row["value"]} for row in rows]
    yield Grid(f"suppressed: {len(rows)}", _COLUMNS, [[row[name] for name in _COLUMNS] for row in shown])


def _subject(lake: Lake, whom: str, salt: str) -> Subject:
    if customer := _customer(lake, whom):
        return Subject("customer", customer)
    if address := Subject.address(whom, salt):
        return address
    cure = "give a customer_id as `snello why` prints it, an e-mail address or a telephone number"
    raise ConfigError("suppress", "nobody is called so", cure)


def _customer(lake: Lake, whom: str) -> str | None:
    """The customer of that id, or whom the one of that id has become."""
    manifest = lake.manifest()
    for table, name in (("customer_aliases", "alias"), ("customers", "customer_id")):
        if manifest is None or table not in manifest.tables:
            continue
        with duckdb.connect() as connection:
            query = f"select customer_id from ({lake.published_sql(table)}) where {name} = $1"
            found = connection.execute(query, [whom]).fetchall()
        if found:
            return str(found[0][0])
    return None
