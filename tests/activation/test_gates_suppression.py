from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from tests.activation.gating import bounced, codes, deliver, kept, list_of, people, planned, sent, stage_of

from snello.activation import Bounce
from snello.activation.feedback import suppress
from snello.activation.suppressions import Decision, Subject, Suppressions, address_hash
from snello.errors import ConfigError
from snello.kit.channel.rehearsal import SALT

pytestmark = pytest.mark.usefixtures("on_both")

SAID = Decision("email", "asked by letter", "ada")


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


@pytest.mark.parametrize("by_hand", [True, False])
def test_under_another_salt_no_sync_runs_that_would_write_to_addresses_on_the_list(
    tmp_path: Path, by_hand: bool
) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(2))
    with closing(stage.ledger()) as ledger:
        if by_hand:
            Suppressions(ledger, "before").suppress(Subject("address", "a-hash"), SAID)
        else:
            suppress(ledger, stage.sync, "email", [Bounce("c0009", "hard", "persona1@posta.example")], "before")
        with pytest.raises(ConfigError, match="another salt"):
            planned(stage)
        with pytest.raises(ConfigError, match="another salt"):
            Suppressions(ledger, SALT).lift(Subject("address", "a-hash"), SAID)
        Suppressions(ledger, "before").lift(Subject("customer", "c0009"), SAID)


@pytest.mark.parametrize("how", ["complaint", "manual"])
def test_who_complains_or_is_suppressed_by_hand_after_unsubscribing_gets_no_service_message_either(
    tmp_path: Path, how: str
) -> None:
    stage = stage_of(tmp_path, purpose="service")
    stage.publish(people(2))
    with closing(stage.ledger()) as ledger:
        suppress(ledger, stage.sync, "email", [Bounce("c0001", "unsubscribed")])
        assert codes(planned(stage)) == {}
        if how == "manual":
            assert Suppressions(ledger, SALT).suppress(Subject("customer", "c0001"), SAID)
        else:
            assert suppress(ledger, stage.sync, "email", [Bounce("c0001", "complaint")]) == 1
        assert suppress(ledger, stage.sync, "email", [Bounce("c0001", "unsubscribed")]) == 0
    assert list(codes(planned(stage))) == ["c0001"]


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


def test_where_no_list_was_published_the_ledgers_counts_and_no_run_speaks_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stage = stage_of(tmp_path)
    stage.publish(people(2))
    bounced(stage, value="c0001", reason="hard")
    assert codes(planned(stage)) == {"c0001": "hard_bounce"}
    assert [record.message for record in caplog.records if "suppressions" in record.message] == []


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
