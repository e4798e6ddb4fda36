from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from snello.activation import Ledger, Plan, Planner
from snello.activation.suppressions import Decision, Subject, Suppressions, address_hash
from snello.activation.tables import contacts, suppressions
from snello.errors import ConfigError
from snello.kit.channel.rehearsal import SALT, Rehearsal
from snello.kit.records import records_of

CONSENT = {"purpose": "email_marketing", "channel": "email"}
ORDER = ("consent", "suppression", "holdout", "pressure", "quality", "size")
SAID = Decision("email", "asked by letter", "ada")


def people(count: int, first: int = 0, **more: Any) -> list[dict[str, Any]]:
    return [
        {"customer_id": f"c{n:04}", "email": f"persona{n}@posta.example", **more} for n in range(first, first + count)
    ]


def stage_of(folder: Path, **terms: Any) -> Rehearsal:
    return Rehearsal(folder, **{**CONSENT, **terms})


def planned(stage: Rehearsal, sync: str | None = None) -> Plan:
    ledger = stage.ledger()
    try:
        return Planner(stage.lake, ledger, SALT).plan(sync or stage.sync)
    finally:
        ledger.close()


def deliver(stage: Rehearsal, plan: Plan) -> list[dict[str, Any]]:
    """As a target would that takes everything; the rows."""
    ledger = stage.ledger()
    rows = [row for table in plan.tables() for row in records_of(table)]
    one = {"sync": plan.sync.name, "status": "delivered", "code": "", "attempt": 1}
    deliveries, receipts = [], []
    for row in rows:
        named = {"key": row["_key"], "op": row["_op"], "run_id": row["_run_id"], "customer": row["_customer"]}
        prints = {"fingerprint": row["_fingerprint"], "tried": row["_fingerprint"], "batch": None, "remote_id": None}
        deliveries.append({**one, **named, **prints})
        receipts.append({**one, **named, "reason": "", "fingerprint": row["_fingerprint"]})
    ledger.record(deliveries, receipts)
    sent = [row for row in rows if row["_op"] == "upsert" and row["_contact"]]
    contacted(ledger, {row["_customer"]: datetime.now(UTC) for row in sent}, plan.sync.name)
    ledger.finish(plan.run_id, plan.sync.name, "delivered")
    ledger.close()
    return rows


def contacted(ledger: Ledger, when: dict[str, datetime], sync: str = "another") -> None:
    rows = [{"customer": who, "channel": "sms", "sync": sync, "key": who, "at": at} for who, at in when.items()]
    if rows:
        with ledger.engine.begin() as connection:
            connection.execute(contacts.insert(), rows)


def kept(plan: Plan) -> dict[str, tuple[str, str, bool]]:
    rows = plan.connection.execute("select key, gate, code, keep from excluded").fetchall()
    assert len({row[0] for row in rows}) == len(rows)
    return {key: (gate, code, keep) for key, gate, code, keep in rows}


def codes(plan: Plan) -> dict[str, str]:
    return {key: code for key, (_, code, _) in kept(plan).items()}


def sent(plan: Plan) -> dict[str, str]:
    """What travels: the key to ``upsert``, or to the reason of the removal."""
    return {row["_key"]: row["_reason"] or row["_op"] for table in plan.tables() for row in records_of(table)}


def list_of(stage: Rehearsal, *rows: dict[str, Any]) -> None:
    """Publish suppressions as the sources tell them."""
    names = ("customer_id", "channel", "reason", "address_hash", "source")
    table = pa.table(
        {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
        | {
            "since": pa.array(
                [row.get("since", datetime(2026, 1, 1, tzinfo=UTC)) for row in rows], pa.timestamp("us", "UTC")
            )
        }
    )
    stage.lake.publish({"suppressions": table}, run_id="lists")


def bounced(stage: Rehearsal, **row: Any) -> None:
    """Enter what came back to a channel, as the connector kit does."""
    ledger = stage.ledger()
    with ledger.engine.begin() as connection:
        fixed = {"kind": "customer", "channel": "email", "source": stage.sync, "at": datetime.now(UTC)}
        connection.execute(suppressions.insert(), {**fixed, **row})
    ledger.close()


# ---- suppression


@pytest.mark.parametrize(
    ("reason", "code"),
    [("hard", "hard_bounce"), ("complaint", "complaint"), ("unsubscribed", "unsubscribed"), ("manual", "suppressed")],
)
@pytest.mark.parametrize("where", ["published", "ledger"])
def test_a_customer_on_either_list_is_removed_from_the_channel_under_the_code_of_the_reason(
    tmp_path: Path, reason: str, code: str, where: str
) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(3))
    deliver(stage, planned(stage))
    if where == "published":
        list_of(stage, {"customer_id": "c0001", "channel": "email", "reason": reason})
    else:
        bounced(stage, value="c0001", reason=reason)
    plan = planned(stage)
    assert kept(plan) == {"c0001": ("suppression", code, False)}
    assert sent(plan) == {"c0001": code}


