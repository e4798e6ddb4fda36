from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from tests.kit.http_server import Call, Reply, serving
from tests.kit.rest_probe import BY_TIME, ROWS_AT, Row, at, bookmark, ids, moments, read, source, stream, thing

from snello.kit.rest import cursor, page_number
from snello.kit.rest.bookmarks import Bookmark

SIZE = 2
DAY = datetime(2026, 1, 1, tzinfo=UTC)
NUMBERS = page_number("page", ("size", SIZE), total_pages="X-Pages")
CURSOR = cursor("$.next", "after", limit=("size", SIZE))


def probe(**declared: Any) -> Any:
    return stream(paging=NUMBERS, **{**BY_TIME, **ROWS_AT, **declared})


def test_a_run_begins_a_little_before_the_last_moment_seen_so_that_ties_are_not_lost() -> None:
    rows = [thing(1, "2024-05-01T10:00:00"), thing(2, "2024-05-01T12:30:00"), thing(3, "2024-05-01T09:00:00")]
    with serving(lambda call: Reply(rows)) as server:
        first = read(server.url, stream(replication_key="changed_at", since="since"))
        second = read(server.url, stream(replication_key="changed_at", since="since"), state=first.state)
    assert [call.query for call in server.calls] == [{}, {"since": "2024-05-01T12:29:00Z"}]
    assert second.state["bookmarks"]["things"]["replication_key_value"] == "2024-05-01T12:30:00+00:00"


def test_a_start_date_bounds_the_first_run() -> None:
    with serving(lambda call: Reply([thing(1)])) as server:
        since = {"replication_key": "changed_at", "since": "since", "since_format": "%Y-%m-%d %H:%M"}
        read(server.url, stream(**since), start_date="2024-05-01")
    assert server.calls[0].query == {"since": "2024-04-30 23:59"}


def test_a_row_without_a_moment_does_not_move_the_bookmark() -> None:
    with serving(lambda call: Reply([thing(1, "2024-05-01T10:00:00Z"), thing(2)])) as server:
        done = read(server.url, stream(replication_key="changed_at", since="since"))
    assert ids(done) == [1, 2]
    assert done.state["bookmarks"]["things"]["replication_key_value"] == "2024-05-01T10:00:00+00:00"


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("%Y-%m-%dT%H:%M:%SZ", "2026-01-01T00:07:20Z"),
        ("%d/%m/%Y %H:%M", "01/01/2026 00:07"),
        ("epoch", str(int(DAY.timestamp()) + 440)),
        ("epoch_ms", str(int(DAY.timestamp() + 440) * 1000)),
    ],
)
def test_the_moment_to_ask_from_is_written_as_the_interface_wants(form: str, told: str) -> None:
    with source(moments(5), filters=False) as shop:
        first = read(shop.url, probe(since_format=form))
        asked = len(shop.calls)
        read(shop.url, probe(since_format=form), state=first.state)
    assert shop.asked[asked]["since"] == told


def test_the_overlap_brings_nothing_that_did_not_change() -> None:
    with source(moments(5)) as shop:
        first = read(shop.url, probe())
        second = read(shop.url, probe(), state=first.state)
        third = read(shop.url, probe(), state=second.state)
    assert (ids(first), ids(second), ids(third)) == ([1, 2, 3, 4, 5], [], [])


def test_a_row_that_ties_with_the_bookmark_or_comes_late_is_not_lost() -> None:
    rows = moments(3)
    with source(rows) as shop:
        first = read(shop.url, probe())
        rows += [thing(4, at(300)), thing(5, at(299.5))]
        second = read(shop.url, probe(), state=first.state)
        rows[2]["name"] = "changed within the same second"
        third = read(shop.url, probe(), state=second.state)
    assert (ids(second), ids(third)) == ([4, 5], [3])


def test_a_row_dated_in_the_future_holds_nothing_up_and_is_not_sent_again() -> None:
    rows = [*moments(3), thing(4, "2099-01-01T00:00:00+00:00")]
    with source(rows) as shop:
        first = read(shop.url, probe())
        rows.append(thing(5, datetime.now(UTC).isoformat()))
        second = read(shop.url, probe(), state=first.state)
        third = read(shop.url, probe(), state=second.state)
    assert bookmark(first)["replication_key_value"] < datetime.now(UTC).isoformat()
    assert (ids(second), ids(third)) == ([5], [])


