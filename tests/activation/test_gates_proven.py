from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from tests.activation.gating import bounced, deliver, kept, list_of, people, planned, sent, stage_of

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
    stage = stage_of(tmp_path, mode=mode, max_removal_share=1, max_growth_share=99, holdout={"share": 0.2})
    saved = 0
    for turn in range(turns):
        away = draw.sample(range(14), draw.choice([0, 0, 4]))
        rows: list[dict[str, Any]] = []
        for n in sorted({*range(14)} - {*away}):
            row = people(1, first=n, turn=draw.choice([0, 0, 0, turn]))[0]
            rows.append({**row, "email": draw.choice([row["email"]] * 9 + [None])})
        stage.terms |= {"required": draw.choice([["email"], ["email"], ["email"], []])}
        stage.publish(rows)
        if draw.random() < 0.2:
            who = draw.randrange(14)
            hashed = address_hash(f"persona{who}@posta.example", SALT)
            list_of(stage, {"customer_id": f"c{who:04}", "channel": "email", "reason": "hard", "address_hash": hashed})
        known, everybody = previewed(stage, anew=False), previewed(stage, anew=True)
        assert (kept(known), sent(known)) == (kept(everybody), sent(everybody))
        saved += judged(everybody) - judged(known)
        plan = planned(stage, allowed=True)
        if draw.random() < 0.8:
            deliver(stage, plan)
    assert bool(saved) is (mode != "upsert")
