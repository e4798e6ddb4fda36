from __future__ import annotations

import random
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import select, text, update
from tests.activation.gating import codes, contacted, deliver, kept, people, planned, sent, stage_of

from snello.activation.tables import reservations, runs
from snello.kit.channel.rehearsal import SALT, Rehearsal

pytestmark = pytest.mark.usefixtures("on_both")

NOW = datetime.now(UTC)
ONCE_A_WEEK = {"at_most": 1, "days": 7}


def contacting(folder: Path, **terms: Any) -> Rehearsal:
    return stage_of(folder, **{"contact": True, "pressure": ONCE_A_WEEK, "max_growth_share": 9, **terms})


def touch(stage: Rehearsal, **ago: float) -> None:
    """Contacts through another channel, days ago."""
    ledger = stage.ledger()
    for who, days in ago.items():
        contacted(ledger, {who: NOW - timedelta(days=days)})
    ledger.close()


def publish_both(stage: Rehearsal, mine: list[dict[str, Any]], theirs: list[dict[str, Any]], **terms: Any) -> None:
    """Publish the stage's audience and that of another sync, sms__offer."""
    everybody = {row["customer_id"] for row in (*mine, *theirs)}
    stage.publish(mine, others=everybody)
    other = {**stage.terms, **terms}
    tables = {"activation/sms__offer": pa.Table.from_pylist(theirs)}
    stage.lake.publish(tables, run_id="both", syncs={stage.sync: stage.terms, "sms__offer": other})


def test_who_was_contacted_lately_through_any_channel_waits_until_the_days_are_over(tmp_path: Path) -> None:
    stage = contacting(tmp_path)
    stage.publish(people(4))
    touch(stage, c0000=1, c0001=6.9, c0002=7.1)
    plan = planned(stage)
    assert kept(plan) == {"c0000": ("pressure", "pressure", True), "c0001": ("pressure", "pressure", True)}
    assert sent(plan) == {"c0002": "upsert", "c0003": "upsert"}


def test_who_waits_keeps_what_the_channel_holds_and_gets_the_change_later(tmp_path: Path) -> None:
    stage = contacting(tmp_path)
    stage.publish(people(2))
    deliver(stage, planned(stage))
    stage.publish(people(2, city="Bari"))
    assert codes(planned(stage)) == {"c0000": "pressure", "c0001": "pressure"}
    assert sent(planned(stage)) == {}
    ledger = stage.ledger()
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("delete from contacts")
    ledger.close()
    assert sent(planned(stage)) == {"c0000": "upsert", "c0001": "upsert"}


def test_whom_nothing_is_to_be_sent_does_not_wait(tmp_path: Path) -> None:
    stage = contacting(tmp_path)
    stage.publish(people(3))
    deliver(stage, planned(stage))
    plan = planned(stage)
    assert (kept(plan), sent(plan)) == ({}, {})


def test_contacts_of_customers_who_became_one_are_counted_together(tmp_path: Path) -> None:
    stage = contacting(tmp_path, pressure={"at_most": 2, "days": 7})
    stage.publish(people(2))
    aliases = pa.table({"alias": ["c9"], "customer_id": ["c0001"]})
    stage.lake.publish({"customer_aliases": aliases}, run_id="aliases")
    touch(stage, c9=1, c0001=2)
    assert codes(planned(stage)) == {"c0001": "pressure"}


def test_of_many_events_of_one_person_the_first_by_key_fill_what_is_left(tmp_path: Path) -> None:
    stage = contacting(tmp_path, key="event", mode="append", pressure={"at_most": 3, "days": 7})
    stage.publish([{"event": f"e{n}", "customer_id": "c1"} for n in (4, 2, 3, 1)])
    touch(stage, c1=1)
    plan = planned(stage)
    assert sorted(sent(plan)) == ["e1", "e2"]
    assert codes(plan) == {"e3": "pressure", "e4": "pressure"}


def test_a_row_in_doubt_is_repeated_and_counts_as_a_contact(tmp_path: Path) -> None:
    stage = contacting(tmp_path, key="event", mode="append")
    stage.publish([{"event": f"e{n}", "customer_id": "c1"} for n in (1, 2)])
    first = planned(stage)
    fingerprint = first.connection.execute("select fingerprint from want where key = 'e1'").fetchall()[0][0]
    ledger = stage.ledger()
    row = {"sync": stage.sync, "key": "e1", "customer": "c1", "fingerprint": None, "tried": fingerprint, "code": ""}
    state = {"status": "in_doubt", "op": "upsert", "attempt": 1, "batch": "b1", "remote_id": None, "run_id": "r1"}
    ledger.record([{**row, **state}])
    ledger.close()
    plan = planned(stage)
    assert (sent(plan), codes(plan)) == ({"e1": "upsert"}, {"e2": "pressure"})


@pytest.mark.parametrize(("priority", "code"), [(5, "priority"), (0, None), (-5, None)])
def test_whom_a_sync_of_higher_priority_is_about_to_contact_is_left_to_it(
    tmp_path: Path, priority: int, code: str | None
) -> None:
    stage = contacting(tmp_path)
    publish_both(stage, people(3), people(1, first=1), priority=priority)
    assert codes(planned(stage)).get("c0001") == code
    assert "c0000" not in codes(planned(stage))


def test_who_is_kept_back_from_the_higher_sync_is_not_left_to_it(tmp_path: Path) -> None:
    stage = contacting(tmp_path)
    publish_both(stage, people(2), people(2, email=""), priority=5, required=["email"])
    theirs = planned(stage, "sms__offer")
    assert codes(theirs) == {"c0000": "missing_email", "c0001": "missing_email"}
    assert codes(planned(stage)) == {}


