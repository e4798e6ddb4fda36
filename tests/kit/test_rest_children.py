from __future__ import annotations

from typing import Any

import pytest
from tests.kit.http_server import Call, Reply
from tests.kit.rest_probe import PAGES, ROWS_AT, catalog_of, family, ids, read, schema, source, stream

from snello.kit.rest import offset

ORDERS = stream("orders", path="/orders", paging=PAGES, workers=4, **ROWS_AT)
LINES = stream(
    "lines", path="/orders/{order}/lines", paging=offset("offset", ("size", 2)), parent=ORDERS, by={"order": "id"},
    declared=schema(order={"type": "integer"}), workers=4, **ROWS_AT,
)  # fmt: skip


def test_children_are_read_for_every_parent_and_name_it() -> None:
    with source(family(7)) as shop:
        done = read(shop.url, ORDERS, LINES)
    assert ids(done, "orders") == list(range(1, 8))
    assert [(row["order"], row["id"]) for row in done.records("lines")] == [
        (n, n * 10 + m) for n in range(1, 8) for m in range(n % 4)
    ]
    assert shop.flights <= 4
    kinds = [each["stream"] for each in done.messages if each["type"] == "SCHEMA"]
    assert kinds.index("lines") > kinds.index("orders")


def test_a_state_follows_the_children_of_its_page() -> None:
    def gone_for(call: Call) -> Reply | None:
        return Reply({}, 503) if call.path == "/v1/orders/4/lines" else None

    with source(family(7), before=gone_for) as shop:
        first = read(shop.url, ORDERS, LINES)
        shop.before = lambda _: None
        second = read(shop.url, ORDERS, LINES, state=first.state)
    assert first.code == 4
    wanted = {n * 10 + m for n in range(1, 8) for m in range(n % 4)}
    assert {*ids(first, "lines"), *ids(second, "lines")} == wanted


# ------------------------------------------------------------------ grandchildren

PARTS = stream(
    "parts", path="/orders/{order}/lines/{line}/parts", parent=LINES, by={"order": "order", "line": "id"},
    declared=schema(order={"type": "integer"}, line={"type": "integer"}), workers=4, **ROWS_AT,
)  # fmt: skip


def three_floors(orders: int) -> dict[str, Any]:
    rows = family(orders)
    lines = {name: found for name, found in rows.items() if name.endswith("/lines")}
    return rows | {f"{name}/{line['id']}/parts": [{"id": line["id"] * 10}] for name in lines for line in lines[name]}


WANTED = [(n, n * 10 + m, (n * 10 + m) * 10) for n in range(1, 8) for m in range(n % 4)]


def parts_of(*runs: Any) -> list[tuple[int, int, int]]:
    return [(row["order"], row["line"], row["id"]) for run in runs for row in run.records("parts")]


def test_children_of_children_are_read_and_name_both() -> None:
    with source(three_floors(7)) as shop:
        done = read(shop.url, ORDERS, LINES, PARTS)
    assert (done.code, sorted(parts_of(done))) == (0, WANTED)
    assert shop.flights <= 4


@pytest.mark.parametrize("broken", ["orders/4/lines", "orders/6/lines/60/parts"])
def test_a_state_follows_the_lowest_floor(broken: str) -> None:
    rows = three_floors(7)

    def gone_for(call: Call) -> Reply | None:
        return Reply({}, 503) if call.path == f"/v1/{broken}" else None

    with source(rows, before=gone_for) as shop:
        first = read(shop.url, ORDERS, LINES, PARTS)
        shop.before = lambda _: None
        second = read(shop.url, ORDERS, LINES, PARTS, state=first.state)
    assert (first.code, second.code) == (4, 0)
    assert set(parts_of(first, second)) == set(WANTED)


# ------------------------------------------------------------------ what is deselected


@pytest.mark.parametrize("left_out", [("orders",), ("lines",), ("orders", "lines"), ("orders.name", "lines.order")])
def test_what_is_deselected_is_read_for_its_children_and_not_handed_out(left_out: tuple[str, ...]) -> None:
    family_of_three = (ORDERS, LINES, PARTS)
    with source(three_floors(7)) as shop:
        done = read(shop.url, *family_of_three, catalog=catalog_of(*family_of_three, left_out=left_out))
    assert (done.code, sorted(parts_of(done))) == (0, WANTED)
    told = {each["stream"] for each in done.messages if each["type"] in ("SCHEMA", "RECORD")}
    assert not told & set(left_out)


def test_children_that_are_deselected_are_not_asked_for() -> None:
    with source(three_floors(7)) as shop:
        done = read(shop.url, ORDERS, LINES, PARTS, catalog=catalog_of(ORDERS, LINES, PARTS, left_out=("parts",)))
    assert (len(done.records("lines")), done.records("parts")) == (len(WANTED), [])
    assert not [call for call in shop.calls if "parts" in call.path]
