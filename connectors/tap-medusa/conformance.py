"""tap-medusa tried on a shop that answers as Medusa's Admin API does, by key and by login, and on a real server."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

from tests.servers.medusa import CANARY as REAL_CANARY
from tests.servers.medusa import PASSWORD as REAL_PASSWORD
from tests.servers.medusa import Medusa, serving

from snello.kit.conformance.taps import Key, Subject, starts
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.medusa import KEY, PASSWORD, USER, medusa
from snello.sandbox.emulators.medusa_rows import key
from snello.sandbox.emulators.medusa_store import MedusaStore

CANARY = "canary.bird@example.org"
TABLES = {"store_credit_transactions": "transactions"}
STREAMS = ("customers", "orders", "returns", "store_credit_accounts", "store_credit_transactions", "gift_cards")


def _subject(stack: ExitStack, credentials: dict[str, Any], wrong: dict[str, Any]) -> Subject:
    store = MedusaStore()
    orders, customers = store.tables["orders"], store.tables["customers"]
    url = stack.enter_context(serve(medusa(store)))
    grown: list[str] = []

    def change() -> tuple[str, Key]:
        orders.change(orders.keys[7], status="archived")
        return "orders", (orders.keys[7],)

    def tie() -> tuple[str, list[Key]]:
        last = orders.at(orders.keys[-1])
        for name in orders.keys[3:5]:
            orders.change(name, last)
        return "orders", [(name,) for name in orders.keys[3:5]]

    def remove() -> tuple[str, Key]:
        customers.delete(key("cus", 40))
        return "customers", (key("cus", 40),)

    def grow(rows: int) -> None:
        grown.append(stack.enter_context(serve(medusa(MedusaStore(orders=rows)))))

    return Subject(
        command="tap_medusa:main",
        plugin="tap_medusa:TapMedusa",
        url=url,
        config=lambda address: {"url": [address, *grown][-1], **credentials},
        rows={name: len(store.tables[TABLES.get(name, name)].keys) for name in STREAMS},
        canaries=(CANARY, KEY, PASSWORD),
        change=change,
        tie=tie,
        remove=remove,
        grow=grow,
        wrong=wrong,
    )


@starts({"renews": "a key holds until somebody revokes it"})
def by_key() -> Iterator[Subject]:
    """With a secret API key."""
    with ExitStack() as stack:
        yield _subject(stack, {"key": KEY}, {"key": "sk_wrong"})


@starts()
def by_login() -> Iterator[Subject]:
    """With an administrator's e-mail address and password, for a token that ends."""
    with ExitStack() as stack:
        yield _subject(stack, {"user": USER, "password": PASSWORD}, {"password": "wrong-sesame"})


@cache
def _server() -> Medusa:
    """One for all cases: what one changes, no other looks at."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(serving())


@starts(
    {
        "http": "calls that break are tried on the stand-in",
        "renews": "a key holds until somebody revokes it",
        "grows": "tried by key on the stand-in",
    },
    real=True,
)
def real_shop() -> Iterator[Subject]:
    """A real server, from npm, with its loyalty plugin."""
    server = _server()

    def newest(path: str, table: str, **more: Any) -> str:
        found: str = server.call("GET", f"/admin/{path}", limit=1, order="-id", **more)[table][0]["id"]
        return found

    def change() -> tuple[str, Key]:
        name = newest("gift-cards", "gift_cards")
        server.call("POST", f"/admin/gift-cards/{name}", {"note": "changed", "expires_at": "2028-01-01"})
        return "gift_cards", (name,)

    def tie() -> tuple[str, list[Key]]:
        old = server.call("GET", "/admin/orders", limit=2, order="id", fields="id")["orders"]
        for each in old:
            last = 'select max(updated_at) from "order"'
            server.execute(f'update "order" set updated_at = ({last}) where id = %s', each["id"])
        return "orders", [(each["id"],) for each in old]

    def remove() -> tuple[str, Key]:
        name = newest("customers", "customers", has_account="false")
        server.call("DELETE", f"/admin/customers/{name}")
        return "customers", (name,)

    yield Subject(
        command="tap_medusa:main",
        plugin="tap_medusa:TapMedusa",
        config=lambda address: {"url": address or server.url, "key": server.key},
        rows=server.rows(),
        canaries=(REAL_CANARY, REAL_PASSWORD, server.key),
        change=change,
        tie=tie,
        remove=remove,
        wrong={"key": "sk_wrong"},
    )
