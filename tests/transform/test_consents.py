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


def reason(hub: Hub, record: str, purpose: str) -> tuple[str, str] | None:
    """What was decided for the purpose's own channel, and why."""
    found = hub.query(
        "select current.state, current.reason from marts.consent_current as current"
        " inner join seeds.purpose_channels using (purpose, channel) where customer_id = ? and purpose = ?",
        [hub.customer(record), purpose],
    )
    return found[0] if found else None


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


def test_a_yes_without_a_legal_basis_for_its_purpose_is_none(hub: Hub) -> None:
    assert reason(hub, "crm/customers/170", "email_marketing") == ("no", "no legal basis")
    assert reason(hub, "crm/customers/170", "sms_marketing") == ("no", "no legal basis")


def test_a_yes_of_a_child_is_none(hub: Hub) -> None:
    assert reason(hub, "crm/customers/171", "email_marketing") == ("no", "given by a minor")


def test_a_yes_dated_tomorrow_does_not_count_before_its_day(hub: Hub) -> None:
    assert reason(hub, "crm/customers/172", "email_marketing") == ("no", "dated in the future")


def test_a_notice_grants_what_it_covers_while_it_is_in_use(hub: Hub) -> None:
    assert reason(hub, "crm/customers/172", "ads_audiences") == ("no", "notice does not cover it")
    assert reason(hub, "crm/customers/172", "profiling") == ("no", "notice does not cover it")


def test_an_unknown_version_of_a_notice_is_read_as_the_sources_default(hub: Hub) -> None:
    assert reason(hub, "crm/customers/172", "sms_marketing") == ("yes", "granted")


def test_a_yes_that_is_none_takes_nothing_from_a_valid_one_and_lifts_no_refusal(hub: Hub) -> None:
    assert reason(hub, "crm/customers/173", "email_marketing") == ("yes", "granted")
    assert reason(hub, "crm/customers/173", "sms_marketing") == ("no", "denied")


def test_a_withdrawal_by_a_number_holds_for_whoever_carries_it_later(hub: Hub) -> None:
    assert reason(hub, "crm/customers/174", "email_marketing") == ("no", "withdrawn")


def test_who_left_by_a_mailbox_comes_back_by_it(hub: Hub) -> None:
    assert reason(hub, "crm/customers/175", "email_marketing") == ("yes", "granted")


def test_two_entries_of_one_person_take_the_more_restrictive_answer(hub: Hub) -> None:
    assert hub.customer("crm/customers/176") == hub.customer("crm/customers/177")
    assert reason(hub, "crm/customers/177", "email_marketing") == ("no", "denied")


def test_a_withdrawal_of_nobody_known_is_kept_under_a_hash_of_its_number(hub: Hub) -> None:
    found = hub.query("select subject, state from marts.consents where record_key = '1.199' and purpose = 'profiling'")
    assert [(subject[:6], len(subject), state) for subject, state in found] == [("phone:", 70, "withdrawn")]
    assert hub.query("select count(*) from marts.consent_suppressions where record_key = '1.199'") == [(5,)]
    published = str(hub.query("select * from marts.consents") + hub.query("select * from marts.consent_suppressions"))
    assert "3400000199" not in published


def test_every_piece_of_evidence_stands_in_the_history(hub: Hub) -> None:
    said = "select distinct source, stream, record_key, purpose, channel from consents.consent_said"
    kept = "select distinct source, stream, record_key, purpose, channel from marts.consents"
    assert hub.query(said)
    assert not hub.query(f"{said} except {kept}")


def test_the_matrix_counts_every_customer_once_for_each_purpose_and_channel(hub: Hub) -> None:
    everybody = hub.query("select count(*) from marts.customers")
    assert hub.query(
        "select distinct sum(customers) over (partition by purpose, channel) from marts.consent_coverage"
    ) == (everybody)
    assert hub.query("select distinct round(sum(share), 9) from marts.consent_coverage group by purpose, channel") == [
        (1,)
    ]


def test_every_excluded_member_is_counted_once(hub: Hub) -> None:
    counted = hub.query(
        """
        select segment, purpose, channel, any_value(members) - sum(excluded)
        from marts.consent_exclusions
        group by segment, purpose, channel
        """
    )
    for segment, purpose, channel, left in counted:
        willing = hub.query(
            "select count(*) from marts.segments as members inner join marts.consent_current as consents"
            " using (customer_id) where segment = ? and purpose = ? and channel = ? and state = 'yes'"
            " and list_contains(string_split(purposes, ','), purpose)",
            [segment, purpose, channel],
        )
        assert willing == [(left,)]
    found = hub.query(
        "select excluded, syncs from marts.consent_exclusions where segment = 'loyal' and purpose = 'profiling'"
    )
    assert found == [(1, "hubspot__loyal, odoo__loyal, webhook__loyal")]
