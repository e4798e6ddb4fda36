from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.activation.gating import bounced, codes, contacted, deliver, kept, people, planned, sent, stage_of


@pytest.mark.parametrize(("members", "passing"), [(9, False), (10, True)])
def test_an_audience_too_small_for_the_platform_waits_as_a_whole(tmp_path: Path, members: int, passing: bool) -> None:
    stage = stage_of(tmp_path, min_size=10)
    stage.publish(people(members))
    plan = planned(stage)
    assert bool(sent(plan)) is passing
    assert set(codes(plan).values()) == (set() if passing else {"below_minimum"})


def test_below_the_smallest_size_nobody_is_added_and_what_is_held_stays_and_is_kept_up_to_date(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, min_size=10, max_removals_floor=99)
    stage.publish(people(12))
    deliver(stage, planned(stage))
    rows = [*people(3), {"customer_id": "c0003", "email": "new@posta.example"}, *people(2, first=50)]
    stage.publish(rows, refusing=["c0000"], others=[f"c{n:04}" for n in range(12)])
    plan = planned(stage)
    assert codes(plan) == {"c0000": "no_consent", "c0050": "below_minimum", "c0051": "below_minimum"}
    found = sent(plan)
    assert (found.pop("c0000"), found.pop("c0003")) == ("no_consent", "upsert")
    assert set(found.values()) == {"left_audience"}


def test_the_sentence_of_a_plan_counts_by_gate_in_words(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, required=["email"])
    rows = people(4)
    rows[1]["email"] = None
    stage.publish(rows, refusing=["c0000"])
    bounced(stage, value="c0002", reason="complaint")
    assert planned(stage).sentence() == (
        "channel__audience: 1 members, 1 to upsert, 0 to remove, 0 unchanged, 1 who complained, 1 without email, "
        "1 without consent"
    )


FLAGS = st.fixed_dictionaries({name: st.booleans() for name in ("refuses", "complained", "contacted", "empty", "held")})


@settings(max_examples=8, deadline=None)
@given(st.lists(FLAGS, min_size=1, max_size=12), st.integers(0, 6))
def test_gates_only_ever_keep_back_and_the_first_that_does_gives_the_code(
    tmp_path_factory: pytest.TempPathFactory, flags: list[dict[str, bool]], least: int
) -> None:
    holdout = {"share": 0.3, "name": "law"}
    pressure = {"at_most": 1, "days": 7}
    terms = {"holdout": holdout, "pressure": pressure, "required": ["email"], "min_size": least, "max_removal_share": 1}
    stage = stage_of(tmp_path_factory.mktemp("law"))
    names = [f"c{n:04}" for n in range(len(flags))]
    held = [row for row, flag in zip(people(len(flags)), flags, strict=True) if flag["held"]]
    if held:
        stage.publish(held)
        deliver(stage, planned(stage))
    stage.terms |= terms
    rows = [
        {**row, "email": None if flag["empty"] else row["email"], "turn": 2}
        for row, flag in zip(people(len(flags)), flags, strict=True)
    ]
    stage.publish(rows, refusing=[name for name, flag in zip(names, flags, strict=True) if flag["refuses"]])
    ledger = stage.ledger()
    contacted(ledger, {name: datetime.now(UTC) for name, flag in zip(names, flags, strict=True) if flag["contacted"]})
    ledger.close()
    for name, flag in zip(names, flags, strict=True):
        if flag["complained"]:
            bounced(stage, value=name, reason="complaint")
    plan = planned(stage, allowed=True)
    found = kept(plan)
    want = {key for (key,) in plan.connection.execute("select key from want").fetchall()}
    assert not want & set(found)
    assert want | set(found) == set(names)
    out = {name for (name,) in plan.connection.execute("select customer from drawn where held_out = 'yes'").fetchall()}
    for name, flag in zip(names, flags, strict=True):
        expected = (
            "consent"
            if flag["refuses"]
            else "suppression"
            if flag["complained"]
            else "holdout"
            if name in out
            else "pressure"
            if flag["contacted"]
            else "quality"
            if flag["empty"]
            else None
        )
        gate = found[name][0] if name in found else None
        assert gate == expected or (expected is None and gate == "size" and not flag["held"])
        if expected is not None:
            assert sent(plan).get(name) != "upsert"
        assert (name in out) <= (not flag["refuses"] and not flag["complained"])
    assert Counter(plan.figures.codes) == Counter(codes(plan).values())
