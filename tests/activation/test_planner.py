from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pytest
from tests.activation.staging import alias, end, held, people, planned, rows_of, run, told

from snello.activation.opening import run_id_after
from snello.activation.planner import Edition, Planner
from snello.activation.sync import Mode
from snello.activation.tombstones import erased_keys
from snello.errors import RetryLater
from snello.kit.channel.rehearsal import SALT, Rehearsal

pytestmark = pytest.mark.usefixtures("on_both")


@pytest.fixture
def stage(tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path, purpose="email_marketing", channel="email")


# ---- merges and splits


def test_a_merged_customer_moves_in_the_channel_and_a_split_one_is_there_again(stage: Rehearsal) -> None:
    stage.publish(people("elder", "younger", "other"))
    run(stage)
    stage.publish(people("elder", "other"))
    alias(stage, {"younger": "elder"})
    assert run(stage) == [("remove", "younger", "merged")]
    stage.publish(people("elder", "younger", "other"))
    alias(stage, {})
    assert run(stage) == [("upsert", "younger", "")]
    assert held(stage) == {"elder", "younger", "other"}


def test_a_row_that_moved_stays_with_the_elder_when_the_two_part_again(stage: Rehearsal) -> None:
    stage.publish(people("younger"))
    run(stage)
    stage.publish(people("elder"))
    alias(stage, {"younger": "elder"})
    assert run(stage) == [("upsert", "elder", "younger")]
    assert held(stage) == {"elder"}
    stage.publish(people("elder", since="before") + people("younger", since="now"))
    alias(stage, {})
    assert run(stage) == [("upsert", "elder", ""), ("upsert", "younger", "")]
    assert run(stage) == []


def test_the_row_of_somebody_merged_is_judged_by_the_consent_of_who_it_is_now(stage: Rehearsal) -> None:
    stage.terms["mode"] = "upsert"
    stage.publish(people("younger"))
    run(stage)
    alias(stage, {"younger": "elder"})
    stage.publish(people("another"), others=["elder"])
    assert run(stage) == [("upsert", "another", "")]
    stage.publish(people("another"), refusing=["elder"])
    assert run(stage) == [("remove", "younger", "no_consent")]


# ---- modes


def test_an_event_is_sent_once_and_stays_whoever_withdraws(stage: Rehearsal) -> None:
    stage.terms |= {"mode": "append", "key": "event"}
    stage.publish([{"event": f"e{n}", "customer_id": f"c{n}"} for n in range(3)])
    assert len(run(stage)) == 3
    stage.publish([{"event": f"e{n}", "customer_id": f"c{n}", "more": n} for n in range(4)], refusing=["c0"])
    assert run(stage) == [("upsert", "e3", "")]


def test_a_replacement_travels_whole_with_its_mode_on_each_row(stage: Rehearsal) -> None:
    stage.terms["mode"] = "replace"
    stage.publish(people("c1", "c2"))
    run(stage)
    assert run(stage) == []
    stage.publish(people("c1", "c2", "c3"))
    plan = planned(stage)
    assert told(plan) == [("upsert", key, "") for key in ("c1", "c2", "c3")]
    assert {row["_mode"] for row in rows_of(plan)} == {"replace"}
    assert (plan.figures.upserts, plan.upserts) == (1, 3)


def test_a_row_that_the_channel_does_not_have_is_asked_for_again_after_a_day(stage: Rehearsal) -> None:
    stage.terms["mode"] = "update"
    stage.publish(people("c1"))
    end(stage, planned(stage), status="refused", code="not_there")
    assert told(planned(stage)) == []
    backdate(stage, timedelta(days=1))
    assert told(planned(stage)) == [("upsert", "c1", "")]


@pytest.mark.parametrize("mode", get_args(Mode))
def test_two_runs_at_once_are_one_run_and_a_word_in_every_mode(stage: Rehearsal, mode: str) -> None:
    stage.terms["mode"] = mode
    stage.publish(people("c1"))
    with closing(stage.ledger()) as first:
        Planner(stage.lake, first, SALT).plan(stage.sync)
        with pytest.raises(RetryLater, match="another run of it is under way"):
            planned(stage)


