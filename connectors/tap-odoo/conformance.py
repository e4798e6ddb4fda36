"""tap-odoo tried on a stand-in for Odoo with the past of a small company, over both of its interfaces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import requests

from snello.kit.conformance.taps import Key, Subject, starts
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.odoo import API_KEY, DATABASE, LOGIN, SEEDED, odoo
from tap_odoo import TapOdoo

PARTNERS, ROWS_OF_A_PARTNER = 120, 5
OF_CUSTOMERS = {"invoices": ("move_type", "out_invoice"), "payments": ("partner_type", "customer")}


def _subject(stack: ExitStack, **interface: str) -> Subject:
    url = stack.enter_context(serve(odoo(partners=PARTNERS)))
    grown: list[str] = []

    def records(stream: str) -> list[dict[str, Any]]:
        model = next(each.model for each in TapOdoo.stream_classes if each.name == stream)
        found: list[dict[str, Any]] = requests.get(f"{url}/_inspect/records/{model}", timeout=60).json()
        field, value = OF_CUSTOMERS.get(stream, ("id", None))
        return [row for row in found if value is None or row[field] == value]

    def inside(model: str, method: str, *given: Any, at: str | None = None) -> Any:
        params = {"at": at} if at else None
        answer = requests.post(f"{url}/_inspect/call/{model}/{method}", json=given, params=params, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def change() -> tuple[str, Key]:
        order = records("sale_orders")[0]["id"]
        inside("sale.order", "write", [order], {"state": "cancel"})
        return "sale_orders", (order,)

    def tie() -> tuple[str, list[Key]]:
        made = [inside("res.partner", "create", {"name": f"Late {n}"}, at=SEEDED) for n in range(2)]
        return "partners", [(number,) for number in made]

    def remove() -> tuple[str, Key]:
        line = records("sale_order_lines")[-1]["id"]
        inside("sale.order.line", "unlink", [line])
        return "sale_order_lines", (line,)

    def grow(rows: int) -> None:
        grown.append(stack.enter_context(serve(odoo(partners=rows // ROWS_OF_A_PARTNER))))

    def config(address: str) -> dict[str, Any]:
        return {**told, "url": grown[-1], "page_size": 1000} if grown else {**told, "url": address}

    told = {"database": DATABASE, "api_key": API_KEY, "page_size": 50, "deletions": ["sale_order_lines"], **interface}
    return Subject(
        command="tap_odoo:main",
        plugin="tap_odoo:TapOdoo",
        url=url,
        config=config,
        rows={each.name: len(records(each.name)) for each in TapOdoo.stream_classes},
        canaries=("Person3@example.org", API_KEY),
        change=change,
        tie=tie,
        remove=remove,
        grow=grow,
        wrong={"api_key": "wrong-key-0123"},
    )


@starts({"renews": "a key holds until somebody withdraws it"})
def over_jsonrpc() -> Iterator[Subject]:
    """Up to version 18."""
    with ExitStack() as stack:
        yield _subject(stack, interface="jsonrpc", login=LOGIN)


@starts({"renews": "a key holds until somebody withdraws it"})
def over_json2() -> Iterator[Subject]:
    """From version 19 on."""
    with ExitStack() as stack:
        yield _subject(stack, interface="json2")
