from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Hub


def test_the_mailing_takes_consented_customers_and_exactly_the_channels_columns(hub: Hub) -> None:
    columns = [name for name, *_ in hub.query("describe activation.brevo__long_absent")]
    assert columns == [
        "customer_id", "email", "first_name", "last_name", "salutation", "language", "lifecycle_stage", "city",
        "last_order_on",
    ]  # fmt: skip
    members = {customer for (customer,) in hub.query("select customer_id from activation.brevo__long_absent")}
    assert members == {hub.customer("crm/customers/111"), hub.customer("crm/customers/164")}


def test_a_mailbox_known_to_the_workshop_alone_never_reaches_a_mailing(hub: Hub) -> None:
    piero = hub.customer("crm/customers/110")
    assert hub.query("select email from marts.customers where customer_id = ?", [piero]) == [
        ("piero.segreto@posta.example",)
    ]
    assert (piero,) in hub.query("select customer_id from marts.segments where segment = 'long_absent'")
    assert not hub.query("select * from activation.brevo__long_absent where customer_id = ?", [piero])


def test_where_the_workshop_and_the_shop_differ_marketing_knows_the_shops_alone(hub: Hub) -> None:
    quinto = hub.customer("crm/customers/111")
    assert hub.query(
        "select email, city, last_order_on::text from activation.brevo__long_absent where customer_id = ?", [quinto]
    ) == [("quinto@posta.example", "Bologna", "2024-01-11")]
    assert hub.query("select last_order_on::text from marts.customers where customer_id = ?", [quinto]) == [
        ("2026-10-01",)
    ]


def test_no_value_of_a_service_only_source_stands_in_any_audience(hub: Hub) -> None:
    secrets = hub.query(
        "select value from marts.customer_values where source in ('aftersales', 'contact_centre')"
        " and attribute in ('email', 'street', 'city') except"
        " select value from marts.customer_values where source not in ('aftersales', 'contact_centre')"
    )
    audience = str(hub.query("select * from activation.brevo__long_absent"))
    assert secrets
    assert not [value for (value,) in secrets if value in audience]


def test_the_letter_opens_with_the_customers_name_in_the_customers_voice(hub: Hub) -> None:
    found = dict(hub.query("select first_name, salutation from activation.brevo__long_absent"))
    assert found == {"Quinto": "Gentile Sig. Doppio", "Vito": "Gentile Sig. Distante"}


def test_the_webhook_takes_who_agreed_to_profiling_with_reason_and_figures(hub: Hub) -> None:
    columns = [name for name, *_ in hub.query("describe activation.webhook__loyal")]
    assert columns == ["customer_id", "segment", "reason", "orders", "revenue", "last_order_on", "household_id"]
    found = hub.query("select customer_id, orders, revenue::float from activation.webhook__loyal")
    assert found == [(hub.customer("crm/customers/163"), 3, 900)]


def test_advertisers_audiences_take_who_ticked_that_box_with_mailbox_and_number(hub: Hub) -> None:
    rita = (hub.customer("shop/customers/131"), "rita.ads@posta.example", "+393331310131")
    for sync in ("file__long_absent", "meta__long_absent", "google__long_absent"):
        assert hub.query(f"select customer_id, email, phone from activation.{sync}") == [rita], sync
    absent = {who for (who,) in hub.query("select customer_id from marts.segments where segment = 'long_absent'")}
    remo, rosa = (hub.customer(f"shop/customers/{number}") for number in (132, 133))
    assert {remo, rosa} <= absent
    answers = hub.query(
        "select customer_id, state from marts.consent_current where purpose = 'ads_audiences' and channel = 'ads'"
    )
    assert {who: state for who, state in answers if who in (remo, rosa)} == {remo: "no"}
