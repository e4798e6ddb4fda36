"""From a word on the command line to the chain of one customer, or the customers to choose from."""

from __future__ import annotations

import re

from snello import settings
from snello.cli.ledger import Receipts
from snello.cli.tables import Row, Tables, manifest
from snello.cli.why import chain, field, finding, two
from snello.cli.why.chain import Chain
from snello.cli.why.field import Field
from snello.cli.why.two import Two
from snello.errors import ConfigError
from snello.lake import Lake

__all__ = ["Chain", "Field", "Two", "answer", "answer_field", "answer_two"]
_FIELD = re.compile(r"[a-z][a-z0-9_]*")


def answer_two(one: str, other: str) -> Two | None:
    """What is between two records or customers; none when ``other`` can only be a field.

    Raises ``ConfigError`` when either names nobody, or several.
    """
    lake = Lake(settings.load().lake)
    manifest(lake)
    tables = Tables.published(lake, sorted({*finding.NEEDED, *two.NEEDED}))
    finding.optional(tables)
    if _FIELD.fullmatch(other.strip()) and not finding.matches(tables, other):
        return None
    return two.read(tables, one, other)


def answer_field(given: str, name: str, purpose: str | None) -> Field | list[Row]:
    """Why one golden value of the customer that ``given`` names is what it is; the matches when it names several."""
    lake = Lake(settings.load().lake)
    manifest(lake)
    tables = Tables.published(lake, sorted({*finding.NEEDED, *field.NEEDED}))
    finding.optional(tables)
    matches = finding.find(tables, given)
    return matches if len(matches) > 1 else field.read(tables, matches[0]["customer_id"], name, purpose)


def answer(given: str, segment: str | None, purpose: str | None = None) -> Chain | list[Row]:
    """The chain of the one customer that ``given`` names; the matches when it names several."""
    if purpose is not None:
        raise ConfigError("why --purpose", "no field to look at", "name one, such as: snello why CUSTOMER email")
    hub = settings.load()
    lake = Lake(hub.lake)
    published = manifest(lake)
    tables = Tables.published(lake, sorted({*finding.NEEDED, *chain.NEEDED}))
    finding.optional(tables)
    matches = finding.find(tables, given)
    if len(matches) > 1:
        return matches
    found = chain.read(tables, matches[0]["customer_id"], Receipts(hub.ledger), published.syncs)
    if segment is None:
        return found
    known = [row["segment"] for row in tables.rows("select distinct segment from segments order by segment")]
    return chain.narrow(found, segment, known)
