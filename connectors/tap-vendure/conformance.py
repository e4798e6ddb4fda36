"""tap-vendure tried on a shop that speaks Vendure's Admin API over drawn customers, orders and promotions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from snello.kit.conformance.taps import Key, Subject, starts
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.vendure import API_KEY, PASSWORD, ROOT, USER, Shop, vendure
from snello.sandbox.emulators.vendure_rows import customers, mail, orders


def _subject(shop: Shop, url: str, credentials: dict[str, str], wrong: dict[str, str]) -> Subject:
    store = shop.store

    def change() -> tuple[str, Key]:
        store.refund("2")  # which moves no moment of the order
        return "orders", ("2",)

    def tie() -> tuple[str, list[Key]]:
        last = store.rows["orders"][-1]
        late = [last | {"id": str(number), "code": f"LATE{number}"} for number in (900, 901)]
        store.rows["orders"] += late
        return "orders", [(row["id"],) for row in late]

    def remove() -> tuple[str, Key]:
        store.delete("customers", "7")
        return "customers", ("7",)

    def grow(rows: int) -> None:
        bare = orders(60)[2] | {"lines": [], "channels": [], "shippingLines": []}
        store.rows["orders"] = [bare | {"id": str(number)} for number in range(1, rows + 1)]

    def config(url: str) -> dict[str, Any]:
        fields = {"customers": ["loyaltyCard"], "orders": ["giftNote"]}
        return {"url": f"{url}{ROOT}", **credentials, "page_size": 20, "custom_fields": fields}

    return Subject(
        command="tap_vendure:main",
        plugin="tap_vendure:TapVendure",
        url=url,
        config=config,
        rows=store.counts(),
        canaries=(PASSWORD, API_KEY, mail(1)),
        change=change,
        tie=tie,
        remove=remove,
        grow=grow,
        full=1_500,
        wrong=wrong,
    )


@starts()
def shop_by_login() -> Iterator[Subject]:
    """An administrator logs in; the session is handed out in a header."""
    shop = vendure(methods=("bearer",))
    with serve(shop) as url:
        yield _subject(shop, url, {"user": USER, "password": PASSWORD}, {"password": "wrong"})


@starts({"renews": "a key holds until somebody takes it back", "grows": "the same pages as by a login"})
def shop_by_key() -> Iterator[Subject]:
    """An API key goes along with every request."""
    shop = vendure({"customers": customers(25)})
    with serve(shop) as url:
        subject = _subject(shop, url, {"key": API_KEY}, {"key": "wrong"})
        yield Subject(**{**vars(subject), "grow": None})
