from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Hub


def test_whoever_unsubscribed_is_on_the_published_list_until_they_subscribe_again(hub: Hub) -> None:
    listed = hub.query("select customer_id, channel, reason from marts.suppressions")
    ada, olga = hub.customers("marketing/newsletter/N70", "marketing/newsletter/N176")
    assert (ada, "email", "unsubscribed") in listed
    assert olga is not None
    assert olga not in [customer for customer, _, _ in listed]


def test_who_left_from_a_mailbox_that_a_family_shares_is_whoever_carries_it(hub: Hub) -> None:
    whose = "select distinct customer_id from marts.customer_values where attribute = 'email' and value = ?"
    carriers = hub.query(whose, ["casa.bianchi@posta.example"])
    listed = hub.query("select customer_id from marts.suppressions where reason = 'unsubscribed'")
    assert len(carriers) == 2
    assert set(carriers) <= set(listed)
    assert "@" not in str(hub.query("select * from marts.suppressions"))
