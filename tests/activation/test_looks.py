"""What platforms said of audiences, and what that lets one expect."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from snello.activation import Ledger, Size
from snello.activation.feedback import Sent, measure
from snello.activation.looks import LATE, LOOKS, ever, long_held, looks, share, telling
from snello.activation.tables import deliveries, measurements
from snello.kit.channel.rehearsal import Rehearsal

pytestmark = pytest.mark.usefixtures("on_both")
SYNC, FLOOR = "ads__loyal", 100
START = datetime(2026, 11, 1, 3, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    one = Rehearsal(tmp_path, sync=SYNC).ledger()
    yield one
    one.close()


def run(ledger: Ledger, number: int, members: int, said: Size | None, *, sync: str = SYNC, day: float = 0) -> None:
    """A run that left ``members`` with the platform, and what it then said, so many days after the first."""
    run_id = f"run-{number:03}"
    with ledger.engine.begin() as connection:
        connection.execute(deliveries.delete().where(deliveries.c.sync == sync))
    row = {"sync": sync, "status": "delivered", "op": "upsert", "code": "", "attempt": 1, "run_id": run_id}
    ledger.record([{**row, "key": f"c{key}", "fingerprint": "f"} for key in range(members)])
    measure(ledger, sync, run_id, Sent(members, members), said, FLOOR)
    with ledger.engine.begin() as connection:
        mine = update(measurements).where(measurements.c.run_id == run_id, measurements.c.sync == sync)
        connection.execute(mine.values(at=START + timedelta(days=day)))


def told(ledger: Ledger, *syncs: str) -> list[dict[str, Any]]:
    return [dict(look.row) for look in looks(ledger, syncs or [SYNC])]


def test_a_first_run_has_no_forecast_and_the_next_is_measured_by_it(ledger: Ledger) -> None:
    run(ledger, 1, 200, Size(120))
    run(ledger, 2, 300, Size(150))
    first, second = looks(ledger, [SYNC])
    assert (first.row["forecast"], first.off) == (None, None)
    assert (second.row["forecast"], second.found, second.taken) == (180, 150, 300)
    assert second.off == pytest.approx(-1 / 6)


def test_a_forecast_stays_what_it_was_whatever_is_learned_later(ledger: Ledger) -> None:
    for number, found in enumerate((100, 150, 20, 200)):
        run(ledger, number, 200, Size(found))
    before = [row["forecast"] for row in told(ledger)]
    run(ledger, 9, 200, Size(1))
    assert [row["forecast"] for row in told(ledger)][:4] == before == [None, 100, 125, 90]


def test_matches_are_of_what_was_accepted_and_sizes_of_all_that_is_held(ledger: Ledger) -> None:
    run(ledger, 1, 200, Size(1000, matched=50))
    run(ledger, 2, 400, Size(300))
    assert [(look.taken, look.found, look.row["forecast"]) for look in looks(ledger, [SYNC])] == [
        (200, 50, None),
        (400, 300, 100),
    ]


def test_a_platform_that_says_nothing_leaves_no_forecast_behind(ledger: Ledger) -> None:
    run(ledger, 1, 200, Size(120))
    run(ledger, 2, 200, None)
    rows = ledger.asked(measurements.select().order_by(measurements.c.id))
    assert [(row["size"], row["forecast"]) for row in rows] == [(120, None), (None, None)]


def test_a_nought_says_nothing_before_the_platform_had_days_to_count(ledger: Ledger) -> None:
    late = LATE / timedelta(days=1)
    run(ledger, 1, 200, Size(0))
    run(ledger, 2, 200, Size(0), day=late - 0.1)
    assert share(telling(looks(ledger, [SYNC]), FLOOR)) is None
    run(ledger, 3, 200, Size(0), day=late)
    assert share(telling(looks(ledger, [SYNC]), FLOOR)) == 0


def test_a_nought_of_an_audience_below_the_floor_never_says_anything(ledger: Ledger) -> None:
    run(ledger, 1, FLOOR - 1, Size(0))
    run(ledger, 2, FLOOR - 1, Size(0), day=30)
    run(ledger, 3, FLOOR, Size(0), day=31)
    assert telling(looks(ledger, [SYNC]), FLOOR) == []


def test_how_long_one_audience_is_known_says_nothing_of_another(ledger: Ledger) -> None:
    run(ledger, 1, 200, Size(0))
    run(ledger, 2, 200, Size(0), sync="ads__other", day=30)
    assert telling(looks(ledger, [SYNC, "ads__other"]), FLOOR) == []


def test_only_the_last_looks_count(ledger: Ledger) -> None:
    run(ledger, 0, 200, Size(0), day=0)
    run(ledger, 1, 200, Size(0), day=9)
    for number in range(LOOKS):
        run(ledger, 2 + number, 200, Size(100), day=10)
    assert share(telling(looks(ledger, [SYNC]), FLOOR)) == 0.5


def test_more_found_than_taken_is_all_of_it(ledger: Ledger) -> None:
    run(ledger, 1, 200, Size(900))
    assert share(telling(looks(ledger, [SYNC]), FLOOR)) == 1.0


def test_rows_count_as_long_held_once_the_platform_has_had_them_for_two_days(ledger: Ledger) -> None:
    run(ledger, 1, 200, Size(0))
    now = datetime.now(UTC)
    assert long_held(ledger, SYNC, now) == 0
    assert long_held(ledger, SYNC, now + LATE + timedelta(minutes=1)) == 200


def test_what_was_ever_sent_is_what_was_held_at_most(ledger: Ledger) -> None:
    assert ever(ledger, SYNC) == 0
    run(ledger, 1, 200, Size(120))
    run(ledger, 2, 150, Size(120))
    assert ever(ledger, SYNC) == 200
