from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.kit.http_server import Call, Reply
from tests.kit.rest_probe import Row, Source, ids, read, source, stream, thing

from snello.kit.rest import Ask, Compare, Paging, RestTap, Retry, cursor, keyset, offset, page_number
from snello.kit.testing import Run

SIZE = 2
DAY = datetime(2026, 1, 1, tzinfo=UTC)


def at(second: float) -> str:
    return (DAY + timedelta(seconds=second)).isoformat()


def _behind(place: Any) -> Ask:
    return Ask({"order": "keyset", "size": SIZE} | ({} if place is None else {"behind": f"{place[0]}/{place[1]}"}))


PAGINGS: dict[str, Paging] = {
    "numbers": page_number("page", ("size", SIZE), total_pages="X-Pages"),
    "offset": offset("offset", ("size", SIZE), total_rows="X-Total"),
    "cursor": cursor("$.next", "after", limit=("size", SIZE)),
    "keyset": keyset(("changed_at", "id"), _behind),
}
BY_TIME = {"replication_key": "changed_at", "since": "since", "since_format": "%Y-%m-%dT%H:%M:%SZ"}
ROWS_AT = {"records_jsonpath": "$.data[*]"}


def probe(paging: str = "numbers", **declared: Any) -> Any:
    return stream(paging=PAGINGS[paging], **{**BY_TIME, **ROWS_AT, **declared})


def bookmark(done: Run) -> Any:
    return done.state["bookmarks"]["things"]


def moments(count: int) -> list[Row]:
    return [thing(n, at(n * 100)) for n in range(1, count + 1)]


def cut_at(shop: Source, number: int) -> None:
    """From its ``number``-th request on the server is gone, until it is mended."""
    begun = len(shop.calls)
    shop.before = lambda _: Reply({}, 503) if len(shop.calls) - begun > number else None


def mend(shop: Source) -> None:
    shop.before = lambda _: None


# ------------------------------------------------------------------ cut off


@pytest.mark.parametrize("cut", range(1, 5))
@pytest.mark.parametrize("paging", PAGINGS)
def test_a_walk_that_was_cut_off_goes_on_at_its_page(paging: str, cut: int) -> None:
    with source(moments(9)) as shop:
        cut_at(shop, cut)
        first = read(shop.url, probe(paging))
        mend(shop)
        asked = len(shop.calls)
        second = read(shop.url, probe(paging), state=first.state)
    assert (first.code, second.code) == (4, 0)
    assert ids(first) + ids(second) == list(range(1, 10))
    assert len(shop.calls) - asked <= 5 - cut + 2
    assert bookmark(second)["replication_key_value"] == at(900)
    assert "resume" not in bookmark(second)


@pytest.mark.parametrize("paging", ["numbers", "offset"])
@pytest.mark.parametrize("change", ["a row went", "a row came"])
def test_a_place_that_has_shifted_meanwhile_is_not_gone_on_from(paging: str, change: str) -> None:
    rows = moments(9)
    with source(rows) as shop:
        cut_at(shop, 2)
        first = read(shop.url, probe(paging))
        mend(shop)
        if change == "a row went":
            del rows[0]
        else:
            rows.insert(0, thing(99, at(50)))
        shop.rows["things"] = rows
        second = read(shop.url, probe(paging), state=first.state)
    assert "reading from the beginning" in second.err
    assert {row["id"] for row in rows} <= {*ids(first), *ids(second)}


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_token_that_is_refused_begins_again(status: int) -> None:
    with source(moments(9)) as shop:
        cut_at(shop, 2)
        first = read(shop.url, probe("cursor"))
        shop.before = lambda call: Reply({}, status) if "after" in call.query and len(shop.calls) == refused else None
        refused = len(shop.calls) + 1
        second = read(shop.url, probe("cursor"), state=first.state)
    assert (second.code, ids(second)) == (0, list(range(1, 10)))


def test_a_token_of_yesterday_is_not_trusted() -> None:
    with source(moments(9)) as shop:
        cut_at(shop, 2)
        first = read(shop.url, probe())
        mend(shop)
        left = bookmark(first)["resume"]
        left["at"] = (datetime.now(UTC) - timedelta(days=2)).isoformat()
        second = read(shop.url, probe(), state=first.state)
    assert ids(second) == list(range(1, 10))


def test_a_token_of_another_listing_is_not_used() -> None:
    with source(moments(9)) as shop:
        cut_at(shop, 2)
        first = read(shop.url, probe())
        mend(shop)
        second = read(shop.url, probe(params="status=open"), state=first.state)
    assert ids(second) == list(range(1, 10))


def test_no_state_says_more_than_was_written_before_it() -> None:
    with source(moments(9)) as shop:
        done = read(shop.url, probe(workers=4))
    written = 0
    told = []
    for message in done.messages:
        if message["type"] == "RECORD":
            written = message["record"]["id"]
        if message["type"] == "STATE":
            state = message["value"]["bookmarks"].get("things", {})
            reached = state.get("resume", {}).get("highest") or state.get("replication_key_value")
            told.append(reached or "")
            assert reached is None or reached <= at(written * 100)
    assert told == sorted(told)
    assert told[-1] == at(900)


