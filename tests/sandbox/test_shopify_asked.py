"""What tap-shopify sends when it runs is what was found in its code, so that all of it is held against the schema."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tests.servers.shopify_documents import documents

from snello.kit.testing import run
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.shopify import TOKEN, shopify
from snello.sandbox.emulators.shopify_cost import Bucket
from snello.sandbox.emulators.shopify_rows import checkout, customer, order
from snello.sandbox.emulators.shopify_store import ShopifyStore
from tap_shopify import ShopStream, main
from tap_shopify.waits import Waits

PAGES, BULK = {"bulk_above": 10_000}, {"bulk_above": 0}


class Overheard:
    """A service, with all that was sent to it."""

    def __init__(self, service: ASGIApp) -> None:
        self.service = service
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts: list[bytes] = []

        async def heard() -> Message:
            message = await receive()
            parts.append(message.get("body", b""))
            return message

        await self.service(scope, heard, send)
        self.bodies.append(b"".join(parts))

    def documents(self) -> set[str]:
        """The documents, and those that bulk operations were begun with."""
        asked = [json.loads(body) for body in self.bodies if body]
        inner = [each["variables"]["query"] for each in asked if "bulkOperationRunQuery" in each["query"]]
        return {plain(text) for text in (*(each["query"] for each in asked), *inner)}


def plain(document: str) -> str:
    """A document without the words that it searches for."""
    return re.sub(r'"[^"]*"', '""', document)


@pytest.fixture
def overheard(monkeypatch: pytest.MonkeyPatch) -> Overheard:
    monkeypatch.setattr(ShopStream, "waits", Waits(first=0.01, longest=0.05, patience=300.0))
    buyer = customer(1)
    orders, checkouts = [order(1, buyer, lines=11)], [checkout(1, buyer, lines=11)]
    return Overheard(shopify(ShopifyStore([buyer], orders, checkouts, looks=0, bucket=Bucket(50_000, 10_000))))


def test_a_tap_sends_the_documents_that_were_found_and_no_others(overheard: Overheard, tmp_path: Path) -> None:
    with serve(overheard) as url:
        given = {"url": url, "access_token": TOKEN, "deletions": ["customers", "orders"], "memory": str(tmp_path)}
        first = run(main, given | PAGES)
        whole = run(main, given | BULK)
        again = run(main, given | BULK, state=first.state)
    assert (first.code, whole.code, again.code) == (0, 0, 0)
    found = {name: plain(text) for name, text in documents().items()}
    sent = overheard.documents()
    assert sent - set(found.values()) == set()
    # keys are always listed whole
    assert {name for name in found if found[name] not in sent} == {
        "CUSTOMER_KEYS.bulk(search)",
        "ORDER_KEYS.bulk(search)",
    }
