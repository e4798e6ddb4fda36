from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import text
from tests.activation.gating import codes, deliver, people, planned, sent, stage_of

from snello.activation import Plan, Planner
from snello.kit.channel.rehearsal import SALT

pytestmark = pytest.mark.usefixtures("on_both")


def drawn(plan: Plan) -> set[str]:
    return {key for key, code in codes(plan).items() if code == "holdout"}


def test_a_share_of_the_customers_is_held_out_and_removed_from_the_channel(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, max_removal_share=0.9)
    stage.publish(people(2_000))
    deliver(stage, planned(stage))
    stage.terms["holdout"] = {"share": 0.2}
    stage.publish(people(2_000))
    plan = planned(stage)
    out = drawn(plan)
    assert 330 < len(out) < 470
    assert sent(plan) == dict.fromkeys(out, "holdout")


def test_who_is_held_out_depends_on_nobody_else_and_is_the_same_in_every_sync_of_the_name(tmp_path: Path) -> None:
    one = stage_of(tmp_path / "one", holdout={"share": 0.3, "name": "winter"})
    one.publish(people(300))
    other = stage_of(tmp_path / "other", holdout={"share": 0.3, "name": "winter"})
    other.sync = "another__sync"
    other.publish(people(200, first=150)[::-1])
    mine, theirs = drawn(planned(one)), drawn(planned(other))
    both = {row["customer_id"] for row in people(150, first=150)}
    assert mine & both == theirs & both
    third = stage_of(tmp_path / "third", holdout={"share": 0.3, "name": "summer"})
    third.publish(people(300))
    assert drawn(planned(third)) != mine


def test_a_greater_share_takes_more_and_never_lets_go_or_takes_who_was_contacted(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, holdout={"share": 0.1, "name": "w"}, max_growth_floor=9_999)
    stage.publish(people(500))
    first = planned(stage)
    deliver(stage, first)
    stage.terms["holdout"] = {"share": 0.4, "name": "w"}
    stage.publish(people(1_000))
    grown = planned(stage)
    assert {key for key in drawn(grown) if key < "c0500"} == drawn(first)
    assert 150 < len({key for key in drawn(grown) if key >= "c0500"}) < 250
    deliver(stage, grown)
    stage.terms["holdout"] = {"share": 0.05, "name": "w"}
    stage.publish(people(1_000))
    assert drawn(planned(stage)) == drawn(grown)


def test_a_row_held_under_the_key_of_somebody_who_became_a_customer_held_out_goes_in_mode_upsert(
    tmp_path: Path,
) -> None:
    stage = stage_of(tmp_path, mode="upsert", holdout={"share": 0.5}, max_growth_floor=9_999)
    stage.publish(people(40))
    first = planned(stage)
    [out, *_], [kept, *_] = sorted(drawn(first)), sorted(sent(first))
    deliver(stage, first)
    stage.publish([row for row in people(40) if row["customer_id"] != kept])
    merged = pa.table({"alias": [kept], "customer_id": [out]})
    stage.lake.publish({"customer_aliases": merged}, run_id="aliases")
    assert sent(planned(stage)) == {kept: "holdout"}


def test_a_preview_draws_nobody_for_good(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, holdout={"share": 0.5})
    stage.publish(people(20))
    with closing(stage.ledger()) as ledger:
        Planner(stage.lake, ledger, SALT).preview(stage.sync)
        assert ledger.asked(text("select * from holdouts")) == []
    planned(stage)
    with closing(stage.ledger()) as ledger:
        assert ledger.asked(text("select * from holdouts")) != []
