from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.activation.gating import deliver, people, planned, sent, stage_of

from snello.activation import Planner, breaker
from snello.errors import BreakerOpen
from snello.kit.channel.rehearsal import SALT, Rehearsal

pytestmark = pytest.mark.usefixtures("on_both")


def history(stage: Rehearsal, runs: int, size: int = 400, step: int = 4, **more: Any) -> int:
    """As many publications, each delivered: at each some leave and some come; the first member of the last one."""
    for n in range(runs):
        stage.publish(people(size, first=n * step, **more))
        deliver(stage, planned(stage))
    return (runs - 1) * step


def opened(stage: Rehearsal) -> str:
    with pytest.raises(BreakerOpen) as fault:
        planned(stage)
    assert fault.value.exit_code == 6
    return fault.value.what


def test_a_first_run_may_add_as_many_as_it_likes(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, max_growth_share=0.1)
    stage.publish(people(500))
    assert len(sent(planned(stage))) == 500


@pytest.mark.parametrize(("size", "opens"), [(600, False), (640, True)])
def test_growth_beyond_the_declared_share_stops_before_anything_is_sent(tmp_path: Path, size: int, opens: bool) -> None:
    stage = stage_of(tmp_path, max_growth_share=0.5)
    history(stage, 1)
    stage.publish(people(size))
    if opens:
        assert opened(stage) == (
            "240 additions, 60% of what the channel holds (640 members published against 400 held by the channel), "
            "at most 50% (declared); nothing was sent"
        )
    else:
        assert len(sent(planned(stage))) == 200


def test_additions_up_to_the_floor_never_open_the_breaker(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, max_growth_share=0.01, max_growth_floor=50)
    history(stage, 1, size=10)
    stage.publish(people(60))
    assert len(sent(planned(stage))) == 50


@pytest.mark.parametrize(("runs", "opens"), [(5, False), (6, True)])
def test_after_five_publications_growth_far_beyond_the_usual_opens_it(tmp_path: Path, runs: int, opens: bool) -> None:
    stage = stage_of(tmp_path)  # the first of them had nothing to compare with
    first = history(stage, runs)
    stage.publish(people(560, first=first))
    if opens:
        assert "160 additions, 40% of what the channel holds" in (told := opened(stage))
        assert "usually 1%, at most 26% (learned)" in told
    else:
        assert len(sent(planned(stage))) == 160


def test_removals_within_the_default_share_open_it_where_the_usual_is_far_less(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    first = history(stage, 6)
    stage.publish(people(360, first=first))
    assert "40 removals, 10% of what the channel holds" in (told := opened(stage))
    assert "usually 1%, at most 6% (learned)" in told


def test_what_is_declared_holds_against_what_is_learned(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, max_removal_share=0.2)
    first = history(stage, 6)
    stage.publish(people(360, first=first))
    assert len(sent(planned(stage))) == 40


def test_a_column_that_empties_out_opens_it_by_what_is_declared_and_by_what_is_learned(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    first = history(stage, 5, city="Bari")
    rows = people(400, first=first, city="Bari")
    for row in rows[:200]:
        row["city"] = ""
    stage.publish(rows)
    assert opened(stage) == ("city is empty in 50% of 400 members, usually 0%, at most 10% (learned); nothing was sent")
    stage.terms["max_null_share"] = {"city": 0.6}
    stage.publish(rows)
    assert len(sent(planned(stage))) == 200
    stage.terms["max_null_share"] = {"city": 0.4}
    stage.publish(rows)
    assert "at most 40% (declared)" in opened(stage)


def test_consent_that_fell_away_opens_it_and_a_few_withdrawals_do_not(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, max_removal_share=1)
    first = history(stage, 5)
    members = [row["customer_id"] for row in people(400, first=first)]
    stage.publish(people(400, first=first), refusing=members[:100])
    assert opened(stage) == ("75% of 400 members consent, usually 100%, at least 90% (learned); nothing was sent")
    stage.publish(people(400, first=first), refusing=members[:10])
    assert set(sent(planned(stage)).values()) == {"no_consent"}
    stage.terms["min_consent_share"] = 0.99
    stage.publish(people(400, first=first), refusing=members[:11])
    assert "at least 99% (declared)" in opened(stage)


def test_the_last_members_withdrawal_passes_although_it_empties_the_audience(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    rows = people(1)
    stage.publish(rows)
    deliver(stage, planned(stage))
    schema = pa.schema([("customer_id", pa.string()), ("email", pa.string())])
    stage.publish([], schema=schema, refusing=["c0000"], others=["c9999"])
    assert sent(planned(stage)) == {"c0000": "no_consent"}


def test_every_fault_is_told_at_once_with_the_command_that_lets_one_run_through(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, max_removal_share=0.1, max_growth_share=0.1, max_growth_floor=10)
    history(stage, 1, size=100)
    publication = stage.publish(people(100, first=50))
    with pytest.raises(BreakerOpen) as fault:
        planned(stage)
    assert "50 removals, 50%" in fault.value.what
    assert "50 additions, 50%" in fault.value.what
    assert fault.value.cure.endswith(f"SNELLO_ALLOW_BREAKER={stage.sync}@{publication}")
    assert len(sent(planned(stage, allowed=True))) == 100


def test_what_was_stopped_teaches_nothing_and_a_publication_teaches_once(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    first = history(stage, 6)
    for _ in range(8):
        stage.publish(people(600, first=first))
        assert "at most 26% (learned)" in opened(stage)
    stage.publish(people(400, first=first))
    for _ in range(8):
        planned(stage)
    ledger = stage.ledger()
    publications = "select count(distinct run_id) from run_figures"
    assert ledger.engine.connect().exec_driver_sql(publications).scalar() == 7
    ledger.close()


def test_a_plan_can_be_compared_without_being_stopped(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    history(stage, 1, size=100)
    stage.publish(people(50))
    ledger = stage.ledger()
    plan = Planner(stage.lake, ledger, SALT).preview(stage.sync)
    found = {one.metric: (one.now, one.bound, one.origin, one.is_open) for one in breaker.compare(plan, ledger)}
    ledger.close()
    assert found == {
        "removals": (0.5, 0.2, "default", True),
        "growth": (0.0, None, "learned", False),
        "consent": (1.0, None, "learned", False),
        "empty email": (0.0, None, "learned", False),
    }


def test_mistakes_that_were_let_through_make_no_room_for_the_next(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    first = history(stage, 6, size=400)
    for size in (800, 400, 800, 400):  # doubled by mistake, mended, and again
        stage.publish(people(size, first=first))
        opened(stage)
        deliver(stage, planned(stage, allowed=True))
    stage.publish(people(800, first=first))
    told = opened(stage)
    assert "400 additions, 100% of what the channel holds" in told
    assert "usually 1%, at most 26% (learned)" in told
    stage.publish(people(320, first=first))
    assert "80 removals, 20% of what the channel holds" in opened(stage)


def test_a_change_that_lasts_is_learned_when_it_was_let_through_often_enough(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, max_removal_share=1)
    history(stage, 5)
    openings = 0
    for n in range(8):
        rows = people(400)
        stage.publish(rows, refusing=[row["customer_id"] for row in rows[: 60 + n]])  # 85% consent from now on
        try:
            plan = planned(stage)
        except BreakerOpen:
            openings += 1
            plan = planned(stage, allowed=True)
        deliver(stage, plan)
    assert 3 <= openings < 8