def test_once_the_higher_sync_has_sent_its_contacts_count(tmp_path: Path) -> None:
    stage = contacting(tmp_path)
    publish_both(stage, people(2), people(1), priority=5)
    deliver(stage, planned(stage, "sms__offer"))
    assert codes(planned(stage)) == {"c0000": "pressure"}


def test_a_higher_sync_that_was_given_up_holds_nobody_up(tmp_path: Path) -> None:
    stage = contacting(tmp_path)
    publish_both(stage, people(1), people(1), priority=5)
    planned(stage, "sms__offer")
    assert codes(planned(stage)) == {"c0000": "priority"}
    ledger = stage.ledger()
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql(
            "update runs set started_at = '2020-01-01 00:00:00.000000' where sync = 'sms__offer'"
        )
    ledger.close()
    assert codes(planned(stage)) == {}


def test_what_a_run_under_way_has_planned_counts_until_it_is_over(tmp_path: Path) -> None:
    stage = contacting(tmp_path)
    publish_both(stage, people(4), people(3, first=2))
    plan = planned(stage, "sms__offer")
    assert codes(planned(stage)) == {"c0002": "pressure", "c0003": "pressure"}
    with closing(stage.ledger()) as ledger:
        ledger.finish(plan.run_id, "sms__offer", "stopped")
    assert codes(planned(stage)) == {}


def test_what_was_planned_and_is_sent_counts_once(tmp_path: Path) -> None:
    stage = contacting(tmp_path, pressure={"at_most": 2, "days": 7})
    publish_both(stage, people(3), people(2))
    plan = planned(stage, "sms__offer")
    deliver(stage, plan, ended=False)
    assert codes(planned(stage)) == {}


@pytest.mark.parametrize(("minutes", "held", "waits"), [(9, False, True), (11, False, False), (11, True, True)])
def test_a_run_that_died_holds_nobody_up_for_long(tmp_path: Path, minutes: int, held: bool, waits: bool) -> None:
    stage = contacting(tmp_path)
    publish_both(stage, people(2), people(1))
    planned(stage, "sms__offer")
    with closing(stage.ledger()) as ledger:
        with ledger.engine.begin() as connection:
            begun = update(runs).where(runs.c.sync == "sms__offer")
            connection.execute(begun.values(started_at=datetime.now(UTC) - timedelta(minutes=minutes)))
        if held:
            ledger.locks.take("sms__offer", "target")
        assert codes(planned(stage)) == ({"c0000": "pressure"} if waits else {})


def test_a_run_that_is_over_leaves_nothing_reserved(tmp_path: Path) -> None:
    stage = contacting(tmp_path)
    publish_both(stage, people(2), people(2))
    plan = planned(stage, "sms__offer")
    with closing(stage.ledger()) as ledger:
        assert len(ledger.asked(select(reservations))) == 2
    deliver(stage, plan)
    with closing(stage.ledger()) as ledger:
        assert ledger.asked(select(reservations)) == []


def test_a_sync_that_contacts_nobody_reserves_nothing(tmp_path: Path) -> None:
    stage = contacting(tmp_path)
    publish_both(stage, people(2), people(2), contact=False)
    planned(stage, "sms__offer")
    assert codes(planned(stage)) == {}


# a process of its own, as a run is: it tells that it is ready, and plans when it is told to
PLAN = """
import sys
from snello.activation import Ledger, Planner
from snello.lake import Lake
lake, url, salt, sync = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
ledger = Ledger(url)
plan = Planner(Lake(lake), ledger, salt).plan(sync)
print(*(key for some in plan.tables() for key in some["_key"].to_pylist()))
ledger.close()
"""


def test_of_syncs_planned_at_one_moment_one_alone_contacts_a_person(tmp_path: Path) -> None:
    stage = contacting(tmp_path)
    publish_both(stage, people(40), people(40))
    given = [stage.lake.root, str(stage.ledger_url), SALT]
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", PLAN, *given, sync], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for sync in (stage.sync, "sms__offer")
    ]
    for run in runs:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
    for run in runs:
        assert run.stdin is not None
        run.stdin.write("now\n")
        run.stdin.flush()
    first, second = (set(run.communicate(timeout=120)[0].split()) for run in runs)
    assert [run.returncode for run in runs] == [0, 0]
    assert first & second == set()
    assert len(first | second) == 40


def test_nor_where_one_process_plans_both(tmp_path: Path) -> None:
    stage = contacting(tmp_path)
    publish_both(stage, people(40), people(40))
    ready = threading.Barrier(2)

    def told(sync: str) -> set[str]:
        ready.wait(60)
        return set(sent(planned(stage, sync)))

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(told, [stage.sync, "sms__offer"])
    assert first & second == set()
    assert len(first | second) == 40


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 4))])
def test_no_history_of_runs_ever_contacts_anybody_more_often_than_agreed(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    stage = contacting(tmp_path, pressure={"at_most": 2, "days": 7}, max_removal_share=1, max_growth_floor=99)
    for turn in range(6):
        members = [people(1, first=n, turn=turn)[0] for n in draw.sample(range(8), 5)]
        others = [people(1, first=n, turn=turn)[0] for n in draw.sample(range(8), 4)]
        publish_both(stage, members, others, priority=draw.choice([-1, 0, 1]))
        plans = []
        for sync in draw.sample([stage.sync, "sms__offer"], 2):
            plans.append(planned(stage, sync))
            if draw.random() < 0.5:  # else both are planned before either sends
                deliver(stage, plans.pop())
        for plan in plans:
            deliver(stage, plan)
    counted = text("select max(n) as most from (select count(*) as n from contacts group by customer) as each")
    with closing(stage.ledger()) as ledger:
        assert ledger.asked(counted) == [{"most": 2}]
