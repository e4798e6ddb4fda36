"""A customer who is another now, or nobody any more: renamed in the channel, or forgotten by it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.kit.channel_stage import SYNC, Renaming, Rows, deliver, held, ledger_in, proofs, removal, upsert

from snello.activation import Verdict


def test_a_channel_that_can_rename_is_told_the_old_key_and_the_remote_id_is_carried_on(tmp_path: Path) -> None:
    sink = Renaming()
    with ledger_in(tmp_path) as ledger:
        sink.upsert = lambda changes: [Verdict.delivered("young", "77")]  # type: ignore[method-assign]
        deliver(ledger, sink, [upsert("young")])
        deliver(ledger, sink, [upsert("elder", "f2", 2, moved_from="young")])
        rows = ledger.lookup(SYNC, ["young", "elder"])
        assert sink.rows == held(ledger) == {"elder": "f2"}
        assert rows.keys() == {"elder"}
        assert rows["elder"]["remote_id"] == "77"
        assert proofs(ledger)[1:] == [("elder", "upsert", "delivered", ""), ("young", "remove", "delivered", "moved")]


def test_a_channel_that_cannot_rename_loses_the_old_row_before_it_gets_the_new_one(tmp_path: Path) -> None:
    sink = Rows(parallel=3)
    with ledger_in(tmp_path) as ledger:
        deliver(ledger, sink, [upsert("young1"), upsert("young2")])
        moves = [upsert(f"elder{n}", "f2", 2, moved_from=f"young{n}") for n in (1, 2)]
        deliver(ledger, sink, moves)
        assert sink.rows == held(ledger) == {"elder1": "f2", "elder2": "f2"}
        assert sink.calls[1:] == [("remove", ["young1", "young2"]), ("upsert", ["elder1", "elder2"])]
        assert ("young1", "remove", "delivered", "moved") in proofs(ledger)


@pytest.mark.parametrize("kind", [Rows, Renaming])
def test_a_move_that_is_replayed_sends_nothing(tmp_path: Path, kind: type[Rows]) -> None:
    sink, move = kind(), [upsert("elder", "f2", 2, moved_from="young")]
    with ledger_in(tmp_path) as ledger:
        deliver(ledger, sink, [upsert("young")], move)
        calls = len(sink.calls)
        deliver(ledger, sink, move)
        assert len(sink.calls) == calls


def test_who_is_erased_is_forgotten_and_not_only_taken_off_the_list(tmp_path: Path) -> None:
    sink = Rows()
    with ledger_in(tmp_path) as ledger:
        deliver(ledger, sink, [upsert("c1"), upsert("c2"), upsert("c3")])
        deliver(ledger, sink, [removal("c1", 2)], [removal("c2", 2, "erased")])
        assert sink.calls[1:] == [("remove", ["c1"]), ("erase", ["c2"])]
        assert ("c2", "remove", "delivered", "erased") in proofs(ledger)
        assert sink.rows == held(ledger) == {"c3": "f1"}


@pytest.mark.parametrize("mode", ["insert", "append"])
def test_in_modes_that_send_once_another_payload_is_not_sent(tmp_path: Path, mode: str) -> None:
    sink = Rows()
    with ledger_in(tmp_path) as ledger:
        deliver(ledger, sink, [upsert("c1", mode=mode)])
        deliver(ledger, sink, [upsert("c1", "f2", 2, mode=mode)])
        assert sink.rows == {"c1": "f1"}
        assert len(sink.calls) == 1


def test_a_delivered_contact_is_counted_once_with_the_person_that_the_row_names(tmp_path: Path) -> None:
    sink = Rows()
    event = {"customer": "ada", "contact": True, "channel": "email", "mode": "append"}
    with ledger_in(tmp_path) as ledger:
        deliver(ledger, sink, [upsert("event1", **event)])
        deliver(ledger, sink, [upsert("event1", run=2, **event)])
        from snello.activation.tables import contacts

        with ledger.engine.connect() as connection:
            rows = connection.execute(contacts.select()).mappings().all()
        assert [(row["customer"], row["channel"], row["key"]) for row in rows] == [("ada", "email", "event1")]
        assert ledger.lookup(SYNC, ["event1"])["event1"]["customer"] == "ada"


def test_what_the_channel_has_already_is_not_repeated_where_it_can_be_read(tmp_path: Path) -> None:
    sink = Rows()
    with ledger_in(tmp_path) as ledger:

        def dies(op: str, changes: object) -> None:
            raise KeyboardInterrupt

        sink.before = dies
        with pytest.raises(KeyboardInterrupt):
            deliver(ledger, sink, [upsert("c1"), upsert("c2")])
        sink.before = lambda op, changes: None
        asked = []

        def find(changes: list[object]) -> list[Verdict]:
            asked.extend(changes)
            return [Verdict.delivered("c1", "9")]

        sink.find = find  # type: ignore[method-assign,assignment]
        deliver(ledger, sink, [upsert("c1", run=2), upsert("c2", run=2), upsert("c3", run=2)])
        assert len(asked) == 2
        assert sink.calls[-1] == ("upsert", ["c2", "c3"])
        assert held(ledger).keys() == {"c1", "c2", "c3"}
        assert ledger.lookup(SYNC, ["c1"])["c1"]["remote_id"] == "9"


def test_keys_that_the_channel_writes_in_its_own_way_are_known_again(tmp_path: Path) -> None:
    class Shouting(Rows):
        def upsert(self, changes: object) -> list[Verdict]:
            return [Verdict.delivered(change.key.upper()) for change in changes]  # type: ignore[attr-defined]

        def canonical(self, key: str) -> str:
            return key.lower()

    with ledger_in(tmp_path) as ledger:
        deliver(ledger, Shouting(), [upsert("c1"), upsert("c2")])
        assert held(ledger).keys() == {"c1", "c2"}
