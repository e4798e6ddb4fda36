from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Hub


def figures(hub: Hub, record: str, columns: str) -> tuple[object, ...]:
    [found] = hub.query(f"select {columns} from marts.customers where customer_id = ?", [hub.customer(record)])
    return found


def test_points_of_all_cards_in_a_wallet_count_once(hub: Hub) -> None:
    assert figures(hub, "crm/customers/50", "loyalty_points") == (100 + 50 + 30 - 40 + 60,)


def test_visits_count_days_and_not_cards(hub: Hub) -> None:
    assert figures(hub, "crm/customers/50", "visits_12m") == (3,)


def test_a_movement_of_a_card_that_no_registry_knows_belongs_to_nobody(hub: Hub) -> None:
    assert hub.query("select customer_id from marts.card_movements where record_key = '000000000506'") == [(None,)]


def test_cancelled_orders_are_kept_and_not_counted_and_refunds_are_taken_off(hub: Hub) -> None:
    assert figures(hub, "crm/customers/50", "orders, revenue::float") == (2, 60 + 70)
    assert hub.query("select is_counted, total::float from marts.orders where record_key = '502'") == [(False, 999)]


def test_an_order_collected_in_a_shop_is_one_purchase_with_two_halves(hub: Hub) -> None:
    assert figures(hub, "crm/customers/50", "frequency, monetary::float") == (5, 60 + 70 + 100 + 50 + 30)


def test_an_order_of_a_relative_on_the_account_belongs_to_the_relative(hub: Hub) -> None:
    assert figures(hub, "crm/customers/41", "orders, revenue::float") == (1, 80)
    assert figures(hub, "crm/customers/40", "orders, revenue::float") == (1, 20)


def test_order_lines_add_up_to_their_order(hub: Hub) -> None:
    lines = hub.query("select product, quantity, amount::float from marts.order_lines where order_id like '%/501'")
    assert sorted(lines) == [("Cavo", 1, 10), ("Tappetini", 2, 50)]


def test_each_lifecycle_stage_follows_from_what_was_bought_and_when(hub: Hub) -> None:
    stages = {record: figures(hub, f"crm/customers/{record}", "lifecycle_stage")[0] for record in range(160, 165)}
    assert stages == {160: "prospect", 161: "new", 162: "occasional", 163: "long_standing", 164: "lapsed"}


def test_loyal_are_those_who_bought_lately_often_and_for_much_with_the_figures(hub: Hub) -> None:
    found = hub.query("select customer_id, reason from marts.segments where segment = 'loyal'")
    lena = hub.customer("crm/customers/163")
    assert dict(found)[lena].startswith("3 purchases worth 900.00 EUR since 2023-03-10, the last on 2026-10-20")
    assert hub.customer("crm/customers/162") not in dict(found)


def test_who_still_reads_is_not_long_absent_and_a_mail_that_was_sent_is_no_sign_of_life(hub: Hub) -> None:
    absent = dict(hub.query("select customer_id, reason from marts.segments where segment = 'long_absent'"))
    assert absent[hub.customer("crm/customers/164")] == (
        "nothing heard since 2023-03-10, after 1 purchase worth 70.00 EUR"
    )
    assert hub.customer("crm/customers/165") not in absent


def test_known_without_a_tax_code_and_still_one_person_says_by_which_rules(hub: Hub) -> None:
    found = dict(hub.query("select customer_id, reason from marts.segments where segment = 'missing_tax_code'"))
    assert found[hub.customer("crm/customers/1")].startswith("2 of 4 records carry no tax code; one person by ")


def test_calls_orders_reviews_and_clicks_stand_in_one_timeline(hub: Hub) -> None:
    kinds = hub.query(
        "select kind from marts.interactions where customer_id = ? order by occurred_at",
        [hub.customer("crm/customers/163")],
    )
    assert [kind for (kind,) in kinds] == ["order", "order", "social_like", "social_lead", "order", "review"]
    assert hub.query("select kind, detail from marts.interactions where source = 'contact_centre' order by 2")[0] == (
        "call",
        "answered; queue assistance; waited 20 s; talked 100 s; language de; outcome resolved",
    )
