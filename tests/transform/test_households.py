"""Who lives together, and who only shares a street number, a surname or a line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Hub

HOUSEHOLDS = (
    "build", "--select", "+households", "+customers_by_purpose", "--exclude-resource-type", "test",
    "--exclude-resource-type", "unit_test",
)  # fmt: skip
FAMILIES = (
    "Abate", "Acerbi", "Baldini", "Barbieri", "Calvi", "Caruso", "D'Amico", "Donati", "Esposito", "Fabbri",
    "Fontana", "Gallo", "Giordano", "Iannone", "Lombardi", "Longo", "Mancini", "Moretti", "Negri", "Orlando",
    "Pagani", "Quaglia", "Ricci", "Rinaldi", "Santoro", "Serra", "Tedesco", "Urso", "Valentini", "Vitale",
    "Zanetti", "Amato", "Bassi", "Bruni", "Cattaneo", "Coppola", "Farina", "Ferraro", "Grassi", "Guerra",
    "Leone", "Marchetti", "Messina", "Neri", "Palumbo", "Parisi", "Piras", "Riva", "Romano", "Ruggiero",
    "Sanna", "Silvestri", "Sorrentino", "Testa", "Ventura", "Villani", "Zappa", "Bernardi", "Colombo", "Costa",
    "Ferrero", "Gentile", "Martini", "Monti", "Pellegrini",
)  # fmt: skip
GIVEN = ("Ada", "Bruno", "Carla", "Dario", "Elena", "Fabio", "Gina", "Ivo", "Lara", "Mario", "Nadia", "Oscar", "Paola")

Person = dict[str, Any]


def person(number: int, given: str, family: str, street: str | None, **more: Any) -> Person:
    more.setdefault("birth_date", date(1940 + number % 50, 1 + number % 12, 1 + number % 28))
    home = {"street": street, "postcode": "40121", "city": "Bologna"} if street else {}
    return {"customer_no": number, "first_name": given, "last_name": family, **home, **more}


KNOWN = [
    # mother, father and a child; nobody says who is the head
    person(1, "Anna", "Bellini", "Via Mazzini 3", birth_date=date(1980, 1, 2), sex="F"),
    person(2, "Carlo", "Bellini", "Via Mazzini 3", birth_date=date(1978, 3, 4), sex="M"),
    person(3, "Mia", "Bellini", "Via Mazzini 3", birth_date=date(2015, 5, 6), sex="F"),
    # a couple without a common surname, on one line at one home
    person(4, "Rita", "Sala", "Via Dante 4", phone="051 6004004", birth_date=date(1990, 1, 1)),
    person(5, "Ugo", "Conti", "Via Dante 4", phone="051 6004004", birth_date=None),
    # flat-mates: one home and nothing else
    person(6, "Lia", "Ferri", "Via Po 6", birth_date=date(1999, 1, 1)),
    person(7, "Teo", "Marini", "Via Po 6", birth_date=date(1998, 1, 1)),
    # twins
    person(8, "Elisa", "Greco", "Via Lame 8", birth_date=date(2001, 9, 9)),
    person(9, "Elena", "Greco", "Via Lame 8", birth_date=date(2001, 9, 9)),
    # a son who moved out and still uses his mother's mailbox
    person(10, "Marta", "Villa", "Via Saragozza 10", email="villa@posta.example", birth_date=date(1960, 1, 1)),
    person(11, "Luca", "Villa", "Via Emilia 11", email="villa@posta.example", birth_date=date(1990, 2, 2)),
    # colleagues who gave the office's number and no home
    *(person(20 + n, GIVEN[n], FAMILIES[n], None, phone="051 6002020", email=f"c{n}@posta.example") for n in range(5)),
    # an office given as a home, with its number
    *(
        person(40 + n, GIVEN[n % 13], FAMILIES[5 + n], "Via Industria 1", phone="051 6004040" if n < 5 else None)
        for n in range(20)
    ),
    # a building of many flats: three of a frequent surname, two of a rare one
    *(person(100 + n, GIVEN[n % 13], FAMILIES[25 + n], "Via Torre 1") for n in range(40)),
    *(person(150 + n, GIVEN[n], "Rossi", "Via Torre 1") for n in range(3)),
    person(160, "Ada", "Zunica", "Via Torre 1"),
    person(161, "Ivo", "Zunica", "Via Torre 1"),
    *(
        person(200 + n, GIVEN[n % 13], "Rossi", f"Via Lunga {n}", birth_date=date(1950 + n, 1 + n % 12, 3))
        for n in range(40)
    ),
    person(300, "Piera", "Sforza", None, email="piera@posta.example"),
    person(301, "Aldo", "Sforza", None, email="aldo@posta.example"),
]
# The workshop alone knows that these two share a home.
WORKSHOP = [
    {"registration_no": n, "holder_name": f"{given} Sforza", "email": f"{given.lower()}@posta.example",
     "street": "Via Segreta 1", "postcode": "20121"}
    for n, given in enumerate(("Piera", "Aldo"))
]  # fmt: skip


@pytest.fixture(scope="module")
def town(make_hub: Callable[..., Hub]) -> Hub:
    """A town of families, flat-mates, offices and a tower."""
    return make_hub({"crm.customers": KNOWN, "aftersales.registrations": WORKSHOP}).make(*HOUSEHOLDS)


def households(hub: Hub, *numbers: int) -> list[str | None]:
    found = dict(hub.query("select customer_id, household_id from marts.household_members"))
    return [found.get(customer or "") for customer in hub.customers(*(f"crm/customers/{n}" for n in numbers))]


def household(hub: Hub, number: int, columns: str) -> tuple[Any, ...]:
    [found] = hub.query(f"select {columns} from marts.households where household_id = ?", [households(hub, number)[0]])
    return found


def test_relatives_under_one_roof_are_one_household_and_stay_people_of_their_own(town: Hub) -> None:
    assert len(set(households(town, 1, 2, 3))) == 1
    assert len(set(town.customers("crm/customers/1", "crm/customers/2", "crm/customers/3"))) == 3
    assert household(town, 1, "members, adults, children, surname, surnames, evidence") == (
        3, 2, 1, "Bellini", "Bellini", "home and surname",
    )  # fmt: skip


def test_the_head_is_an_adult_and_one_alone(town: Hub) -> None:
    heads = town.query(
        "select household_id from marts.household_members group by household_id having count_if(is_head) <> 1"
    )
    child = town.customer("crm/customers/3")
    assert not heads
    assert household(town, 1, "head_customer_id")[0] in set(town.customers("crm/customers/1", "crm/customers/2"))
    assert town.query("select age_group, is_head from marts.household_members where customer_id = ?", [child]) == [
        ("child", False)
    ]


def test_two_surnames_are_one_household_by_a_home_and_a_line(town: Hub) -> None:
    assert len(set(households(town, 4, 5))) == 1
    assert household(town, 4, "surnames, adults, evidence") == ("Conti, Sala", 1, "home, shared phone")


def test_flat_mates_are_two_households(town: Hub) -> None:
    one, other = households(town, 6, 7)
    assert None not in (one, other)
    assert one != other


def test_twins_are_two_people_of_one_household(town: Hub) -> None:
    assert len(set(households(town, 8, 9))) == 1
    assert household(town, 8, "members, adults") == (2, 2)


def test_a_child_who_moved_out_is_another_household_whatever_the_mailbox(town: Hub) -> None:
    mother, son = households(town, 10, 11)
    assert None not in (mother, son)
    assert mother != son


def test_colleagues_on_an_offices_line_are_no_household(town: Hub) -> None:
    assert households(town, *range(20, 25)) == [None] * 5
    assert len(set(households(town, *range(40, 60)))) == 20


def test_in_a_building_of_many_flats_a_frequent_surname_makes_no_household_and_a_rare_one_does(town: Hub) -> None:
    assert len(set(households(town, 150, 151, 152))) == 3
    assert len(set(households(town, 160, 161))) == 1


def test_a_household_that_the_workshop_alone_could_tell_does_not_exist(town: Hub) -> None:
    assert households(town, 300, 301) == [None, None]
    homes = town.query(
        "select distinct household_id from marts.customers_by_purpose where customer_id in (?, ?)",
        town.customers("crm/customers/300", "crm/customers/301"),
    )
    assert homes == [(None,)]


def test_no_household_spans_two_known_homes(town: Hub) -> None:
    assert not town.query(
        """
        select members.household_id
        from marts.household_members as members
        inner join figures.customer_addresses as known on members.customer_id = known.customer_id
        where known.street_key is not null
        group by members.household_id
        having count(distinct known.street_key || known.postcode) > 1
        """
    )
