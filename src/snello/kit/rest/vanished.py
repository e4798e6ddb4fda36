"""Which rows of a compared stream are gone: only those for which that is proven."""

from __future__ import annotations

from collections.abc import Sequence

from snello.kit.http import Client
from snello.kit.rest.asking import Row
from snello.kit.rest.compare import Compare, Comparison
from snello.kit.rest.stream import RestStream
from snello.kit.rest.walk import Page

MOST_ASKED = 1_000  # rows asked for one by one in a run; the others are asked for in the next


class Vanished:
    """Watches a listing, and tells at its end which rows of the one before are gone."""

    def __init__(self, stream: RestStream, comparison: Comparison, client: Client) -> None:
        self.stream, self.comparison, self.client = stream, comparison, client
        self.terms = stream.compare or Compare()
        self._totals: set[int | None] = set()

    def saw(self, page: Page) -> None:
        """Take a page into account."""
        self._totals.add(self.stream.paging.total(page.answer))

    def gone(self) -> list[Row]:
        """The keys of the rows that are gone; the others that were not listed stay remembered."""
        if self.terms.proof == "part":
            self.comparison.unlisted_as_they_were()
            return []
        missing = self.comparison.gone()
        gone = self._proven(missing) if missing else []
        names = {tuple(row.values()) for row in gone}
        self.comparison.still_there([row for row in missing if tuple(row.values()) not in names])
        return gone

    def _proven(self, missing: Sequence[Row]) -> list[Row]:
        before, log, where = self.comparison.before.num_rows, self.stream.logger, self.stream.where
        agreed = self.stream.host.deletes_at_most
        most = self.terms.at_most if agreed is None else agreed
        if len(missing) > before * most and before > 1:
            told = "%s: %s of %s rows are no longer listed, more than agreed; none is reported as gone. %s"
            cure = "Next: when they are meant to be gone, run once with setting deletes_at_most: 1"
            log.warning(told, where, f"{len(missing):,}", f"{before:,}", cure)
            return []
        if self.terms.item is not None:
            return [row for row in missing[:MOST_ASKED] if self._is_gone(row)]
        if self.terms.proof == "end" or (self.terms.proof == "total" and self._totals == {self.comparison.rows}):
            return list(missing)
        told = "%s: %s rows are no longer listed, but nothing proves the listing complete; none is reported as gone"
        log.warning(told, where, f"{len(missing):,}")
        return []

    def _is_gone(self, row: Row) -> bool:
        """Asked for by itself, the row is not there."""
        path, where = self.terms.item or "", self.stream.where
        url = self.stream.address_of(path, row)
        return self.client.send("GET", url, where=where, place=path, accept=(404, 410)).status in (404, 410)
