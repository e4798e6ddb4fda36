"""A bulk operation in the shop: started, and waited for."""

from __future__ import annotations

import time
from typing import Any

from snello.kit.rest import Answer, ConfigError, ContractError, RetryLater
from tap_shopify.asking import Ask
from tap_shopify.queries import LOOK_AT_BULK, RUN_BULK
from tap_shopify.waits import Waits

BUSY = {"OPERATION_IN_PROGRESS", "LIMIT_REACHED"}
UNDER_WAY = {"CREATED", "RUNNING", "CANCELING"}
AGAIN = "run again later: nothing is lost"


class Operation:
    """Raises ``RetryLater`` when it does not come to its end, ``ConfigError`` for a right that is lacking."""

    def __init__(self, where: str, ask: Ask, waits: Waits) -> None:
        self.where, self.ask, self.waits = where, ask, waits

    def started(self, document: str) -> tuple[Answer, str]:
        """The answer that tells the operation's number; waits for others of the app to end."""
        for wait in self.waits.each():
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

    def completed(self, number: str) -> dict[str, Any]:
        """What is told of the operation once it came to its end."""
        for wait in self.waits.each():
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