@pytest.mark.parametrize("mode", get_args(Mode))
def test_who_was_erased_leaves_the_channel_in_every_mode(stage: Rehearsal, mode: str) -> None:
    stage.terms["mode"] = mode
    stage.publish(people("c1", "c2"))
    run(stage)
    with closing(stage.ledger()) as ledger, ledger.engine.begin() as connection:
        connection.execute(erased_keys.insert(), {"sync": stage.sync, "key": "c1", "erasure": "e"})
    assert run(stage)[0] == ("remove", "c1", "erased")
    assert run(stage) == []


def test_a_limit_holds_back_neither_who_was_erased_nor_the_row_of_somebody_merged(stage: Rehearsal) -> None:
    stage.publish(people("aa", "elder", "younger", "zz"))
    run(stage)
    stage.publish(people("elder", "new"), others=["aa", "zz"])
    alias(stage, {"younger": "elder"})
    with closing(stage.ledger()) as ledger, ledger.engine.begin() as connection:
        connection.execute(erased_keys.insert(), {"sync": stage.sync, "key": "zz", "erasure": "e"})
    assert told(planned(stage, limit=1)) == [("remove", "zz", "erased"), ("upsert", "new", "")]
    stage.publish(people("elder", "new", name="Ada"), others=["aa", "zz"])
    assert told(planned(stage, limit=1)) == [
        ("remove", "zz", "erased"),
        ("remove", "younger", "merged"),
        ("upsert", "elder", ""),
    ]


# ---- what earlier runs left


def backdate(stage: Rehearsal, by: timedelta) -> None:
    """Make everything in the ledger so much older."""
    with closing(stage.ledger()) as ledger, ledger.engine.begin() as connection:
        for table, column in (("deliveries", "updated_at"), ("receipts", "at"), ("runs", "started_at")):
            if ledger.engine.dialect.name == "postgresql":
                shift = f"{column} - interval '{by.total_seconds()} seconds'"
            else:
                shift = f"strftime('%Y-%m-%d %H:%M:%f000', {column}, '-{by.total_seconds()} seconds')"
            connection.exec_driver_sql(f"update {table} set {column} = {shift}")


def standing(stage: Rehearsal) -> dict[tuple[str, str, str], int]:
    with closing(stage.ledger()) as ledger:
        return ledger.standing(stage.sync)


def receipts(stage: Rehearsal) -> list[tuple[str, str, str]]:
    with closing(stage.ledger()) as ledger:
        return [(row["key"], row["status"], row["code"]) for row in ledger.receipts(stage.sync)]


def test_a_row_put_off_for_too_long_is_dead_until_its_payload_changes(stage: Rehearsal) -> None:
    stage.terms["expire_days"] = 3
    stage.publish(people("c1"))
    end(stage, planned(stage), status="retrying", code="busy")
    backdate(stage, timedelta(days=2))
    end(stage, planned(stage), status="retrying", code="busy")
    assert standing(stage) == {("upsert", "retrying", "busy"): 1}
    backdate(stage, timedelta(days=2))
    assert told(planned(stage)) == []
    assert standing(stage) == {("upsert", "dead", "expired"): 1}
    assert receipts(stage)[0] == ("c1", "dead", "expired")
    assert told(planned(stage)) == []
    assert receipts(stage)[:2] == [("c1", "dead", "expired"), ("c1", "retrying", "busy")]
    stage.publish(people("c1", name="Ada"))
    assert told(planned(stage)) == [("upsert", "c1", "")]


@pytest.mark.parametrize(("status", "code"), [("in_doubt", ""), ("retrying", "timeout"), ("retrying", "no_verdict")])
def test_a_row_given_up_that_may_have_arrived_is_removed_when_the_person_withdraws(
    stage: Rehearsal, status: str, code: str
) -> None:
    stage.terms["expire_days"] = 1
    stage.publish(people("c1", "c2"))
    end(stage, planned(stage), status="retrying", code="busy")
    end(stage, planned(stage), status=status, code=code)
    backdate(stage, timedelta(days=2))
    assert told(planned(stage)) == []
    stage.publish(people("c2"), refusing=["c1"])
    assert told(planned(stage)) == [("remove", "c1", "no_consent")]


