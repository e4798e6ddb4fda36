from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.kit.http_server import Reply
from tests.kit.rest_probe import BY_TIME, ROWS_AT, Row, Source, at, bookmark, ids, moments, read, source, stream, thing

from snello.kit.rest import Ask, Compare, Paging, RestTap, Retry, cursor, keyset, offset, page_number
from snello.kit.testing import Run

SIZE = 2


def _behind(place: Any) -> Ask:
    return Ask({"order": "keyset", "size": SIZE} | ({} if place is None else {"behind": f"{place[0]}/{place[1]}"}))


PAGINGS: dict[str, Paging] = {
    "numbers": page_number("page", ("size", SIZE), total_pages="X-Pages"),
    "offset": offset("offset", ("size", SIZE), total_rows="X-Total"),
    "cursor": cursor("$.next", "after", limit=("size", SIZE)),
    "keyset": keyset(("changed_at", "id"), _behind),
}


def probe(paging: str = "numbers", **declared: Any) -> Any:
    return stream(paging=PAGINGS[paging], **{**BY_TIME, **ROWS_AT, **declared})


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


@pytest.mark.parametrize("other", [{"method": "POST"}, {"body": {"status": "open"}}])
def test_a_token_of_another_question_is_not_used(other: dict[str, Any]) -> None:
    asked = {"method": "POST", "body": {"status": "all"}}
    with source(moments(9)) as shop:
        cut_at(shop, 2)
        first = read(shop.url, probe(**({} if "method" in other else asked)))
        mend(shop)
        second = read(shop.url, probe(**{**({} if "method" in other else asked), **other}), state=first.state)
    assert ids(second) == list(range(1, 10))


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
@example(steps=[([], 1), ([("update", 0, False)], 1)], paging="numbers", workers=1)
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
