"""The first days: a lake of a few records, in which nothing can be learned yet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Hub

HOME = {"street": "Via Torre 1", "postcode": "37121", "city": "Verona", "province": "VR"}
TOWN = {"postcode": "37121", "city": "Verona", "province": "VR"}
CUSTOMERS = [
    {"first_name": "Mario", "last_name": "Rossi", "email": "mario@casa.example", "mobile": "3401112221"},
    {"first_name": "Mario", "last_name": "Rossi", "email": "rossim@posta.example", "mobile": "3401112222"},
    {"first_name": "Carla", "last_name": "Urso", **HOME},
    {"first_name": "Carla", "last_name": "Silvestri", **HOME},
    {"first_name": "Anna", "last_name": "Neri", **TOWN},
    {"first_name": "Anna", "last_name": "Neri", **TOWN},
    {"first_name": "Aldo", "last_name": "Ricci", "email": "aldo.ricci@posta.example", **HOME},
    {"first_name": "Aldo", "last_name": "Ricci", "email": "aldo.ricci2@posta.example", **HOME},
    {
        "first_name": "Luca", "last_name": "Verdi", "birth_date": date(1980, 3, 9),
        "email": "luca.verdi@posta.example", "mobile": "3471110001", "city": "Bari",
    },
    {
        "first_name": "Luca", "last_name": "Verdi", "birth_date": date(1980, 3, 9),
        "email": "luca.verdi80@rete.example", "mobile": "3382220002", "city": "Asti",
    },
    {"first_name": "Giulia", "last_name": "Conti", "tax_code": "CNTGLI85D52H501H", "email": "giulia@posta.example"},
    {"tax_code": "RSSMRC60C05L781Z", "email": "giulia@posta.example"},
    {"first_name": "Rita", "last_name": "Pozzi", **HOME},
    {"first_name": "Rita", "last_name": "Pozzi", **HOME},
    {"first_name": "Mara", "last_name": "Testa", "email": "casa.testa@posta.example"},
    {"tax_code": "RSSLCU85A01H501P", "email": "casa.testa@posta.example"},
    {"tax_code": "BNCMRA80A41H501E", "email": "casa.testa@posta.example"},
    {"tax_code": "RSSLCU85A01H501P", "email": "zona.franca@posta.example"},
    {"tax_code": "BNCMRA80A41H501E", "email": "zona.franca@posta.example"},
    {"first_name": "Giulia", "last_name": "Bruni", "sex": "F", "email": "g.bruni@posta.example"},
    {"first_name": "Roberto", "sex": "M", "email": "g.bruni@posta.example"},
    {"birth_date": date(1950, 3, 3), "email": "due.date@posta.example"},
    {"birth_date": date(1984, 9, 9), "email": "due.date@posta.example"},
    {"birth_date": date(1984, 9, 9), "email": "due.date@posta.example"},
]  # fmt: skip


@pytest.fixture(scope="module")
def few(make_hub: Callable[..., Hub]) -> Hub:
    """Records in pairs, two people each, but for the Pozzi; then those who share a mailbox, some without a name."""
    rows = [{"customer_no": number, **customer} for number, customer in enumerate(CUSTOMERS)]
    chosen = ("+customer_sources", "+identity_review")
    told = ("--exclude-resource-type", "test", "unit_test", "--select", *chosen)
    return make_hub({"crm.customers": rows}).make("build", *told)


@pytest.mark.parametrize(
    "first",
    [0, 2, 4, 6, 8, 10],
    ids=[
        "mobiles one digit apart",
        "two surnames at one home",
        "one name in one town",
        "a mailbox of each one's name at one home",
        "homonyms of a day",
        "another tax code without a name behind one mailbox",
    ],
)
def test_in_a_small_lake_two_people_stay_two(few: Hub, first: int) -> None:
    one, other = few.customers(f"crm/customers/{first}", f"crm/customers/{first + 1}")
    assert one is not None
    assert one != other


def test_in_a_small_lake_one_name_at_one_home_is_one_person(few: Hub) -> None:
    one, other = few.customers("crm/customers/12", "crm/customers/13")
    assert one is not None
    assert one == other


def test_who_has_only_an_address_in_common_with_somebody_who_contradicts_them_is_neither(few: Hub) -> None:
    testa, luca, maria, luca_again, maria_again = few.customers(*(f"crm/customers/{n}" for n in range(14, 19)))
    assert len({testa, luca, maria}) == 3
    assert (luca_again, maria_again) == (luca, maria)
    giulia, roberto, elder, younger, again = few.customers(*(f"crm/customers/{n}" for n in range(19, 24)))
    assert giulia != roberto
    assert elder != younger
    assert younger == again


def test_no_customer_has_two_tax_codes_whatever_brought_its_records_together(few: Hub) -> None:
    assert (
        few.query(
            "select customer_id from marts.customer_sources inner join identity.person_records using (source, stream,"
            " record_key) group by customer_id having count(distinct tax_code_canonical) > 1"
        )
        == []
    )


def test_only_those_who_might_be_one_person_are_asked_about(few: Hub) -> None:
    asked = few.query("select left_record, right_record, reason from marts.identity_review order by all")
    assert asked == [
        ("crm/customers/6", "crm/customers/7", "could be either of two people"),
        ("crm/customers/8", "crm/customers/9", "could be either of two people"),
    ]