@pytest.mark.parametrize(("channel", "held_back"), [("email", True), ("any", True), ("sms", False)])
def test_an_entry_holds_for_its_channel_and_one_for_any_channel_for_all(
    tmp_path: Path, channel: str, held_back: bool
) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(2))
    bounced(stage, value="c0001", reason="complaint", channel=channel)
    assert ("c0001" in codes(planned(stage))) is held_back


def test_an_address_is_suppressed_however_it_is_written_and_whoever_has_it(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    rows = [
        {"customer_id": f"c{n}", "email": text}
        for n, text in enumerate(
            ["Ada@Posta.example", "ada@posta.example", "Ada B. <ada@posta.example>", "bea@posta.example", None]
        )
    ]
    stage.publish(rows)
    bounced(stage, kind="address", value=address_hash(" ADA@posta.example", SALT), reason="hard")
    assert codes(planned(stage)) == {"c0": "hard_bounce", "c1": "hard_bounce", "c2": "hard_bounce"}


def test_a_number_is_suppressed_however_it_is_written(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, purpose="sms_marketing", channel="sms")
    numbers = ["+393331234560", "333 123 4560", "+393331234561"]
    stage.publish([{"customer_id": f"c{n}", "phone": text} for n, text in enumerate(numbers)])
    bounced(stage, kind="address", channel="sms", value=address_hash("0039 333 1234560", SALT), reason="manual")
    assert codes(planned(stage)) == {"c0": "suppressed", "c1": "suppressed"}


def test_a_bounce_of_an_address_lets_the_customer_pass_who_has_another_by_now(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(2))
    old, own = address_hash("old@posta.example", SALT), address_hash("persona1@posta.example", SALT)
    common = {"channel": "email", "reason": "hard"}
    list_of(
        stage,
        {"customer_id": "c0000", "address_hash": old, **common},
        {"customer_id": "c0001", "address_hash": own, **common},
    )
    assert codes(planned(stage)) == {"c0001": "hard_bounce"}


def test_where_the_audience_shows_no_address_a_bounce_is_the_customers(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.publish([{"customer_id": "c1", "segment": "loyal"}])
    hashed = address_hash("old@posta.example", SALT)
    list_of(stage, {"customer_id": "c1", "channel": "email", "reason": "hard", "address_hash": hashed})
    assert codes(planned(stage)) == {"c1": "hard_bounce"}


def test_who_left_the_audience_is_removed_all_the_same_when_suppressed(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, mode="upsert")
    stage.publish(people(4))
    deliver(stage, planned(stage))
    stage.publish(people(1), others=["c0001", "c0002", "c0003"])
    owners = {"customer_id": ["c0002"], "kind": ["email"], "value": ["persona2@posta.example"]}
    stage.lake.publish({"customer_identifiers": pa.table(owners)}, run_id="ids")
    bounced(stage, value="c0001", reason="complaint")
    bounced(stage, kind="address", value=address_hash("persona2@posta.example", SALT), reason="hard")
    assert sent(planned(stage)) == {"c0001": "complaint", "c0002": "hard_bounce"}


def test_who_became_another_customer_stays_suppressed(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(2))
    stage.lake.publish({"customer_aliases": pa.table({"alias": ["c9"], "customer_id": ["c0001"]})}, run_id="aliases")
    bounced(stage, value="c9", reason="manual")
    assert codes(planned(stage)) == {"c0001": "suppressed"}


def test_an_unsubscription_from_marketing_keeps_no_service_message_back(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, purpose="service")
    stage.publish(people(2))
    bounced(stage, value="c0000", reason="unsubscribed")
    bounced(stage, value="c0001", reason="hard")
    assert codes(planned(stage)) == {"c0001": "hard_bounce"}


def test_of_two_entries_the_graver_gives_the_code(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(1))
    bounced(stage, value="c0000", reason="hard")
    list_of(stage, {"customer_id": "c0000", "channel": "any", "reason": "complaint"})
    assert codes(planned(stage)) == {"c0000": "complaint"}


def test_a_list_that_was_never_published_is_told_and_the_ledgers_counts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(1))
    assert codes(planned(stage)) == {}
    assert [record.message for record in caplog.records if "suppressions" in record.message] == [
        "no table suppressions is published: only the ledger's own are heeded"
    ]


def test_what_was_suppressed_by_hand_ends_when_lifted_and_what_a_source_tells_later_holds(tmp_path: Path) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(2))
    list_of(stage, {"customer_id": "c0001", "channel": "email", "reason": "complaint"})
    ledger = stage.ledger()
    desk = Suppressions(ledger, SALT)
    assert desk.suppress(Subject("customer", "c0000"), SAID)
    assert not desk.suppress(Subject("customer", "c0000"), SAID)
    assert codes(planned(stage)) == {"c0000": "suppressed", "c0001": "complaint"}
    assert [(row["value"], row["source"], row["why"]) for row in desk.listed()] == [("c0000", "ada", "asked by letter")]
    assert desk.lift(Subject("customer", "c0000"), SAID) == 1
    assert desk.lift(Subject("customer", "c0001"), SAID) == 0
    assert codes(planned(stage)) == {}
    later = datetime.now(UTC) + timedelta(minutes=1)
    list_of(stage, {"customer_id": "c0001", "channel": "email", "reason": "complaint", "since": later})
    assert codes(planned(stage)) == {"c0001": "complaint"}
    ledger.close()


