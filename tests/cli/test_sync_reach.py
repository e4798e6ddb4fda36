"""How many members a platform can find, and will: learned from its own figures, and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from snello.activation import Change, Ledger, Size, Verdict
from snello.activation.feedback import Sent, measure
from snello.activation.planner import Planner
from snello.cli.screen import Grid, Line
from snello.cli.sync.page import _reached
from snello.cli.sync.reach import Reach, reach
from snello.kit.channel import ActivationSink, ActivationTarget, ChannelSettings
from snello.kit.channel.forecast import Recognition, recognition
from snello.kit.channel.rehearsal import SALT, Rehearsal

SYNC = "ads__loyal"


class People(ActivationSink[ChannelSettings]):
    """An audience of which the platform finds as many as the test says."""

    name, floor = "people", 5
    told: ClassVar[list[Size | None]] = []

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        return [Verdict.delivered(change.key) for change in changes]

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        return [Verdict.delivered(change.key) for change in changes]

    def match_keys(self, columns: Sequence[str]) -> Sequence[Sequence[str]]:
        sets = (("email",), ("phone",), ("first_name", "postcode"))
        return [names for names in sets if set(names) <= set(columns)]

    def size(self) -> Size | None:
        return self.told[-1]


class TargetAds(ActivationTarget):
    """A platform of advertising."""

    name = "target-ads"
    settings = ChannelSettings
    sinks = (People,)


def person(number: int, **has: str | None) -> dict[str, Any]:
    return {"customer_id": f"c{number}", "email": None, "phone": None, "first_name": None, "postcode": None, **has}


PEOPLE = [
    *(person(number, email=f"p{number}@example.it") for number in range(6)),
    person(6, email="both@example.it", phone="+393331234567"),
    person(7, first_name="Anna", postcode="20121"),
    person(8, first_name="Anna"),
    person(9, email=" "),
]


@pytest.fixture(params=["sqlite", "postgresql"])
def stage(tmp_path: Path, request: pytest.FixtureRequest) -> Rehearsal:
    """A hub, once with its ledger in a file and once in PostgreSQL."""
    made = Rehearsal(tmp_path, sync=SYNC, target="target-ads", purpose="ads_audiences", channel="ads")
    if request.param == "postgresql":
        made.ledger_url = request.getfixturevalue("postgres")
    return made


def deliver(stage: Rehearsal, rows: list[dict[str, Any]], told: Size | None) -> None:
    stage.publish(rows)
    People.told = [told]
    stage.run(TargetAds, {})


def seen(stage: Rehearsal, others: Sequence[str] = (), known: Recognition | None = None) -> Reach:
    ledger = Ledger(stage.ledger_url)
    try:
        plan = Planner(stage.lake, ledger, SALT).preview(SYNC)
        found = known or recognition(TargetAds, {}, plan.sync, plan.schema.names)
        return reach(plan, ledger, found, others)
    finally:
        ledger.close()


def test_members_are_counted_by_each_set_of_columns_and_by_any(stage: Rehearsal) -> None:
    stage.publish(PEOPLE)
    found = seen(stage)
    assert found.sets == [
        {"columns": "email", "members": 7, "of": 10},
        {"columns": "phone", "members": 1, "of": 10},
        {"columns": "first_name + postcode", "members": 1, "of": 10},
    ]
    assert found.at_most == 8


def test_who_is_kept_back_is_not_among_those_who_can_match(stage: Rehearsal) -> None:
    stage.publish(PEOPLE, refusing=["c0", "c1", "c2", "c7"])
    found = seen(stage)
    assert found.at_most == 4
    assert found.short == "at most 4 can match, and the platform makes no use of an audience below 5"


def test_nothing_is_forecast_before_anybody_measured(stage: Rehearsal) -> None:
    deliver(stage, PEOPLE, None)
    found = seen(stage)
    assert (found.share, found.looks, found.probably, found.reported) == (None, 0, None, None)


def test_what_the_platform_matched_of_what_it_took_is_the_share_of_the_next_forecast(stage: Rehearsal) -> None:
    deliver(stage, PEOPLE, Size(40, matched=6))
    found = seen(stage)
    assert (found.share, found.looks, found.learned_from, found.probably) == (0.6, 1, [SYNC], 5)
    assert found.short == ""


def test_a_platform_that_tells_only_a_size_is_judged_by_what_it_holds(stage: Rehearsal) -> None:
    deliver(stage, PEOPLE, Size(5))
    found = seen(stage)
    assert (found.share, found.probably) == (0.5, 4)
    assert found.short == "probably 4 will match, and the platform makes no use of an audience below 5"


def test_no_size_of_an_audience_below_the_floor_tells_nothing_of_who_is_found(stage: Rehearsal) -> None:
    deliver(stage, PEOPLE[:4], Size(0))
    found = seen(stage)
    assert (found.share, found.looks, found.probably) == (None, 0, None)
    assert found.reported is not None
    assert found.reported["size"] == 0


def test_the_last_report_stands_beside_what_those_before_it_had_forecast(stage: Rehearsal) -> None:
    deliver(stage, PEOPLE, Size(5))
    first = seen(stage).reported
    assert first is not None
    assert (first["size"], first["forecast"]) == (5, None)
    deliver(stage, [*PEOPLE, *(person(n, email=f"p{n}@example.it") for n in range(10, 20))], Size(8))
    last = seen(stage).reported
    assert last is not None
    assert {name: last[name] for name in ("sent", "accepted", "matched", "size", "forecast", "off")} == {
        "sent": 10,
        "accepted": 10,
        "matched": None,
        "size": 8,
        "forecast": 10,
        "off": -0.2,
    }
    [grid] = [block for block in _reached(seen(stage)) if getattr(block, "title", "") == "What the platform said last"]
    assert grid.rows[0][-2:] == [10, "-20.0%"]


def test_without_figures_of_its_own_a_sync_learns_from_others_of_the_same_target(stage: Rehearsal) -> None:
    stage.publish(PEOPLE)
    ledger = stage.ledger()
    measure(ledger, "ads__other", "run", Sent(100, 100), Size(1, matched=25))
    measure(ledger, "mail__other", "run", Sent(100, 100), Size(1, matched=99))
    ledger.close()
    found = seen(stage, others=["ads__other"])
    assert (found.share, found.learned_from, found.probably) == (0.25, ["ads__other"], 2)
    assert seen(stage).share is None


def test_a_stricter_smallest_size_of_the_sync_is_the_floor(stage: Rehearsal) -> None:
    stage.terms["min_size"] = 9
    stage.publish(PEOPLE)
    found = seen(stage)
    assert (found.floor, found.at_most) == (9, 8)
    assert found.short.endswith("below 9")


def test_a_channel_that_takes_rows_as_they_are_has_no_forecast(stage: Rehearsal) -> None:
    stage.publish(PEOPLE)
    found = seen(stage, known=Recognition())
    assert (found.sets, found.at_most, found.floor, found.short) == ([], None, 0, "")
    assert list(_reached(found)) == []


def test_the_page_says_on_what_a_forecast_rests(stage: Rehearsal) -> None:
    stage.publish(PEOPLE)
    told = [block.text for block in _reached(seen(stage)) if isinstance(block, Line)]
    assert "At most 8 can match; how many will is not known, the platform has told no figures yet." in told
    assert "As far as can be told enough: the platform makes use of an audience from 5 on" in told
    deliver(stage, PEOPLE, Size(40, matched=4))
    blocks = list(_reached(seen(stage)))
    told = [block.text for block in blocks if isinstance(block, Line)]
    assert f"At most 8 can match; probably 3 will (40.0% of what it took, by 1 look at {SYNC})." in told
    assert "Too few: probably 3 will match, and the platform makes no use of an audience below 5" in told
    deliver(stage, [*PEOPLE, person(10, email="p10@example.it")], Size(40, matched=10))
    lines = [block for block in _reached(seen(stage)) if isinstance(block, Line)]
    assert Line("Enough: the platform makes use of an audience from 5 on", "ok") in lines
    assert "What the platform said last" in [block.title for block in blocks if isinstance(block, Grid)]
