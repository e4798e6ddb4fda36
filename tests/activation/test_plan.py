from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from snello.activation import Ledger, Plan, Planner
from snello.errors import BreakerOpen, ConfigError, ContractError, RetryLater
from snello.kit.channel.rehearsal import SALT, Rehearsal
from snello.kit.records import records_of

COLUMNS = pa.schema([("customer_id", pa.string()), ("email", pa.string())])


def people(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"customer_id": f"c{n:04}", "email": f"p{n}@example.it"} for n in range(first, first + count)]


def planned(stage: Rehearsal, allowed: str | None = None, salt: str = SALT) -> Plan:
    ledger = stage.ledger()
    try:
        return Planner(stage.lake, ledger, salt).plan(stage.sync, allowed)
    finally:
        ledger.close()


def deliver(stage: Rehearsal, plan: Plan) -> None:
    """As a target would that takes everything."""
    ledger = stage.ledger()
    rows = [row for table in plan.tables() for row in records_of(table)]
    fixed = {"sync": stage.sync, "status": "delivered", "code": "", "attempt": 1, "batch": None, "remote_id": None}
    ledger.record(
        [
            {
                **fixed,
                "key": row["_key"],
                "op": row["_op"],
                "run_id": row["_run_id"],
                "fingerprint": row["_fingerprint"],
                "tried": row["_fingerprint"],
            }
            for row in rows
        ]
    )
    ledger.close()


@pytest.fixture
def stage(tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path, purpose="email_marketing", channel="email")


@pytest.fixture
def delivered(stage: Rehearsal) -> Rehearsal:
    stage.publish(people(100))
    deliver(stage, planned(stage))
    return stage


def test_a_first_run_sends_the_whole_audience_with_payload_and_evidence_of_consent(stage: Rehearsal) -> None:
    publication = stage.publish(people(2))
    plan = planned(stage)
    rows = [row for table in plan.tables() for row in records_of(table)]
    assert plan.publication == publication
    assert [(row["_op"], row["_key"], row["customer_id"], row["email"]) for row in rows] == [
        ("upsert", "c0000", "c0000", "p0@example.it"),
        ("upsert", "c0001", "c0001", "p1@example.it"),
    ]
    consent = rows[0]["_consent"]
    assert (consent["state"], consent["source"], consent["record_key"]) == ("yes", "crm", "row-c0000")
    assert consent["observed_at"].startswith("2026-01-01 00:00:00")


def test_an_unchanged_audience_has_no_changes_and_says_so(delivered: Rehearsal) -> None:
    plan = planned(delivered)
    assert plan.figures.changes == 0
    assert plan.sentence() == "channel__audience: 100 members, 0 changes: nothing to deliver"
    assert plan.connection is not None
    ledger = delivered.ledger()
    assert ledger.recent_runs(limit=1)[0]["outcome"] == "nothing to deliver"
    ledger.close()


def test_publishing_again_with_columns_in_another_order_changes_nothing(delivered: Rehearsal) -> None:
    delivered.publish([{"email": row["email"], "customer_id": row["customer_id"]} for row in people(100)])
    assert planned(delivered).figures.changes == 0


def test_another_salt_is_another_ledger(delivered: Rehearsal) -> None:
    assert planned(delivered, salt="other").figures.upserts == 100


def test_a_null_and_an_empty_text_are_two_payloads(stage: Rehearsal) -> None:
    stage.publish([{"customer_id": "c1", "email": None}], schema=COLUMNS)
    deliver(stage, planned(stage))
    stage.publish([{"customer_id": "c1", "email": ""}], schema=COLUMNS)
    assert planned(stage).figures.upserts == 1


def test_one_withdrawal_is_exactly_one_removal_and_never_opens_the_breaker(stage: Rehearsal) -> None:
    stage.publish(people(2))
    deliver(stage, planned(stage))
    stage.publish(people(2), refusing=["c0001"])
    plan = planned(stage)
    rows = [row for table in plan.tables() for row in records_of(table)]
    assert [(row["_op"], row["_key"], row["_reason"]) for row in rows] == [("remove", "c0001", "no_consent")]
    assert rows[0]["email"] is None


