"""From a word on the command line to the chain of one customer, or the customers to choose from."""

from __future__ import annotations

from snello import settings
from snello.cli.ledger import Receipts
from snello.cli.tables import Row, Tables, manifest
from snello.cli.why import chain, finding
from snello.cli.why.chain import Chain
from snello.lake import Lake

__all__ = ["Chain", "answer"]


def answer(given: str, segment: str | None) -> Chain | list[Row]:
    """The chain of the one customer that ``given`` names; the matches when it names several."""
    hub = settings.load()
    lake = Lake(hub.lake)
    published = manifest(lake)
    tables = Tables.published(lake, sorted({*finding.NEEDED, *chain.NEEDED}))
    matches = finding.find(tables, given)
    if len(matches) > 1:
        return matches
    found = chain.read(tables, matches[0]["customer_id"], Receipts(hub.ledger), published.syncs)
    if segment is None:
        return found
    known = [row["segment"] for row in tables.rows("select distinct segment from segments order by segment")]
    return chain.narrow(found, segment, known)
