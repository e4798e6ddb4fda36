from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Hub


def values(hub: Hub, record: str, attribute: str) -> list[tuple[object, ...]]:
    return hub.query(
        "select value, source, record_key, kind, rule, is_winner from marts.customer_values"
        " where customer_id = ? and attribute = ? order by rank",
        [hub.customer(record), attribute],
    )


def test_the_most_trusted_source_wins_and_the_losers_are_kept(hub: Hub) -> None:
    assert [(source, wins) for _, source, _, _, _, wins in values(hub, "crm/customers/1", "first_name")] == [
        ("crm", True),
        ("aftersales", False),
        ("shop", False),
        ("loyalty", False),
    ]


def test_every_attribute_says_its_kind_its_rule_and_its_row(hub: Hub) -> None:
    assert values(hub, "crm/customers/23", "birth_date")[0] == (
        "1988-06-30", "crm", "23", "derived", "decoded from the tax code", True,
    )  # fmt: skip
    assert values(hub, "crm/customers/71", "language") == [
        ("de", "contact_centre", "1.70", "implicit", "as observed", True)
    ]
    assert values(hub, "crm/customers/70", "email")[0] == (
        "ada@posta.example", "crm", "70", "explicit", "as recorded", True,
    )  # fmt: skip


def test_birth_date_and_sex_follow_from_the_tax_code(hub: Hub) -> None:
    found = hub.query(
        "select birth_date::text, sex from marts.customers where customer_id = ?", [hub.customer("crm/customers/23")]
    )
    assert found == [("1988-06-30", "F")]


def test_town_province_and_region_follow_from_the_postcode(hub: Hub) -> None:
    found = hub.query(
        "select postcode, city, province, region from marts.customers where customer_id = ?",
        [hub.customer("crm/customers/151")],
    )
    assert found == [("09124", "Cagliari", "CA", "Sardegna")]


def test_an_address_that_contradicts_its_postcode_is_flagged(hub: Hub) -> None:
    found = hub.query("select record_key, stated_city, postcode_city, contradiction from marts.address_gaps order by 1")
    assert found == [
        ("150", "Milano", "Verona", "the postcode is of another province"),
        ("5111", "Segretopoli", "Bologna", "the postcode is of another town"),
    ]


def test_phones_are_e164_and_names_are_cased(hub: Hub) -> None:
    found = hub.query(
        "select phone, first_name from marts.customers where customer_id in (?, ?) order by 1",
        hub.customers("crm/customers/150", "loyalty/cards/2900000000011"),
    )
    assert found == [("+393331112233", "Giulia"), ("+393470000150", "Tito")]


def test_each_attribute_of_a_customer_has_one_winner_at_most(hub: Hub) -> None:
    assert not hub.query(
        "select customer_id, attribute from marts.customer_values where is_winner group by all having count(*) > 1"
    )


def test_an_address_comes_whole_from_one_record(hub: Hub) -> None:
    mixed = hub.query(
        """
        select customer_id
        from marts.customer_values
        where is_winner and attribute in ('street', 'postcode', 'city', 'province', 'region')
        group by customer_id
        having count(distinct source || stream || record_key) > 1
        """
    )
    assert not mixed


def test_a_value_carries_the_purposes_that_its_source_allows(hub: Hub) -> None:
    found = dict(hub.query("select source, any_value(purposes) from marts.customer_values group by source"))
    assert found["aftersales"] == "service"
    assert "email_marketing" in found["crm"].split(",")
    assert "ads_audiences" not in found["loyalty"].split(",")


def test_what_a_person_declared_is_usable_the_day_it_arrives_and_says_its_row_its_kind_and_its_rule(hub: Hub) -> None:
    found = hub.query(
        "select first_name, sex, birth_date::text from marts.customers_by_purpose"
        " where customer_id = ? and purpose = 'email_marketing'",
        [hub.customer("crm/customers/111")],
    )
    assert found == [("Quinto", "M", "1972-08-08")]
    loose = hub.query(
        "select attribute from marts.customer_values"
        " where kind not in ('explicit', 'implicit', 'derived') or rule is null or source is null or record_key is null"
    )
    assert not loose


def test_every_loser_says_by_which_criterion_and_no_winner_does(hub: Hub) -> None:
    assert values(hub, "crm/customers/1", "first_name")
    lost = hub.query("select distinct lost_to from marts.customer_values where not is_winner")
    assert {word for (word,) in lost} <= {
        "same value", "record", "validity", "kind", "place", "completeness", "trust", "agreement", "recency",
    }  # fmt: skip
    assert hub.query("select count(*) from marts.customer_values where is_winner and lost_to is not null") == [(0,)]
    assert hub.query(
        "select source, lost_to from marts.customer_values"
        " where customer_id = ? and attribute = 'email' and not is_winner order by rank",
        [hub.customer("crm/customers/111")],
    ) == [("aftersales", "trust"), ("shop", "same value")]


def test_the_order_of_candidates_is_one_without_gaps_for_every_attribute(hub: Hub) -> None:
    assert not hub.query(
        "select customer_id, attribute from marts.customer_values group by all having max(rank) <> count(*)"
    )


def test_a_missing_tax_code_takes_nothing_from_the_record(hub: Hub) -> None:
    found = hub.query(
        "select tax_code is not null, birth_date is not null from marts.customers where customer_id = ?",
        [hub.customer("crm/customers/23")],
    )
    assert found == [(True, True)]
    assert values(hub, "crm/customers/1", "tax_code")


def test_every_customer_of_the_golden_record_stands_in_the_view_of_service(hub: Hub) -> None:
    assert not hub.query(
        "select customer_id from marts.customers except"
        " select customer_id from marts.customers_by_purpose where purpose = 'service'"
    )
    assert not hub.query(
        """
        select customers.customer_id
        from marts.customers
        inner join marts.customers_by_purpose as views using (customer_id)
        where views.purpose = 'service'
            and (customers.email, customers.street, customers.revenue)
            is distinct from (views.email, views.street, views.revenue)
        """
    )