def test_unknown_consent_is_no_and_has_one_receipt_while_nothing_changes(stage: Rehearsal) -> None:
    stage.publish(people(3), unknown=["c0000"], refusing=["c0001"])
    plan = planned(stage)
    assert (plan.figures.members, plan.figures.suppressed) == (1, 2)
    planned(stage)
    ledger = stage.ledger()
    receipts = [(row["key"], row["status"], row["code"], row["reason"]) for row in ledger.receipts(stage.sync)]
    ledger.close()
    words = "no consent to email_marketing by email"
    assert sorted(receipts) == [
        ("c0000", "suppressed", "no_consent", words),
        ("c0001", "suppressed", "no_consent", words),
    ]


@pytest.mark.parametrize(
    ("consents", "granted"),
    [
        ([("email", "yes")], True),
        ([("any", "yes")], True),
        ([("any", "yes"), ("email", "no")], False),
        ([("any", "no"), ("email", "yes")], False),
        ([("sms", "yes")], False),
        ([("email", None)], False),
        ([("email", "pending")], False),
        ([("any", "yes"), ("email", "expired")], False),
        ([("email", "Yes")], False),
        ([], False),
    ],
)
def test_a_refusal_on_the_wide_or_the_narrow_channel_outweighs_a_yes(
    stage: Rehearsal, consents: list[tuple[str, str | None]], granted: bool
) -> None:
    stage.publish(people(1))
    rows = [
        {"customer_id": "c0000", "purpose": "email_marketing", "channel": channel, "state": state}
        for channel, state in consents
    ] or [{"customer_id": "c9999", "purpose": "email_marketing", "channel": "email", "state": "yes"}]
    more = {"decided_by_source": "crm", "record_key": "r", "observed_at": None}
    schema = stage.lake.published("consent_current").schema
    table = pa.Table.from_pylist([{**row, **more} for row in rows], schema=schema)
    stage.lake.publish({"consent_current": table}, run_id="again")
    assert planned(stage).figures.members == int(granted)


@pytest.mark.parametrize(("day", "members"), [("2026-10-31", 2), ("2026-11-01", 2), ("2026-11-02", 1)])
def test_a_consent_that_ran_out_after_it_was_published_counts_no_more_on_the_day_of_sending(
    stage: Rehearsal, monkeypatch: pytest.MonkeyPatch, day: str, members: int
) -> None:
    monkeypatch.setenv("SNELLO_TODAY", day)
    stage.publish(people(2))
    published = stage.lake.published("consent_current")
    until = pa.array([None if key == "c0000" else date(2026, 11, 1) for key in published["customer_id"].to_pylist()])
    stage.lake.publish({"consent_current": published.append_column("valid_until", until)}, run_id="again")
    assert planned(stage).figures.members == members


