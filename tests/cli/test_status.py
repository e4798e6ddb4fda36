"""The state of the hub."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from snello import settings
from snello.cli.status.page import age
from snello.cli.status.reading import read
from snello.lake import Lake

Snello = Callable[..., Any]


def test_nothing_yet_is_a_state_with_a_next_step(empty: Any, snello: Snello) -> None:
    told = snello("status")
    assert told.code == 0
    assert "Next: run `meltano run loop`" in told.out


def test_the_last_run_of_each_source_counts_and_no_earlier_one(hub: Any) -> None:
    sources = {row["source"]: row for row in read(settings.load()).sources}
    assert (sources["loyalty"]["rows"], sources["loyalty"]["refused"], sources["loyalty"]["streams"]) == (198, 2, 2)


def test_rows_that_the_tap_refused_are_refused_rows(empty: Any) -> None:
    empty.loads("loyalty", ("l1", "cards", 90, 1), ("l1", "_quarantine", 9, 0))
    [loyalty] = read(settings.load()).sources
    assert (loyalty["rows"], loyalty["refused"], loyalty["streams"]) == (90, 10, 1)


def test_freshness_is_the_age_of_the_last_run(hub: Any) -> None:
    status = read(settings.load(), now=datetime(2026, 11, 1, 10, 30, tzinfo=UTC))
    assert {row["age_minutes"] for row in status.sources} == {90}


@pytest.mark.parametrize(
    ("minutes", "told"), [(0, "0 min"), (59, "59 min"), (60, "1 h"), (1439, "23 h"), (2880, "2 d")]
)
def test_an_age_is_told_in_its_largest_unit(minutes: int, told: str) -> None:
    assert age(minutes) == told


def test_quarantine_is_counted_by_reason(hub: Any, snello: Snello) -> None:
    [row] = json.loads(snello("status", "--json").out)["quarantine"]
    assert (row["source"], row["stream"], row["reason"], row["rows"]) == (
        "loyalty",
        "cards",
        "birth_date: not a date",
        2,
    )


def test_syncs_tell_their_outcome_and_what_they_delivered(hub: Any, snello: Snello) -> None:
    syncs = {row["sync"]: row for row in json.loads(snello("status", "--json").out)["syncs"]}
    assert (syncs["webhook__loyal"]["delivered"], syncs["webhook__loyal"]["outcome"]) == (1, "done")
    assert (syncs["brevo__long_absent"]["refused"], syncs["brevo__long_absent"]["delivered"]) == (1, 0)


def test_more_refused_rows_than_tolerated_leave_with_5(hub: Any, snello: Snello) -> None:
    told = snello("status")
    assert told.code == 5
    assert "brevo__long_absent" in told.err
    assert "Published: run r1" in told.out


def test_as_many_refused_rows_as_tolerated_leave_with_0(
    hub: Any, snello: Snello, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNELLO_REFUSED_TOLERANCE", "1")
    assert snello("status").code == 0


def test_a_refusing_source_is_sent_to_its_quarantine(empty: Any, snello: Snello) -> None:
    empty.loads("loyalty", ("l1", "cards", 9, 1))
    told = snello("status")
    assert told.code == 5
    assert "10.0%" in told.err
    assert "raw/loyalty/_quarantine" in told.err


def test_looking_at_the_status_makes_no_ledger(empty: Any, snello: Snello) -> None:
    snello("status")
    assert not (empty.root / "ledger.db").exists()


def test_whom_consent_lets_reach_is_a_matrix_in_which_every_customer_counts_once(hub: Any, snello: Snello) -> None:
    columns = ("purpose", "channel", "state", "reason", "customers", "share")
    rows = [
        ("email_marketing", "email", "yes", "granted", 3, 0.3),
        ("email_marketing", "email", "no", "withdrawn", 1, 0.1),
        ("email_marketing", "email", "no", "given by a minor", 1, 0.1),
        ("email_marketing", "email", "unknown", "never asked", 5, 0.5),
    ]
    table = pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows])
    Lake(settings.load().lake).publish({"consent_coverage": table}, run_id="r2")
    [row] = json.loads(snello("status", "--json").out)["consents"]
    assert (row["yes"], row["no"], row["unknown"], row["yes_percent"]) == (3, 2, 5, 30.0)
    assert "Customers by consent" in snello("status").out


def test_dead_letters_are_counted_with_the_next_step(hub: Any, snello: Snello) -> None:
    dead = {row["sync"]: row["dead"] for row in json.loads(snello("status", "--json").out)["syncs"]}
    assert dead == {"webhook__loyal": 0, "brevo__long_absent": 1}
    assert "Rows that do not reach their channel: 1. Next: `snello dead list`." in snello("status").out
