from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Hub


def test_a_role_is_yes_no_or_unknown_with_the_row_that_says_so(hub: Hub) -> None:
    found = hub.query(
        """
        select customers.first_name, roles.role, roles.state, roles.record_key
        from marts.customer_roles as roles
        inner join marts.customers as customers on roles.customer_id = customers.customer_id
        where customers.last_name = 'Ricci' and roles.source = 'aftersales'
        order by all
        """
    )
    assert found == [
        ("Olga", "driver", "no", "5101"),
        ("Olga", "insured", "no", "1"),
        ("Olga", "owner", "yes", "5101"),
        ("Olga", "policy_holder", "yes", "1"),
        ("Paola", "driver", "unknown", "5102"),
        ("Paola", "insured", "unknown", "2"),
        ("Paola", "owner", "unknown", "5102"),
        ("Paola", "policy_holder", "unknown", "2"),
        ("Rita", "driver", "yes", "5103"),
        ("Rita", "insured", "no", "3"),
        ("Rita", "owner", "no", "5103"),
        ("Rita", "policy_holder", "no", "3"),
        ("Sonia", "driver", "unknown", "5104"),
        ("Sonia", "insured", "yes", "5"),
        ("Sonia", "owner", "unknown", "5104"),
        ("Sonia", "policy_holder", "unknown", "4"),
    ]


def test_unknown_roles_are_listed_for_their_owner_to_mend(hub: Hub) -> None:
    gaps = hub.query("select stream, record_key, role from marts.role_gaps where stream = 'care_plans' order by all")
    assert gaps == [
        ("care_plans", "2", "insured"),
        ("care_plans", "2", "policy_holder"),
        ("care_plans", "4", "insured"),
        ("care_plans", "4", "policy_holder"),
    ]


def test_a_segment_that_rests_on_a_role_takes_only_yes(hub: Hub) -> None:
    members = dict(hub.query("select customer_id, reason from marts.segments where segment = 'roles_certain'"))
    olga, sonia = hub.customers("aftersales/registrations/5101", "aftersales/registrations/5104")
    assert members == {
        olga: "policy holder by care plan 1 (aftersales/care_plans/1)",
        sonia: "insured by care plan 5 (aftersales/care_plans/5)",
    }
