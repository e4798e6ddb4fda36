from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.kit.http_server import Call, Reply
from tests.kit.rest_probe import ids, read, source, stream, thing

from snello.kit.rest import (
    Answer,
    Ask,
    Paging,
    Row,
    Token,
    Values,
    cursor,
    keyset,
    next_link,
    offset,
    page_number,
    single_page,
)

SIZE = 3


def _behind(place: Any) -> Ask:
    return Ask({"order": "keyset", "size": SIZE} | ({} if place is None else {"behind": f"{place[0]}/{place[1]}"}))


def _last(answer: Answer, rows: Sequence[Row], token: Token) -> Token:
    return [rows[-1]["changed_at"], rows[-1]["id"]] if answer.document["more"] else None


PAGINGS: dict[str, Paging] = {
    "numbers, pages in a header": page_number("page", ("size", SIZE), total_pages="X-Pages"),
    "numbers, pages in the body": page_number("page", ("size", SIZE), total_pages="$.pages"),
    "numbers, rows in a header": page_number("page", ("size", SIZE), total_rows="X-Total"),
    "numbers, rows in the body": page_number("page", ("size", SIZE), total_rows="$.total"),
    "numbers without a total": page_number("page", ("size", SIZE)),
    "numbers from 0": page_number("page0", ("size", SIZE), first=0, total_pages="X-Pages"),
    "numbers from 0 without a total": page_number("page0", ("size", SIZE), first=0),
    "numbers from 0, rows": page_number("page0", ("size", SIZE), first=0, total_rows="$.total"),
    "offset": offset("offset", ("size", SIZE)),
    "offset with a total": offset("offset", ("size", SIZE), total_rows="$.total"),
    "cursor in the query": cursor("$.next", "after", limit=("size", SIZE)),
    "cursor with a flag": cursor("$.next", "after", more="$.more", limit=("size", SIZE)),
    "link in a header": next_link(),
    "keyset": keyset(("changed_at", "id"), _behind, size=SIZE),
    "keyset that ends with an empty page": keyset(("changed_at", "id"), _behind),
    "keyset whose places are told": keyset(_last, _behind),
}
IN_BODY: dict[str, Paging] = {
    "numbers": page_number("page", ("size", SIZE), total_rows="$.total", in_body=True),
    "offset": offset("offset", ("size", SIZE), in_body=True),
    "cursor": cursor("$.next", body="after", limit=("size", SIZE)),
}
ROWS_AT = {"records_jsonpath": "$.data[*]"}


def tied(count: int) -> list[dict[str, Any]]:
    """Rows of which many share one moment."""
    return [thing(n, f"2026-01-01T00:00:{n // 5:02d}Z") for n in range(1, count + 1)]


def wanted(rows: list[dict[str, Any]]) -> list[int]:
    return [row["id"] for row in rows]


@pytest.mark.parametrize("count", [0, 3, 20])
@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("name", PAGINGS)
def test_every_way_of_paging_hands_out_every_row_once_and_in_order(name: str, workers: int, count: int) -> None:
    rows = tied(count)
    params = f"size={SIZE}" if name == "link in a header" else ""
    with source(rows) as shop:
        done = read(shop.url, stream(paging=PAGINGS[name], workers=workers, params=params, **ROWS_AT))
    assert (done.code, ids(done)) == (0, wanted(rows))
    assert shop.flights <= workers


@pytest.mark.parametrize("name", IN_BODY)
def test_pages_may_be_asked_for_in_the_body(name: str) -> None:
    with source(tied(8)) as shop:
        done = read(shop.url, stream(paging=IN_BODY[name], method="POST", body={"kind": "all"}, **ROWS_AT))
    assert ids(done) == wanted(tied(8))
    assert all(call.json["kind"] == "all" for call in shop.calls)


def test_everything_in_one_answer_is_one_request() -> None:
    with source(tied(8)) as shop:
        assert ids(read(shop.url, stream(paging=single_page(), **ROWS_AT))) == wanted(tied(8))
    assert len(shop.calls) == 1


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (2, 1), (3, 1), (4, 2), (6, 2), (9, 3)])
@pytest.mark.parametrize(
    "name", ["numbers, pages in a header", "offset with a total", "cursor in the query", "keyset whose places are told"]
)
def test_where_the_end_is_told_nothing_is_asked_for_behind_it(name: str, count: int, requests: int) -> None:
    with source(tied(count)) as shop:
        read(shop.url, stream(paging=PAGINGS[name], workers=8, **ROWS_AT))
    assert len(shop.calls) == requests


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("count", [5, 6, 11])
@pytest.mark.parametrize("name", [name for name in PAGINGS if name.startswith(("numbers", "offset"))])
def test_a_server_that_hands_out_less_than_was_asked_for_loses_no_row(name: str, count: int, workers: int) -> None:
    with source(tied(count), most=2) as shop:
        done = read(shop.url, stream(paging=PAGINGS[name], workers=workers, **ROWS_AT))
    assert ids(done) == wanted(tied(count))


