"""Batches under way at once: what is promised of one at a time holds of many."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from tests.kit.channel_stage import SYNC, Rows, deliver, held, ledger_in, proofs, removal, upsert

from snello.activation import Change
from snello.errors import RetryLater
from snello.kit.channel import BatchRefused
from snello.kit.channel.http import TooSlow


def batches(count: int, size: int = 4, run: int = 1) -> list[list[Change]]:
    return [[upsert(f"c{b:02}{n}", f"f{run}", run) for n in range(size)] for b in range(count)]


def test_as_many_calls_are_under_way_as_the_sink_takes_and_no_more(tmp_path: Path) -> None:
    sink, together = Rows(parallel=3), threading.Barrier(3)

    def meet(op: str, changes: Sequence[Change]) -> None:
        together.wait(30)  # breaks, and the test with it, unless three calls are under way

    sink.before = meet
    with ledger_in(tmp_path) as ledger:
        delivery = deliver(ledger, sink, *batches(9))
        assert held(ledger) == sink.rows
        assert (len(sink.rows), delivery.book.tally["delivered", "upsert"]) == (36, 36)
        assert len(proofs(ledger)) == 36


def test_every_row_is_in_doubt_in_the_ledger_before_its_call_begins(tmp_path: Path) -> None:
    sink, seen = Rows(parallel=3), []
    with ledger_in(tmp_path) as ledger:

        def look(op: str, changes: Sequence[Change]) -> None:
            with sink.lock:
                rows = ledger.lookup(SYNC, [change.key for change in changes])
                seen.append({row["status"] for row in rows.values()} | {len(rows) == len(changes)})

        sink.before = look
        deliver(ledger, sink, *batches(7))
    assert seen == [{"in_doubt", True}] * 7


def test_removals_are_all_settled_before_the_first_upsert_begins(tmp_path: Path) -> None:
    sink, open_at_upsert = Rows(parallel=4), []
    with ledger_in(tmp_path) as ledger:
        deliver(ledger, sink, *batches(4))

        def look(op: str, changes: Sequence[Change]) -> None:
            if op == "upsert":
                with sink.lock:
                    open_at_upsert.append(ledger.standing(SYNC).get(("remove", "in_doubt", ""), 0))

        sink.before = look
        gone = [[removal(change.key, 2) for change in batch] for batch in batches(4)]
        deliver(ledger, sink, *gone, [upsert("new1", run=2)], [upsert("new2", run=2)])
        assert held(ledger) == sink.rows == {"new1": "f1", "new2": "f1"}
    assert open_at_upsert == [0, 0]


def test_a_key_that_comes_again_waits_until_its_first_call_is_settled(tmp_path: Path) -> None:
    sink = Rows(parallel=4)
    with ledger_in(tmp_path) as ledger:
        deliver(ledger, sink, [upsert("c1", "f1")], [upsert("c1", "f2")], [upsert("c1", "f2")])
        assert held(ledger) == sink.rows == {"c1": "f2"}
        assert len(sink.calls) == 2


def test_the_first_fault_stops_new_calls_and_those_under_way_are_settled(tmp_path: Path) -> None:
    sink, begun = Rows(parallel=2), threading.Barrier(2)

    def down(op: str, changes: Sequence[Change]) -> None:
        if changes[0].key in ("c000", "c010"):
            begun.wait(30)
        if changes[0].key == "c000":
            raise RetryLater("rows", "503", "run again later")

    sink.before = down
    with ledger_in(tmp_path) as ledger:
        with pytest.raises(RetryLater, match="503"):
            deliver(ledger, sink, *batches(20))
        standing = ledger.standing(SYNC)
        assert ("upsert", "in_doubt", "") not in standing
        assert standing["upsert", "retrying", "unreachable"] >= 4
        assert held(ledger) == sink.rows
        sink.before = lambda op, changes: None
        deliver(ledger, sink, *batches(20, run=2))
        assert held(ledger) == sink.rows
        assert len(sink.rows) == 80


def test_a_fault_that_nobody_foresaw_leaves_its_rows_in_doubt_and_settles_the_others(tmp_path: Path) -> None:
    sink = Rows(parallel=2)

    def broken(op: str, changes: Sequence[Change]) -> None:
        if changes[0].key == "c010":
            raise KeyError("a fault in the sink")

    sink.before = broken
    with ledger_in(tmp_path) as ledger:
        with pytest.raises(KeyError):
            deliver(ledger, sink, *batches(2))
        assert ledger.standing(SYNC)["upsert", "in_doubt", ""] == 4
        assert len(held(ledger)) == 4


def test_a_guilty_row_is_found_while_other_batches_travel(tmp_path: Path) -> None:
    sink = Rows(parallel=3)

    def picky(op: str, changes: Sequence[Change]) -> None:
        if any(change.key == "c012" for change in changes):
            raise BatchRefused("bad_row", 422)

    sink.before = picky
    with ledger_in(tmp_path) as ledger:
        deliver(ledger, sink, *batches(6))
        assert held(ledger) == sink.rows
        assert [proof for proof in proofs(ledger) if proof[2] != "delivered"] == [
            ("c012", "upsert", "refused", "bad_row")
        ]
        assert len(sink.rows) == 23


def test_a_body_that_is_too_large_makes_the_next_ones_smaller_and_they_grow_again(tmp_path: Path) -> None:
    sink = Rows()
    sink.max_size = 40

    def narrow(op: str, changes: Sequence[Change]) -> None:
        if len(changes) > 10:
            raise BatchRefused("too_large", 413)

    sink.before = narrow
    with ledger_in(tmp_path) as ledger:
        delivery = deliver(ledger, sink, [upsert(f"c{n}") for n in range(40)])
        assert delivery.sizing.now == 12
        assert held(ledger) == sink.rows
        assert len(sink.rows) == 40


def test_rows_whose_answer_never_came_twice_are_sent_in_smaller_batches_by_later_runs(tmp_path: Path) -> None:
    sink = Rows()

    def slow(op: str, changes: Sequence[Change]) -> None:
        if len(changes) > 1:
            raise TooSlow("rows", "no answer within 30 s", "run again later")

    sink.before = slow
    with ledger_in(tmp_path) as ledger:
        sizes = []
        for run in range(1, 5):
            with suppress(TooSlow):
                deliver(ledger, sink, [upsert(f"c{n}", run=run) for n in range(4)])
            sizes.append(len(sink.calls[-1][1]))
        assert sizes == [4, 4, 2, 1]
        assert held(ledger) == sink.rows
        assert len(sink.rows) == 4


def test_rows_that_the_channel_holds_are_all_settled_before_the_first_new_one_begins(tmp_path: Path) -> None:
    sink, open_at_new = Rows(parallel=4), []
    with ledger_in(tmp_path) as ledger:
        deliver(ledger, sink, *batches(3))

        def look(op: str, changes: Sequence[Change]) -> None:
            if any(change.key.startswith("newborn") for change in changes):
                with sink.lock:
                    elders = ledger.lookup(SYNC, [change.key for batch in batches(3) for change in batch])
                    open_at_new.append([key for key, row in elders.items() if row["status"] == "in_doubt"])

        sink.before = look
        changed = [change for batch in batches(3, run=2) for change in batch]
        born = [upsert(f"newborn{n}", run=2) for n in range(6)]
        deliver(ledger, sink, changed[:4], changed[4:8], [*changed[8:], *born[:2]], born[2:4], born[4:])
        assert held(ledger) == sink.rows
        assert len(sink.rows) == 18
    assert open_at_new == [[], [], []]


def test_a_batch_in_doubt_of_held_and_new_rows_goes_whole_and_alone_under_its_key(tmp_path: Path) -> None:
    sink, keys = Rows(parallel=4), []
    with ledger_in(tmp_path) as ledger:
        deliver(ledger, sink, [upsert("elder")])
        both = [upsert("elder", "f2", 2), upsert("newborn", "f2", 2)]
        serial = Rows()

        def dies(op: str, changes: Sequence[Change]) -> None:
            keys.append(serial.batch_id)
            raise KeyboardInterrupt

        serial.before = dies
        with suppress(KeyboardInterrupt):
            deliver(ledger, serial, both)

        def look(op: str, changes: Sequence[Change]) -> None:
            keys.append(sink.batch_id)
            row = ledger.lookup(SYNC, ["newborn"])["newborn"]
            assert (row["status"] == "in_doubt") == (changes[0].key != "later"), "somebody else is under way"

        sink.before = look
        deliver(ledger, sink, [upsert(c.key, c.fingerprint or "", 3) for c in both], [upsert("later", run=3)])
        assert held(ledger) == sink.rows == {"elder": "f2", "newborn": "f2", "later": "f1"}
    assert keys[0] == keys[1] != keys[2]