def test_a_preview_gives_nothing_up(stage: Rehearsal) -> None:
    stage.terms["expire_days"] = 1
    stage.publish(people("c1"))
    end(stage, planned(stage), status="retrying")
    backdate(stage, timedelta(days=2))
    with closing(stage.ledger()) as ledger:
        assert told(Planner(stage.lake, ledger, SALT).preview(stage.sync)) == []
    assert standing(stage) == {("upsert", "retrying", ""): 1}


def test_a_try_that_another_payload_takes_the_place_of_has_one_receipt_of_it(stage: Rehearsal) -> None:
    stage.publish(people("c1", "c2"))
    end(stage, planned(stage), status="refused", code="invalid_email")
    stage.publish(people("c1", "c2", name="Ada"))
    planned(stage)
    planned(stage)
    assert sorted(receipts(stage)[:2]) == [("c1", "superseded", ""), ("c2", "superseded", "")]
    assert [status for _, status, _ in receipts(stage)].count("superseded") == 2


def test_a_removal_takes_the_place_of_an_upsert_that_was_put_off(stage: Rehearsal) -> None:
    stage.publish(people("c1", "c2"))
    end(stage, planned(stage), status="retrying")
    stage.publish(people("c2"), others=["c1"])
    assert told(planned(stage))[0] == ("remove", "c1", "left_audience")
    assert receipts(stage)[0] == ("c1", "superseded", "")


# ---- a clock, a publication and columns that change


def test_names_of_runs_go_forward_when_the_clock_goes_back() -> None:
    now = run_id_after(None)
    ahead = f"{datetime.now(UTC) + timedelta(days=30):%Y%m%dT%H%M%S%f}-abcdef"
    assert now < run_id_after(now) < ahead < run_id_after(ahead)
    assert run_id_after(run_id_after(ahead))[:8] == ahead[:8]
    assert run_id_after("a name of another kind") > now


def test_a_run_follows_the_last_one_of_a_clock_that_was_set_back(stage: Rehearsal) -> None:
    stage.publish(people("c1"))
    with closing(stage.ledger()) as ledger:
        ledger.start({"run_id": "20990101T000000000000-ffffff", "sync": stage.sync})
    assert planned(stage).run_id.startswith("20990101T000000000001-")
    with closing(stage.ledger()) as ledger:
        assert ledger.recent_runs(limit=1)[0]["outcome"] == "running"


def test_a_run_delivers_the_publication_that_it_planned(stage: Rehearsal) -> None:
    first = stage.publish(people("c1"))
    edition = Edition(stage.lake)
    stage.publish(people("c1", "c2"))
    with closing(stage.ledger()) as ledger:
        plan = Planner(edition, ledger, SALT).plan(stage.sync)
        stage.publish(people("c3"))
    assert (plan.publication, told(plan)) == (first, [("upsert", "c1", "")])


@pytest.mark.parametrize(
    ("row", "note"),
    [
        ({"visits": "three"}, "column visits is string now and was int64"),
        ({}, "column visits is gone"),
        ({"visits": 3, "name": "Ada"}, "column name is new (string)"),
    ],
)
def test_a_column_that_changed_since_the_run_before_is_told(stage: Rehearsal, row: dict[str, Any], note: str) -> None:
    stage.publish(people("c1", visits=3))
    assert planned(stage).notes == ()
    stage.publish(people("c1", **row))
    assert planned(stage).notes == (note,)
    assert planned(stage).notes == ()


def test_an_audience_of_decimals_keeps_its_columns_between_runs(stage: Rehearsal) -> None:
    schema = pa.schema([("customer_id", pa.string()), ("paid", pa.decimal128(9, 2))])
    stage.publish([{"customer_id": "c1", "paid": None}], schema=schema)
    run(stage)
    assert planned(stage).notes == ()