def test_a_day_that_is_none_stops_the_sync_before_anything_is_sent(
    stage: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.publish(people(1))
    monkeypatch.setenv("SNELLO_TODAY", "tomorrow")
    with pytest.raises(ConfigError, match="'tomorrow' is no day"):
        planned(stage)


def test_an_empty_audience_opens_the_breaker_before_anything_is_sent(delivered: Rehearsal) -> None:
    publication = delivered.publish([], schema=COLUMNS, others=["c0001"])
    with pytest.raises(BreakerOpen) as fault:
        planned(delivered)
    assert str(fault.value) == (
        "sync channel__audience: the audience is empty: 0 members published against 100 held by the channel; nothing "
        "was sent. Next: look into the audience and mend it; or let this publication through once: "
        f"SNELLO_ALLOW_BREAKER=channel__audience@{publication}."
    )
    ledger = delivered.ledger()
    assert ledger.recent_runs(limit=1)[0]["outcome"] == "breaker open"
    assert ledger.standing(delivered.sync) == {("upsert", "delivered", ""): 100}
    ledger.close()


def test_a_consent_table_in_which_nobody_consents_opens_the_breaker(stage: Rehearsal) -> None:
    stage.publish(people(3))
    deliver(stage, planned(stage))
    stage.publish(people(3), unknown=[row["customer_id"] for row in people(3)])
    with pytest.raises(BreakerOpen, match="nobody consents to email_marketing"):
        planned(stage)


def test_what_the_breaker_stopped_may_pass_once_and_not_with_the_next_publication(delivered: Rehearsal) -> None:
    delivered.publish(people(70))
    with pytest.raises(BreakerOpen, match="30 removals, 30% of what the channel holds"):
        planned(delivered)
    allowed = f"{delivered.sync}@publication-2"
    assert planned(delivered, allowed).figures.removals == 30
    delivered.publish(people(60))
    with pytest.raises(BreakerOpen):
        planned(delivered, allowed)


@pytest.mark.parametrize(("left", "opens"), [(80, False), (79, True)])
def test_the_breaker_opens_beyond_the_agreed_share_only(delivered: Rehearsal, left: int, opens: bool) -> None:
    delivered.publish(people(left))
    if opens:
        with pytest.raises(BreakerOpen):
            planned(delivered)
    else:
        assert planned(delivered).figures.removals == 20


def test_removals_up_to_the_floor_pass_whatever_their_share(stage: Rehearsal) -> None:
    stage.publish(people(12))
    deliver(stage, planned(stage))
    stage.publish(people(2))
    assert planned(stage).figures.removals == 10


def test_an_absent_table_is_a_broken_contract_and_never_a_delete(delivered: Rehearsal, tmp_path: Path) -> None:
    bare = Rehearsal(tmp_path / "bare", delivered.sync)
    bare.ledger_url = delivered.ledger_url
    with pytest.raises(ContractError, match="nothing is published yet"):
        planned(bare)
    bare.lake.publish({"customers": pa.table({"a": [1]})}, run_id="x", syncs={bare.sync: bare.terms})
    with pytest.raises(ContractError, match="'activation/channel__audience' is not published"):
        planned(bare)
    bare.lake.publish({f"activation/{bare.sync}": pa.Table.from_pylist(people(1))}, run_id="y")
    with pytest.raises(ContractError, match="'consent_current' is not published"):
        planned(bare)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"customer_id": "c1"}, {"customer_id": None}], "1 rows have no customer_id"),
        ([{"customer_id": "c1"}, {"customer_id": "c1"}], "1 rows repeat a customer_id"),
        ([{"customer_id": "c1"}, {"customer_id": "c1\0x"}], "1 rows have a NUL character in customer_id"),
        ([{"client": "c1"}], "it has no column customer_id"),
        ([{"customer_id": "c1", "_op": "x"}], "column _op begins with _"),
    ],
)
def test_an_audience_without_a_good_key_is_refused(stage: Rehearsal, rows: list[Any], words: str) -> None:
    stage.publish(people(1))
    stage.lake.publish({f"activation/{stage.sync}": pa.Table.from_pylist(rows)}, run_id="x")
    with pytest.raises(ContractError, match=words):
        planned(stage)


def test_without_a_salt_nothing_is_fingerprinted(stage: Rehearsal) -> None:
    stage.publish(people(1))
    with pytest.raises(ConfigError, match="set SNELLO_SALT"):
        planned(stage, salt="")


@pytest.mark.parametrize("role", ["tap", "target"])
def test_a_second_run_of_the_same_sync_at_once_is_refused(stage: Rehearsal, role: Any) -> None:
    stage.publish(people(1))
    first = Ledger(stage.ledger_url)
    first.locks.take(stage.sync, role)
    with pytest.raises(RetryLater, match="another run of it is under way"):
        planned(stage)
    first.close()
    assert planned(stage).figures.upserts == 1


