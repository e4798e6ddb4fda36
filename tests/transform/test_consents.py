from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Hub


def state(hub: Hub, record: str, purpose: str, channel: str) -> str | None:
    found = hub.query(
        "select state from marts.consent_current where customer_id = ? and purpose = ? and channel = ?",
        [hub.customer(record), purpose, channel],
    )
    return found[0][0] if found else None


def test_a_withdrawal_anywhere_stands_against_a_consent_elsewhere(hub: Hub) -> None:
    assert state(hub, "crm/customers/70", "email_marketing", "email") == "no"


def test_a_caller_who_asks_to_be_left_alone_is_left_alone_for_everything_but_service(hub: Hub) -> None:
    purposes = {"email_marketing": "email", "profiling": "any", "ads_audiences": "ads", "service": "phone"}
    found = {purpose: state(hub, "crm/customers/71", purpose, channel) for purpose, channel in purposes.items()}
    assert found == {"email_marketing": "no", "profiling": "no", "ads_audiences": "no", "service": "yes"}


def test_no_evidence_is_no_row_and_so_no_consent(hub: Hub) -> None:
    assert state(hub, "crm/customers/72", "email_marketing", "email") is None
    assert state(hub, "crm/customers/74", "ads_audiences", "ads") is None


def test_within_one_source_the_latest_answer_stands(hub: Hub) -> None:
    assert state(hub, "crm/customers/73", "email_marketing", "email") == "yes"


def test_of_two_answers_at_one_moment_the_refusal_stands(hub: Hub) -> None:
    assert state(hub, "crm/customers/74", "email_marketing", "email") == "no"


def test_consent_for_any_channel_covers_the_purposes_channel_and_no_other_purpose(hub: Hub) -> None:
    assert state(hub, "crm/customers/75", "email_marketing", "email") == "yes"
    assert state(hub, "crm/customers/75", "ads_audiences", "ads") is None


def test_a_refusal_from_a_shared_mailbox_holds_for_each_of_its_owners(hub: Hub) -> None:
    assert state(hub, "crm/customers/40", "email_marketing", "email") == "no"
    assert state(hub, "crm/customers/41", "email_marketing", "email") == "no"


def test_a_decision_names_the_row_that_decides(hub: Hub) -> None:
    found = hub.query(
        "select decided_by_source, record_key, rule from marts.consent_current"
        " where customer_id = ? and purpose = 'email_marketing'",
        [hub.customer("crm/customers/70")],
    )
    assert found == [("marketing", "N70", "a refusal stands against any other source")]


def test_an_empty_box_on_the_card_form_is_no_evidence(hub: Hub) -> None:
    ticked = hub.query("select distinct record_key from marts.consents where source = 'loyalty'")
    assert ticked == [("2900000000011",)]