def test_a_growing_number_is_a_bookmark_too() -> None:
    schema = {"type": "object", "properties": {"id": {"type": "integer"}, "version": {"type": "integer"}}}
    things = stream(declared=schema, replication_key="version", since="newer_than", paging=NUMBERS, **ROWS_AT)
    with source([{"id": n, "version": n * 10} for n in range(1, 6)]) as shop:
        first = read(shop.url, things)
        asked = len(shop.calls)
        read(shop.url, things, state=first.state)
    assert bookmark(first)["replication_key_value"] == 50
    assert shop.asked[asked]["newer_than"] == "50"


def test_a_key_that_changes_its_type_ends_nothing() -> None:
    rows: list[Row] = [thing(1, at(1)), {"id": 2, "changed_at": 17}, thing(3, at(3))]
    with source(rows, filters=False) as shop:
        done = read(shop.url, probe())
    assert (done.code, ids(done), len(done.records("_quarantine"))) == (0, [1, 3], 1)
    assert bookmark(done)["replication_key_value"] == at(3)


# ------------------------------------------------------------------ newest first


def newest(**declared: Any) -> Any:
    given = {"replication_key": "changed_at", "newest_first": True, "params": "order=newest"}
    return stream(paging=CURSOR, **{**given, **ROWS_AT, **declared})


def test_newest_first_is_read_down_to_what_was_seen() -> None:
    rows = moments(20)
    with source(rows) as shop:
        first = read(shop.url, newest())
        rows += [thing(21, at(2100)), thing(22, at(2000))]
        asked = len(shop.calls)
        second = read(shop.url, newest(), state=first.state)
    assert sorted(ids(first)) == list(range(1, 21))
    assert sorted(ids(second)) == [21, 22]
    assert len(shop.calls) - asked <= 3


def test_an_old_row_pinned_to_the_top_hides_no_new_one() -> None:
    rows = moments(6)

    def pinned(call: Call) -> Reply | None:
        listed = [thing(0, at(0)), *sorted(rows, key=lambda row: -row["id"])]
        start = int(call.query.get("after", 0))
        after = str(start + SIZE) if start + SIZE < len(listed) else None
        return Reply({"data": listed[start : start + SIZE], "next": after})

    with source([], before=pinned) as shop:
        first = read(shop.url, newest())
        rows += [thing(n, at(n * 100)) for n in (7, 8, 9)]
        second = read(shop.url, newest(), state=first.state)
    assert sorted(ids(second)) == [7, 8, 9]


# ------------------------------------------------------------------ the server's clock


@pytest.mark.parametrize("behind", [timedelta(hours=2), timedelta(seconds=61)])
def test_a_start_is_held_back_to_a_clock_that_is_behind(behind: timedelta) -> None:
    now = datetime.now(UTC)
    held = _after(format_datetime(now - behind, usegmt=True), now)
    assert now - behind - timedelta(seconds=2) <= held <= now - behind + timedelta(seconds=2)


@pytest.mark.parametrize("date", [None, "", "yesterday", "in step", "ahead", "little"])
def test_a_clock_that_is_not_behind_moves_no_start(date: str | None) -> None:
    now = datetime.now(UTC)
    ways = {"in step": timedelta(), "ahead": timedelta(hours=2), "little": timedelta(seconds=-30)}
    told = format_datetime(now + ways[date], usegmt=True) if date in ways else date
    assert _after(told, now) == now


def test_a_walk_that_goes_on_keeps_the_start_that_was_held_back() -> None:
    now = datetime.now(UTC)
    first = Bookmark({}, "changed_at", timedelta(minutes=1), "", now)
    first.begin(None)
    first.heard(format_datetime(now - timedelta(hours=1), usegmt=True))
    first.note(2)
    second = Bookmark(first.state, "changed_at", timedelta(minutes=1), "", now)
    second.begin(None)
    second.heard(format_datetime(now - timedelta(hours=1), usegmt=True))
    assert second.started == first.started < now


def _after(date: str | None, started: datetime) -> datetime:
    """The start after two answers, of which the first counts."""
    told = Bookmark({}, "changed_at", timedelta(minutes=1), "", started)
    told.begin(None)
    told.heard(date)
    told.heard(format_datetime(started - timedelta(days=9), usegmt=True))
    return told.started
