from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from tests.activation.gating import bounced, codes, deliver, kept, list_of, people, planned, sent, stage_of

from snello.activation import Plan, Planner
from snello.activation.suppressions import address_hash
from snello.kit.channel.rehearsal import SALT, Rehearsal

pytestmark = pytest.mark.usefixtures("on_both")


def previewed(stage: Rehearsal, *, anew: bool) -> Plan:
    """What a run would do now; ``anew``: with every row looked at again."""
    ledger = stage.ledger()
    with ledger.engine.begin() as connection:
        if anew:
            connection.exec_driver_sql("update gate_marks set mark = 'not ' || mark")
    plan = Planner(stage.lake, ledger, SALT).preview(stage.sync)
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("update gate_marks set mark = replace(mark, 'not ', '')")
    ledger.close()
    return plan


def judged(plan: Plan) -> int:
    return int(plan.connection.execute("select count(*) from judged").fetchall()[0][0])


def standing(plan: Plan) -> int:
    """How many members are kept back by a list or a holdout without being looked at."""
    query = "select count(*) from excluded anti join judged on _key = key where gate in ('suppression', 'holdout')"
    return int(plan.connection.execute(query).fetchall()[0][0])


SAME = {
    "want": "select key from printed anti join excluded using (key)",
    "unsent": "select key from want anti join settled using (key, fingerprint)",
    "leavers": "select key from held anti join want using (key)",
    "printed": "select _key from audience semi join consented on consented.key = _customer",
}


def check_sets(plan: Plan) -> None:
    """What is made of the few rows that differ is what the whole relations give."""
    for name, whole in SAME.items():
        [(one, other)] = plan.connection.execute(
            f"select (select list_sort(list(key)) from {name}), (select list_sort(list(key)) from ({whole}) as t(key))"
        ).fetchall()
        assert one == other, name
    assert plan.figures.members == plan.connection.execute("select count(*) from want").fetchall()[0][0]


def test_rows_that_did_not_change_are_not_looked_at_again_while_lists_and_rules_are_the_same(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, required=["email"])
    stage.publish(people(20))
    deliver(stage, planned(stage))
    stage.publish([*people(19), {"customer_id": "c0019", "email": "new@posta.example"}])
    assert judged(previewed(stage, anew=False)) == 1
    bounced(stage, value="c0500", reason="hard")
    assert judged(planned(stage)) == 20
    assert judged(previewed(stage, anew=False)) == 1
    stage.terms["required"] = ["customer_id"]
    stage.publish(people(20))
    assert judged(previewed(stage, anew=False)) == 20


@pytest.mark.parametrize("mode", ["mirror", "upsert", "replace"])
@pytest.mark.parametrize(
    ("on_both", "seed", "turns"), [("sqlite", 0, 7), ("sqlite", 1, 7), ("postgresql", 0, 4)], indirect=["on_both"]
)
def test_what_is_not_looked_at_again_would_be_judged_alike(tmp_path: Path, seed: int, turns: int, mode: str) -> None:
    draw = random.Random(seed)
    bounds = {"max_removal_share": 1, "max_growth_share": 99}
    pressure = {"contact": True, "pressure": {"at_most": 3, "days": 7}}
    stage = stage_of(tmp_path, mode=mode, holdout={"share": 0.4}, **bounds, **pressure)
    saved = stood = 0
    rows: list[dict[str, Any]] = []
    for turn in range(turns):
        if not rows or draw.random() < 0.6:
            away = draw.sample(range(14), draw.choice([0, 0, 4]))
            rows = [member(draw, n, turn) for n in range(14) if n not in away]
            stage.terms |= {"required": draw.choice([["email"], ["email"], ["email"], []])}
        stage.publish(rows, refusing=[f"c{n:04}" for n in draw.sample(range(14), draw.choice([0, 0, 2]))])
        if draw.random() < 0.2:
            who = draw.randrange(14)
            hashed = address_hash(f"persona{who}@posta.example", SALT)
            list_of(stage, {"customer_id": f"c{who:04}", "channel": "email", "reason": "hard", "address_hash": hashed})
        known, everybody = previewed(stage, anew=False), previewed(stage, anew=True)
        assert (kept(known), sent(known)) == (kept(everybody), sent(everybody))
        check_sets(known)
        check_sets(everybody)
        saved += judged(everybody) - judged(known)
        stood += standing(known)
        plan = planned(stage, allowed=True)
        if draw.random() < 0.8:
            deliver(stage, plan)
    assert bool(saved) is (mode != "upsert")
    assert mode == "replace" or bool(stood) is (mode == "mirror")


def member(draw: random.Random, number: int, turn: int) -> dict[str, Any]:
    row = people(1, first=number, turn=draw.choice([0, 0, 0, turn]))[0]
    return {**row, "email": draw.choice([row["email"]] * 9 + [None])}


def test_whom_a_list_keeps_back_is_not_looked_at_again_while_the_published_table_is_the_same(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, holdout={"share": 0.3})
    stage.publish(people(20))
    bounced(stage, value="c0003", reason="hard")
    first = planned(stage)
    deliver(stage, first)
    again = previewed(stage, anew=False)
    assert (kept(again), judged(again)) == (kept(first), 0)
    assert {gate for gate, *_ in kept(first).values()} == {"suppression", "holdout"}
    stage.publish([*people(19), {"customer_id": "c0019", "email": "new@posta.example"}])
    assert judged(previewed(stage, anew=False)) == len(kept(first)) + ("c0019" not in kept(first))


def test_who_is_on_a_list_and_withdraws_is_kept_back_for_the_graver_reason(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(20))
    bounced(stage, value="c0003", reason="hard")
    deliver(stage, planned(stage))
    stage.publish(people(20), refusing=["c0003"])
    assert codes(previewed(stage, anew=False)) == {"c0003": "no_consent"}


@pytest.mark.parametrize(
    "change",
    [
        "update exclusions set until = since",
        "update exclusions set key = 'c0000'",
        "update holdouts set held_out = not held_out",
        "delete from holdouts",
    ],
)
def test_a_ledger_in_which_others_are_kept_back_than_the_run_left_has_all_of_them_judged(
    tmp_path: Path, change: str
) -> None:
    stage = stage_of(tmp_path, holdout={"share": 0.3})
    stage.publish(people(20))
    bounced(stage, value="c0003", reason="hard")
    deliver(stage, planned(stage))
    ledger = stage.ledger()
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql(change + (" where code = 'hard_bounce'" if "exclusions" in change else ""))
    ledger.close()
    known, everybody = previewed(stage, anew=False), previewed(stage, anew=True)
    assert standing(known) == 0
    assert (kept(known), sent(known)) == (kept(everybody), sent(everybody))