# ------------------------------------------------------------------ what changed since


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
    things = stream(
        declared=schema, replication_key="version", since="newer_than", paging=PAGINGS["numbers"], **ROWS_AT
    )
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
    return stream(paging=PAGINGS["cursor"], **{**given, **ROWS_AT, **declared})


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


# ------------------------------------------------------------------ the law

CHANGES = st.lists(
    st.tuples(st.sampled_from(["insert", "update", "touch", "late", "delete"]), st.integers(0, 30), st.booleans()),
    max_size=8,
)
STEPS = st.lists(st.tuples(CHANGES, st.integers(1, 9)), min_size=1, max_size=5)


class World:
    """Rows that change in time; moments are truncated to seconds where the interface shows them."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.clock, self.count = 0.0, 0
        self.begun = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=6)
        for _ in range(9):
            self.change("insert", 0, False)

    def change(self, kind: str, pick: int, same_time: bool) -> None:
        self.clock += 0.0 if same_time else 37.7
        self.count += 1
        known = sorted(self.rows)
        if kind == "delete":
            self.gone(pick)
            return
        number = known[pick % len(known)] if known and kind != "insert" else 1000 + self.count
        moment = int(self.clock) - (20 if kind == "late" else 0)  # a transaction that took its time
        before = self.rows.get(number)
        if kind == "touch" and before:
            moment = int(self.clock)
            self.rows[number] = before | {"changed_at": self.at(moment)}
        else:
            self.rows[number] = thing(number, self.at(max(moment, 0)), name=f"v{self.count}")

    def at(self, second: float) -> str:
        return (self.begun + timedelta(seconds=second)).isoformat()

    @property
    def now(self) -> datetime:
        """The clock, by which runs begin too."""
        return self.begun + timedelta(seconds=self.clock)

    def listing(self) -> list[Row]:
        """In the order of ids, which no update shifts, or of a keyset."""
        return [self.rows[number] for number in sorted(self.rows)]

    def gone(self, pick: int) -> None:
        known = sorted(self.rows)
        if known:
            del self.rows[known[pick % len(known)]]


def consumed(table: dict[int, Row], done: Run) -> None:
    for record in done.records("things"):
        if record.get("_deleted_at"):
            table.pop(record["id"], None)
        else:
            table[record["id"]] = {name: record[name] for name in ("id", "name", "changed_at")}


@settings(max_examples=25, deadline=None)
@given(steps=STEPS, paging=st.sampled_from(["numbers", "offset", "keyset", "cursor"]), workers=st.sampled_from([1, 4]))
def test_after_any_changes_and_cuts_the_copy_equals_the_source(steps: Any, paging: str, workers: int) -> None:
    world, table, state = World(), {}, None
    things = probe(paging, workers=workers, retry=Retry(tries=1))
    begun = property(lambda _: world.now)
    with source([]) as shop, patch.object(RestTap, "started", begun):
        for changes, cut in [*steps, ([], 99)]:
            for change in changes:
                world.change(*change)
            shop.rows["things"] = world.listing()
            cut_at(shop, cut)
            done = read(shop.url, things, state=state)
            consumed(table, done)
            state = done.state or state
    assert {number: table[number] for number in world.rows} == world.rows  # of removals no filter tells


@settings(max_examples=25, deadline=None)
@given(steps=STEPS, gone=st.lists(st.integers(0, 30), max_size=5), workers=st.sampled_from([1, 4]))
def test_after_any_changes_and_cuts_the_compared_copy_equals_the_source(
    steps: Any, gone: list[int], workers: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    memory = str(tmp_path_factory.mktemp("memory"))
    world, table, state = World(), {}, None
    things = stream(
        paging=PAGINGS["offset"], compare=Compare(at_most=1.0), workers=workers, retry=Retry(tries=1), **ROWS_AT
    )
    left, held = list(gone), set[int]()
    with source([]) as shop:
        for changes, cut in [*steps, ([], 99)]:
            for change in changes:
                if change[0] != "delete":
                    world.change(*change)
            if left and (known := sorted(held & world.rows.keys())):  # what an unfinished run alone met is not told of
                del world.rows[known[left.pop() % len(known)]]
            shop.rows["things"] = world.listing()
            cut_at(shop, cut)
            done = read(shop.url, things, state=state, memory=memory)
            consumed(table, done)
            state = done.state or state
            held = set(world.rows) if done.code == 0 else held
    assert table == world.rows


def test_a_state_is_small_whatever_was_read() -> None:
    with source([thing(n, at(100)) for n in range(1, 3000)]) as shop:
        done = read(shop.url, stream(paging=page_number("page", ("size", 500)), **BY_TIME, **ROWS_AT))
    assert len(ids(done)) == 2999
    assert len(json.dumps(done.state)) < 1000