@settings(max_examples=40, deadline=None)
@given(
    hidden=st.sets(st.integers(1, 30)),
    workers=st.sampled_from([1, 2, 8]),
    name=st.sampled_from(["numbers, pages in a header", "numbers without a total", "offset with a total"]),
)
def test_rows_that_the_server_leaves_out_of_a_page_cost_no_others(hidden: set[int], workers: int, name: str) -> None:
    """As where rights hide rows after the page was cut: pages in the middle are short, even empty ones come."""
    rows = tied(30)
    rows = [row for row in rows if row["id"] not in hidden or (name == "numbers without a total" and row["id"] % SIZE)]

    def cut(call: Call) -> Reply:
        page = int(call.query["page"])
        shown = [row for row in rows if (page - 1) * SIZE < row["id"] <= page * SIZE]
        return Reply({"data": shown}, headers=[("X-Pages", "10")])

    if name == "offset with a total":
        with source(rows) as shop:
            found = read(shop.url, stream(paging=PAGINGS[name], workers=workers, **ROWS_AT))
    else:
        with source([], before=cut) as shop:
            found = read(shop.url, stream(paging=PAGINGS[name], workers=workers, **ROWS_AT))
    assert ids(found) == wanted(rows)


@pytest.mark.parametrize("at", [1, 3, 4])
@pytest.mark.parametrize("workers", [1, 4])
def test_an_offset_goes_on_behind_a_short_page_in_the_middle(at: int, workers: int) -> None:
    """The server drops rows of one page without moving the next: what comes next is counted from what came."""

    def short(call: Call) -> Reply | None:
        start = int(call.query["offset"])
        if start == at * SIZE:
            rows = tied(20)[start : start + 1]
            return Reply({"data": rows, "total": 20})
        return None

    with source(tied(20), before=short) as shop:
        done = read(shop.url, stream(paging=PAGINGS["offset with a total"], workers=workers, **ROWS_AT))
    assert ids(done) == wanted(tied(20))


def test_so_many_requests_are_in_flight_and_no_more() -> None:
    together = threading.Barrier(4)

    def wait(call: Call) -> None:
        if call.query["page"] not in ("1", "10"):
            together.wait(10)

    with source(tied(30), before=wait) as shop:
        done = read(shop.url, stream(paging=PAGINGS["numbers, pages in a header"], workers=4, **ROWS_AT))
    assert ids(done) == wanted(tied(30))
    assert shop.flights == 4


def test_the_setting_workers_lowers_what_the_stream_declares() -> None:
    with source(tied(30)) as shop:
        read(shop.url, stream(paging=PAGINGS["numbers, pages in a header"], workers=8, **ROWS_AT), workers=2)
    assert shop.flights <= 2


def test_a_fault_behind_the_last_page_is_none() -> None:
    """Without a total pages are asked for ahead; some servers answer 404 behind the last."""

    def fault(call: Call) -> Reply | None:
        return Reply({}, 404) if int(call.query["page"]) > 4 else None

    with source(tied(9), before=fault) as shop:
        done = read(shop.url, stream(paging=PAGINGS["numbers without a total"], workers=8, **ROWS_AT))
    assert (done.code, ids(done)) == (0, wanted(tied(9)))


# ------------------------------------------------------------------ circles

STUCK = {"after": "3", "page": "2", "offset": "3"}


def _stuck(call: Call) -> Reply:
    """A cache in front of the server that knows two pages; each says once more when it was asked."""
    first = not any(call.query.get(name) not in (None, "1", "0") for name in STUCK)
    rows = [thing(n, served=call.moment) for n in ((1, 2, 3) if first else (4, 5, 6))]
    return Reply({"data": rows, "next": "3", "total": 20, "pages": 7})


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize(
    "name", ["numbers, pages in the body", "numbers without a total", "offset", "cursor in the query"]
)
def test_a_page_that_comes_again_ends_the_run_before_it_is_written(name: str, workers: int) -> None:
    with source([], before=_stuck) as shop:
        done = read(shop.url, stream(paging=PAGINGS[name], workers=workers, **ROWS_AT))
    assert done.code == 3
    assert ids(done) in ([1, 2, 3], [1, 2, 3, 4, 5, 6])
    assert "repeats an earlier one" in done.last_line or "points back" in done.last_line


def test_pages_whose_keys_lie_deeper_are_told_apart() -> None:
    rows = [thing(n, deep={"id": n}) for n in range(1, 8)]
    for row in rows:
        del row["id"]
    with source(rows) as shop:
        probe = stream(paging=PAGINGS["offset"], values=Values(nested={"id": "deep.id"}, left_out=("deep",)), **ROWS_AT)
        assert ids(read(shop.url, probe)) == list(range(1, 8))


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("http://elsewhere.example/v1/things?page=2", "points to another server"),
        ("//elsewhere.example/v1/things", "points to another server"),
        ("http://127.0.0.1:1/v1/things", "points to another server"),
        ("file:///etc/passwd", "points to another server"),
    ],
)
def test_a_link_that_leaves_the_server_is_not_followed(link: str, told: str) -> None:
    def away(_: Call) -> Reply:
        return Reply({"data": [thing(1)], "next": link})

    with source([], before=away) as shop:
        done = read(shop.url, stream(paging=next_link("$.next"), **ROWS_AT))
    assert done.code == 3
    assert told in done.last_line
    assert len(shop.calls) == 1