def test_a_decision_without_a_reason_is_refused_and_not_entered(tmp_path: Path) -> None:
    ledger = stage_of(tmp_path).ledger()
    desk = Suppressions(ledger, SALT)
    with pytest.raises(ConfigError, match="give --reason"):
        desk.suppress(Subject("customer", "c1"), Decision("any", " ", "ada"))
    assert desk.listed() == []
    ledger.close()


# ---- holdout


def drawn(stage: Rehearsal, plan: Plan) -> set[str]:
    return {key for key, code in codes(plan).items() if code == "holdout"}


def test_a_share_of_the_customers_is_held_out_and_removed_from_the_channel(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, max_removal_share=0.9)
    stage.publish(people(2_000))
    deliver(stage, planned(stage))
    stage.terms["holdout"] = {"share": 0.2}
    stage.publish(people(2_000))
    plan = planned(stage)
    out = drawn(stage, plan)
    assert 330 < len(out) < 470
    assert sent(plan) == dict.fromkeys(out, "holdout")


def test_who_is_held_out_depends_on_nobody_else_and_is_the_same_in_every_sync_of_the_name(tmp_path: Path) -> None:
    one = stage_of(tmp_path / "one", holdout={"share": 0.3, "name": "winter"})
    one.publish(people(300))
    other = stage_of(tmp_path / "other", holdout={"share": 0.3, "name": "winter"})
    other.sync = "another__sync"
    other.publish(people(200, first=150)[::-1])
    mine, theirs = drawn(one, planned(one)), drawn(other, planned(other))
    both = {row["customer_id"] for row in people(150, first=150)}
    assert mine & both == theirs & both
    third = stage_of(tmp_path / "third", holdout={"share": 0.3, "name": "summer"})
    third.publish(people(300))
    assert drawn(third, planned(third)) != mine


def test_a_greater_share_takes_more_and_never_lets_go_or_takes_who_was_contacted(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, holdout={"share": 0.1, "name": "w"}, max_growth_floor=9_999)
    stage.publish(people(500))
    first = planned(stage)
    deliver(stage, first)
    stage.terms["holdout"] = {"share": 0.4, "name": "w"}
    stage.publish(people(1_000))
    grown = planned(stage)
    assert {key for key in drawn(stage, grown) if key < "c0500"} == drawn(stage, first)
    assert 150 < len({key for key in drawn(stage, grown) if key >= "c0500"}) < 250
    deliver(stage, grown)
    stage.terms["holdout"] = {"share": 0.05, "name": "w"}
    stage.publish(people(1_000))
    assert drawn(stage, planned(stage)) == drawn(stage, grown)


def test_a_preview_draws_nobody_for_good(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, holdout={"share": 0.5})
    stage.publish(people(20))
    ledger = stage.ledger()
    Planner(stage.lake, ledger, SALT).preview(stage.sync)
    assert ledger.engine.connect().exec_driver_sql("select count(*) from holdouts").scalar() == 0
    ledger.close()
    planned(stage)
    ledger = stage.ledger()
    assert ledger.engine.connect().exec_driver_sql("select count(*) from holdouts").scalar() > 0
    ledger.close()