def test_what_an_earlier_run_left_open_goes_first_then_removals_then_upserts(delivered: Rehearsal) -> None:
    ledger = delivered.ledger()
    row = ledger.lookup(delivered.sync, ["c0050"])["c0050"]
    row.pop("updated_at")
    ledger.record([{**row, "status": "in_doubt", "batch": "b-1"}])
    ledger.close()
    delivered.publish(people(100, first=1))
    rows = [row for table in planned(delivered).tables() for row in records_of(table)]
    assert [(row["_op"], row["_key"], row["_batch"]) for row in rows] == [
        ("upsert", "c0050", "b-1"),
        ("remove", "c0000", None),
        ("upsert", "c0100", None),
    ]


def test_whole_and_broken_decimals_travel_as_numbers(stage: Rehearsal) -> None:
    from decimal import Decimal

    rows = [{"customer_id": "c1", "orders": Decimal(3), "revenue": Decimal("12.50")}]
    schema = pa.schema(
        [("customer_id", pa.string()), ("orders", pa.decimal128(18, 0)), ("revenue", pa.decimal128(9, 2))]
    )
    stage.publish(rows, schema=schema)
    row = next(row for table in planned(stage).tables() for row in records_of(table))
    assert (row["orders"], row["revenue"]) == (3, 12.5)
    assert isinstance(row["orders"], int)


def sent(plan: Plan) -> list[tuple[str, str]]:
    return [(row["_op"], row["_key"]) for table in plan.tables() for row in records_of(table)]


def limited(stage: Rehearsal, limit: int) -> Plan:
    ledger = stage.ledger()
    try:
        return Planner(stage.lake, ledger, SALT).plan(stage.sync, limit=limit)
    finally:
        ledger.close()


def test_a_limit_sends_the_first_members_by_key_and_the_next_run_the_rest(stage: Rehearsal) -> None:
    stage.publish(people(12))
    plan = limited(stage, 10)
    assert sent(plan) == [("upsert", f"c{n:04}") for n in range(10)]
    assert plan.sentence().endswith("12 to upsert, 0 to remove, 0 unchanged, of which 10 now (limit 10)")
    deliver(stage, plan)
    assert sent(planned(stage)) == [("upsert", "c0010"), ("upsert", "c0011")]


def test_within_a_limit_members_come_before_removals_and_open_batches_before_both(delivered: Rehearsal) -> None:
    ledger = delivered.ledger()
    rows = ledger.lookup(delivered.sync, ["c0050", "c0051"]).values()
    ledger.record(
        [{**{n: v for n, v in row.items() if n != "updated_at"}, "status": "in_doubt", "batch": "b"} for row in rows]
    )
    ledger.close()
    delivered.publish(people(102, first=3))
    assert sent(limited(delivered, 6)) == [
        ("upsert", "c0050"),
        ("upsert", "c0051"),
        ("remove", "c0000"),
        *(("upsert", f"c{n:04}") for n in range(100, 105)),
    ]
    ledger = delivered.ledger()
    run = ledger.recent_runs(limit=1)[0]
    ledger.close()
    assert (run["upserts"], run["removals"]) == (7, 1)


def test_a_limit_hides_nothing_from_the_breaker(delivered: Rehearsal) -> None:
    delivered.publish(people(70))
    with pytest.raises(BreakerOpen, match="30 removals"):
        limited(delivered, 1)


@pytest.mark.parametrize(("mode", "limit", "words"), [("mirror", 0, "sends nothing"), ("replace", 5, "knows no limit")])
def test_a_limit_that_makes_no_sense_is_refused(stage: Rehearsal, mode: str, limit: int, words: str) -> None:
    stage.terms["mode"] = mode
    stage.publish(people(1))
    with pytest.raises(ConfigError, match=words):
        limited(stage, limit)


def test_a_preview_shows_what_a_plan_would_and_writes_nothing(delivered: Rehearsal) -> None:
    delivered.publish(people(60), refusing=["c0000"])
    ledger = delivered.ledger()
    before = (ledger.recent_runs(), ledger.receipts())
    other = delivered.ledger()
    other.locks.take(delivered.sync, "tap")
    shown = Planner(delivered.lake, ledger, SALT).preview(delivered.sync)
    assert (shown.figures.removals, len(sent(shown))) == (41, 41)
    assert (ledger.recent_runs(), ledger.receipts()) == before
    other.close()
    ledger.close()
