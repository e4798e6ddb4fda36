from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Hub


def test_a_missing_tax_code_makes_no_second_person_when_other_evidence_agrees(hub: Hub) -> None:
    records = ("crm/customers/1", "shop/customers/11", "loyalty/cards/2900000000011", "aftersales/registrations/5001")
    assert len(set(hub.customers(*records))) == 1


def test_a_homocody_variant_is_the_same_tax_code(hub: Hub) -> None:
    codes = hub.query("select distinct tax_code_canonical from identity.person_records where last_key = 'conti'")
    assert codes == [("CNTGLI85D52H501H",), (None,)] or codes == [(None,), ("CNTGLI85D52H501H",)]


def test_two_different_valid_tax_codes_never_merge(hub: Hub) -> None:
    father, son = hub.customers("crm/customers/2", "crm/customers/3")
    one, other = hub.customers("crm/customers/6", "crm/customers/7")
    assert father != son
    assert one != other


def test_a_record_that_could_be_either_of_two_people_joins_neither_and_is_asked_about(hub: Hub) -> None:
    father, son, sparse = hub.customers("crm/customers/2", "crm/customers/3", "shop/customers/12")
    assert len({father, son, sparse}) == 3
    asked = hub.query(
        "select left_record, right_record from marts.identity_review"
        " where reason = 'could be either of two people' order by all"
    )
    assert asked == [("crm/customers/2", "shop/customers/12"), ("crm/customers/3", "shop/customers/12")]


def test_a_shared_mailbox_line_and_home_merge_nobody_whose_names_contradict(hub: Hub) -> None:
    for left, right in (("40", "41"), ("42", "43"), ("44", "45")):
        one, other = hub.customers(f"crm/customers/{left}", f"crm/customers/{right}")
        assert one != other, (left, right)


def test_a_shared_phone_and_name_merge_nobody_whose_birth_dates_contradict(hub: Hub) -> None:
    one, other = hub.customers("crm/customers/46", "crm/customers/47")
    assert one != other


def test_a_card_that_carries_three_peoples_contacts_merges_nobody(hub: Hub) -> None:
    holder, mailbox, line = hub.customers("crm/customers/50", "crm/customers/51", "crm/customers/52")
    assert len({holder, mailbox, line}) == 3
    assert hub.customer("loyalty/cards/2900000000053") == holder


def test_a_chain_in_which_only_neighbours_share_something_is_one_person(hub: Hub) -> None:
    chain = hub.customers(
        "shop/customers/21",
        "crm/customers/21",
        "aftersales/registrations/5020",
        "loyalty/cards/2900000000020",
        "shop/customers/20",
        "crm/customers/20",
    )
    assert len(set(chain)) == 1


def test_first_and_last_name_in_each_others_place_are_turned(hub: Hub) -> None:
    swapped, right = hub.customers("crm/customers/22", "shop/customers/22")
    assert swapped == right
    assert hub.query("select first_name, last_name from marts.customers where customer_id = ?", [swapped]) == [
        ("Chiara", "Ferrari")
    ]


def test_a_surname_changed_by_marriage_is_one_person_by_the_tax_code(hub: Hub) -> None:
    maiden, married = hub.customers("crm/customers/23", "crm/customers/24")
    assert maiden == married


def test_another_surname_is_one_person_by_mailbox_and_home_together_and_not_by_the_mailbox_alone(hub: Hub) -> None:
    maiden, married = hub.customers("crm/customers/200", "crm/customers/201")
    one, other = hub.customers("crm/customers/202", "crm/customers/203")
    assert maiden == married
    assert one != other


def test_placeholders_join_nobody(hub: Hub) -> None:
    assert len(set(hub.customers("crm/customers/26", "crm/customers/27", "crm/customers/28"))) == 3
    blocked = hub.query("select kind, records, reason from marts.identity_blocked order by kind")
    assert blocked == [("birth_date", 3, "blocklist"), ("email", 3, "blocklist")]


def test_a_blocked_identifier_is_named_by_a_hash_alone(hub: Hub) -> None:
    [(hashed,)] = hub.query("select value_hash from marts.identity_blocked where kind = 'email'")
    assert "aurora" not in hashed
    assert len(hashed) == 64


def test_who_is_known_by_an_address_alone_belongs_to_its_only_owner(hub: Hub) -> None:
    assert hub.customer("marketing/newsletter/N164") == hub.customer("crm/customers/164")
    assert hub.customer("contact_centre/calls/1.70") == hub.customer("crm/customers/71")
    assert hub.customer("marketing/ad_clicks/C1") == hub.customer("crm/customers/160")


def test_a_social_profile_is_its_leads_mailbox_before_and_after_the_lead(hub: Hub) -> None:
    liked, lead = hub.customers("marketing/social/S1", "marketing/social/S2")
    assert liked == lead == hub.customer("crm/customers/163")


def test_an_event_from_an_address_of_several_people_belongs_to_none_of_them(hub: Hub) -> None:
    assert hub.customer("marketing/newsletter/N40") is None


def test_a_number_that_nobody_knows_makes_no_customer(hub: Hub) -> None:
    assert hub.customers("contact_centre/calls/1.71", "contact_centre/calls/1.72") == [None, None]


def test_every_kept_edge_joins_one_customer_and_says_its_rule(hub: Hub) -> None:
    broken = hub.query(
        """
        select count(*)
        from marts.identity_edges as edges
        inner join identity.customer_ids as lefts on edges.left_record = lefts.record
        inner join identity.customer_ids as rights on edges.right_record = rights.record
        where edges.kept <> (lefts.customer_id = rights.customer_id)
            or edges.rule not in (select rule from seeds.identity_rules union all values ('likelihood'), ('decision'))
        """
    )
    assert broken == [(0,)]


def test_a_household_is_the_people_who_live_together(hub: Hub) -> None:
    def household(*records: str) -> list[str | None]:
        found = dict(hub.query("select customer_id, household_id from marts.household_members"))
        return [found.get(customer) for customer in hub.customers(*records)]

    mother, son = household("crm/customers/40", "crm/customers/41")
    holder, wife, child = household("crm/customers/50", "crm/customers/51", "crm/customers/52")
    assert mother == son
    assert holder == wife == child != mother


def test_who_has_no_known_home_has_no_household(hub: Hub) -> None:
    found = hub.query(
        "select household_id from marts.customers where customer_id = ?", [hub.customer("crm/customers/160")]
    )
    assert found == [(None,)]
