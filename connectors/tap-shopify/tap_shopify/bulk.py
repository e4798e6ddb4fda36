"""A bulk operation's file read back into rows."""

from __future__ import annotations

from collections.abc import Iterator

from snello.kit.rest import Answer, RetryLater, Row
from tap_shopify.download import Download
from tap_shopify.grouping import grouped
from tap_shopify.operation import AGAIN, Operation

ROWS_AT_ONCE = 500


class Bulk:
    """Runs one document."""

    def __init__(self, operation: Operation, download: Download) -> None:
        self.operation, self.download = operation, download

    def parts(self, document: str) -> Iterator[tuple[Answer, list[Row]]]:
        """The rows, some hundred at a time, each part with the answer that began the operation."""
        began, number = self.operation.started(document)
        done = self.operation.completed(number)
        count = roots = 0
        part: list[Row] = []
        for row, lines in grouped(self.download.lines(done.get("url")), self.operation.where):
            count, roots = count + lines, roots + 1
            part.append(row)
            if len(part) == ROWS_AT_ONCE:
                yield began, part
                part = []
        if (count, roots) != (int(done["objectCount"]), int(done["rootObjectCount"])):
            what = f"the file of the bulk operation holds {count:,} objects of {int(done['objectCount']):,}"
            raise RetryLater(self.operation.where, what, AGAIN)
        yield began, part
