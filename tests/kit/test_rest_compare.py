from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.kit.http_server import Reply
from tests.kit.rest_probe import PAGES, ROWS_AT, Source, family, ids, read, source, stream, thing

from snello.kit.rest import Compare


def compared(**terms: Any) -> Any:
    return stream(paging=PAGES, compare=Compare(**terms), **ROWS_AT)


def told(shop: Source, memory: Path, state: Any = None, **terms: Any) -> tuple[list[int], list[int], Any]:
    done = read(shop.url, compared(**terms), state=state, memory=str(memory))
    assert done.code == 0
    rows = done.records("things")
    gone = [row["id"] for row in rows if row.get("_deleted_at")]
    return [row["id"] for row in rows if not row.get("_deleted_at")], gone, done.state


def test_what_changed_and_what_is_gone_is_told_and_no_more(tmp_path: Path) -> None:
    rows = [thing(n, seen=0) for n in range(1, 8)]
    with source(rows) as shop:
        came, _, state = told(shop, tmp_path)
        assert came == list(range(1, 8))
        rows[1]["name"] = "new"
        del rows[4]
        came, gone, state = told(shop, tmp_path, state)
        assert (came, gone) == ([2], [5])
        came, gone, state = told(shop, tmp_path, state)
        assert (came, gone) == ([], [])
        rows.append(thing(5, seen=0))
        assert told(shop, tmp_path, state)[0] == [5]


@pytest.mark.parametrize("terms", [{"proof": "never"}, {"at_most": 0.1}])
def test_what_is_not_proven_to_be_gone_is_not_told(tmp_path: Path, terms: dict[str, Any]) -> None:
    rows = [thing(n) for n in range(1, 8)]
    with source(rows) as shop:
        _, _, state = told(shop, tmp_path, **terms)
        del rows[2]
        assert told(shop, tmp_path, state, **terms)[1] == []


def test_what_a_part_of_the_listing_leaves_out_is_as_it_was(tmp_path: Path) -> None:
    rows = [thing(n) for n in range(1, 8)]
    with source(rows) as shop:
        _, _, state = told(shop, tmp_path, proof="part")
        shop.rows["things"] = [rows[5] | {"name": "new"}]
        came, gone, state = told(shop, tmp_path, state, proof="part")
        assert (came, gone) == ([6], [])
        shop.rows["things"] = rows
        assert told(shop, tmp_path, state, proof="part")[:2] == ([6], [])


def test_a_listing_that_is_short_of_its_total_takes_nothing_for_gone(tmp_path: Path) -> None:
    rows = [thing(n) for n in range(1, 8)]
    with source(rows) as shop:
        _, _, state = told(shop, tmp_path)
        del rows[2]
        whole = Source({"things": rows})
        shop.before = lambda call: Reply(whole._answer(call).body, headers=[("X-Total", "7"), ("X-Pages", "3")])
        short = read(shop.url, compared(), state=state, memory=str(tmp_path))
        shop.before = lambda _: None
        assert (short.code, [row for row in short.records("things") if row["_deleted_at"]]) == (3, [])
        assert told(shop, tmp_path, short.state or state)[1] == [3]


def test_a_row_that_is_gone_has_no_children_to_ask_for(tmp_path: Path) -> None:
    orders = stream("orders", path="/orders", paging=PAGES, compare=Compare(), **ROWS_AT)
    lines = stream("lines", path="/orders/{order}/lines", parent=orders, by={"order": "id"}, **ROWS_AT)
    with source(family(7)) as shop:
        first = read(shop.url, orders, lines, memory=str(tmp_path))
        del shop.rows["orders"][2], shop.rows["orders/3/lines"]
        asked = len(shop.calls)
        second = read(shop.url, orders, lines, memory=str(tmp_path), state=first.state)
    assert (second.code, ids(second, "orders")) == (0, [3])
    assert [call.path for call in shop.calls[asked:] if "lines" in call.path] == []


# ------------------------------------------------------------------ asked for one by one

ITEM = {"item": "/things/{id}", "at_most": 1.0}


def test_only_what_its_own_address_denies_is_gone(tmp_path: Path) -> None:
    rows = [thing(n) for n in range(1, 8)]
    with source(rows) as shop:
        _, _, state = told(shop, tmp_path, **ITEM)
        shop.rows["things/5"] = [rows[4]]  # no longer listed, and there
        del rows[4], rows[1]
        asked = len(shop.calls)
        came, gone, state = told(shop, tmp_path, state, **ITEM)
        assert (came, gone) == ([], [2])
        assert sorted(call.path for call in shop.calls[asked:] if call.path != "/v1/things") == [
            "/v1/things/2",
            "/v1/things/5",
        ]
        assert told(shop, tmp_path, state, **ITEM)[1] == []
        del shop.rows["things/5"]
        assert told(shop, tmp_path, state, **ITEM)[1] == [5]


def test_a_row_that_cannot_be_asked_for_is_not_gone_and_is_asked_for_again(tmp_path: Path) -> None:
    rows = [thing(n) for n in range(1, 8)]
    with source(rows) as shop:
        _, _, state = told(shop, tmp_path, **ITEM)
        del rows[2]
        shop.before = lambda call: Reply({}, 503) if call.path == "/v1/things/3" else None
        down = read(shop.url, compared(**ITEM), state=state, memory=str(tmp_path))
        assert (down.code, [row for row in down.records("things") if row["_deleted_at"]]) == (4, [])
        shop.before = lambda _: None
        assert told(shop, tmp_path, down.state or state, **ITEM)[1] == [3]


def test_more_than_agreed_is_not_even_asked_for(tmp_path: Path) -> None:
    rows = [thing(n) for n in range(1, 8)]
    with source(rows) as shop:
        _, _, state = told(shop, tmp_path, item="/things/{id}", at_most=0.2)
        del rows[:4]
        assert told(shop, tmp_path, state, item="/things/{id}", at_most=0.2)[1] == []
    assert {call.path for call in shop.calls} == {"/v1/things"}
