from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.kit.http_server import Call, Reply, serving
from tests.kit.rest_probe import ids, read, stream, thing

from snello.kit.rest import Compare, Paging, cursor, next_link, offset, page_number

NUMBERS = page_number("page", ("size", 10), total_rows="$.total")
AT: dict[str, Any] = {"records_jsonpath": "$.data[*]"}


def listing(rows: int, *, told: int | None = None, show: Callable[[list[Any]], dict[str, Any]] | None = None) -> Any:
    """Numbered pages of 10 that tell a total, which need not be true."""

    def answer(call: Call) -> Reply:
        page = int(call.query["page"])
        data = [thing(n) for n in range(1, rows + 1)][(page - 1) * 10 : page * 10]
        shown = show(data) if show else {"data": data}
        return Reply({"total": rows if told is None else told, **shown})

    return answer


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("rows", [0, 5, 10, 25, 30])
def test_numbered_pages_end_when_all_rows_that_are_told_of_have_come(rows: int, workers: int) -> None:
    with serving(listing(rows)) as server:
        done = read(server.url, stream(paging=NUMBERS, workers=workers, **AT))
    assert (done.code, len(ids(done))) == (0, rows)
    assert len(server.calls) == max(1, -(-rows // 10))


SHORT: dict[str, Paging] = {
    "numbers": NUMBERS,
    "offset": offset("page", ("size", 10), total_rows="$.total"),
    "cursor": cursor("$.next", "page", total_rows="$.total"),
    "link": next_link("$.link", total_rows="$.total"),
}


@pytest.mark.parametrize("name", SHORT)
def test_a_listing_that_ends_before_its_total_is_a_fault_and_leaves_no_bookmark(name: str) -> None:
    def answer(call: Call) -> Reply:
        first = call.query.get("page", "1") in ("0", "1")
        return Reply({"total": 35, "data": [thing(n, "2026-01-01T00:00:00Z") for n in range(10)] if first else []})

    with serving(answer) as server:
        done = read(server.url, stream(paging=SHORT[name], replication_key="changed_at", **AT))
    assert (done.code, done.last_line) == (
        3,
        "tap-probe: things: the interface tells of 35 rows and handed out 10. "
        "Next: run again; when it stays so, check the paging: no state was kept.",
    )
    assert "replication_key_value" not in done.state["bookmarks"]["things"]


def test_a_list_that_is_left_out_is_empty_where_the_total_tells_whether_rows_are_missing() -> None:
    def some(data: list[Any]) -> dict[str, Any]:
        return {"data": data} if data else {}

    for rows in (0, 20):
        with serving(listing(rows, show=some)) as server:
            done = read(server.url, stream(paging=page_number("page", total_rows="$.total"), **AT))
        assert (done.code, len(ids(done))) == (0, rows)
    with serving(listing(20, told=21, show=some)) as server:
        assert read(server.url, stream(paging=page_number("page", total_rows="$.total"), **AT)).code == 3
    with serving(listing(0, show=some)) as server:
        assert read(server.url, stream(paging=page_number("page"), **AT)).code == 3


def test_rows_that_go_while_pages_are_read_are_no_short_listing() -> None:
    left = list(range(1, 26))

    def answer(call: Call) -> Reply:
        page = int(call.query["page"])
        data = [thing(n) for n in left[(page - 1) * 10 : page * 10]]
        del left[0]
        return Reply({"total": len(left) + 1, "data": data})

    with serving(answer) as server:
        assert read(server.url, stream(paging=NUMBERS, **AT)).code == 0


def test_a_jsonpath_that_is_none_is_told_at_once() -> None:
    done = read("http://x", stream(records_jsonpath="$.entries.[*]"))
    assert done.code == 3
    assert "things: records_jsonpath '$.entries.[*]' is no JSONPath. Next: write it as in $.data[*]." in done.last_line


def test_more_rows_gone_than_agreed_are_told_when_somebody_says_so_for_a_run(tmp_path: Any) -> None:
    compared, rows = stream(paging=NUMBERS, compare=Compare(), **AT), [5, 1]
    with serving(lambda call: listing(rows[0])(call)) as server:
        first = read(server.url, compared, memory=str(tmp_path))
        del rows[0]
        held = read(server.url, compared, state=first.state, memory=str(tmp_path))
        told = read(server.url, compared, state=held.state, memory=str(tmp_path), deletes_at_most=1)
    assert ids(held) == []
    assert "4 of 5 rows are no longer listed, more than agreed; none is reported as gone. Next: when" in held.err
    assert ids(told) == [2, 3, 4, 5]
