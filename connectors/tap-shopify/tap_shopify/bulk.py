"""A bulk operation: started, waited for, and its file read back into rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from snello.kit.rest import Answer, ConfigError, ContractError, RetryLater, Row
from tap_shopify.download import Download
from tap_shopify.queries import LOOK_AT_BULK, RUN_BULK

BUSY = {"OPERATION_IN_PROGRESS", "LIMIT_REACHED"}
UNDER_WAY = {"CREATED", "RUNNING", "CANCELING"}
ROWS_AT_ONCE = 500
PARENT = "__parentId"
AGAIN = "run again later: nothing is lost"

Ask = Callable[[str, dict[str, Any]], Answer]


@dataclass(frozen=True)
class Waits:
    """Seconds between looks at an operation, the first and the longest, and after how many a run gives up."""

    first: float = 1.0
    longest: float = 30.0
    patience: float = 3 * 3600.0


class Bulk:
    """Runs one document.

    - ``ask``: sends a query with variables
    - raises ``RetryLater`` for an operation that does not come to its end, ``ConfigError`` for a right that is lacking
    """

    def __init__(self, where: str, ask: Ask, download: Download, waits: Waits) -> None:
        self.where, self.ask, self.download, self.waits = where, ask, download, waits

    def parts(self, document: str) -> Iterator[tuple[Answer, list[Row]]]:
        """The rows, some hundred at a time, each part with the answer that began the operation."""
        began, number = self._started(document)
        done = self._completed(number)
        count = roots = 0
        part: list[Row] = []
        for row, lines in grouped(self.download.lines(done.get("url")), self.where):
            count, roots = count + lines, roots + 1
            part.append(row)
            if len(part) == ROWS_AT_ONCE:
                yield began, part
                part = []
        if (count, roots) != (int(done["objectCount"]), int(done["rootObjectCount"])):
            what = f"the file of the bulk operation holds {count:,} objects of {int(done['objectCount']):,}"
            raise RetryLater(self.where, what, AGAIN)
        yield began, part

    def _started(self, document: str) -> tuple[Answer, str]:
        """The answer that tells the operation's number; waits for others of the app to end."""
        for wait in self._waits():
            answer = self.ask(RUN_BULK, {"query": document})
            told = answer.document["data"]["bulkOperationRunQuery"]
            if not told["userErrors"]:
                return answer, str(told["bulkOperation"]["id"])
            codes = {error.get("code") for error in told["userErrors"]}
            if not codes & BUSY:
                raise ContractError(
                    self.where, "the bulk operation was refused", "compare the query with the API version"
                )
            time.sleep(wait)
        raise RetryLater(self.where, "other bulk operations of the app are under way in the shop", AGAIN)

    def _completed(self, number: str) -> dict[str, Any]:
        for wait in self._waits():
            found = self.ask(LOOK_AT_BULK, {"id": number}).document["data"]["node"] or {"status": "unknown"}
            status = found["status"]
            if status == "COMPLETED":
                return dict(found)
            if status not in UNDER_WAY:
                raise self._fault(found)
            time.sleep(wait)
        raise RetryLater(self.where, "the bulk operation is still under way", AGAIN)

    def _fault(self, found: dict[str, Any]) -> Exception:
        """What an operation that ended otherwise means; what it found until then is not taken for all there is."""
        if found.get("errorCode") == "ACCESS_DENIED":
            cure = "grant the app the access scopes that the README names"
            return ConfigError(self.where, "the bulk operation was denied access", cure)
        known = ("FAILED", "CANCELED", "EXPIRED")
        ended = found["status"].lower() if found["status"] in known else "lost"
        why = ", it took too long" if found.get("errorCode") == "TIMEOUT" else ""
        return RetryLater(self.where, f"Shopify ended the bulk operation as {ended}{why}", AGAIN)

    def _waits(self) -> Iterator[float]:
        wait, until = self.waits.first, time.monotonic() + self.waits.patience
        while time.monotonic() < until:
            yield wait
            wait = min(wait * 1.5, self.waits.longest)


def grouped(lines: Iterator[Row], where: str) -> Iterator[tuple[Row, int]]:
    """Each row with its lines under ``lineItems``, and how many objects it is made of; lines follow their row.

    Raises ``ContractError`` for a line whose row is not the one before it.
    """
    row: Row | None = None
    count = 0
    for line in lines:
        parent = line.pop(PARENT, None)
        if parent is None:
            if row is not None:
                yield row, count
            row, count = line, 1
        elif row is not None and row.get("id") == parent:
            row.setdefault("lineItems", []).append(line)
            count += 1
        else:
            what = "the file of the bulk operation has a line apart from its row"
            raise ContractError(where, what, "check that the API version groups objects")
    if row is not None:
        yield row, count
