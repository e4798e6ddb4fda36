"""What a person is asked: one question two customers, in words, and none whose answer is known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import product
from typing import TYPE_CHECKING

import pytest

from snello.identity.contradictions import Profile, contradiction, profile

if TYPE_CHECKING:
    from conftest import Hub

HOME = {"street": "Via dei Tigli 3", "postcode": "37121", "city": "Verona"}
ABROAD = {"street": "Via Roma 8", "postcode": "90133", "city": "Palermo"}
NAMESAKE = {"first_name": "Ermenegildo", "last_name": "Zanardelli"}
SLIP = {"first_name": "Fiorenza", "last_name": "Quattrocchi", "email": "fiore@posta.example"}
FATHER = {"first_name": "Evaristo", "last_name": "Malaspina", "email": "famiglia@posta.example"}
CUSTOMERS = [
    # likely to be one, were it not for their birth dates
    {**NAMESAKE, **HOME, "birth_date": date(1984, 11, 25)},
    {**NAMESAKE, **HOME, "birth_date": date(1950, 3, 7)},
    # likely to be one: two records of hers, and two that differ by a slip and a surname
    {**SLIP, **ABROAD, "birth_date": date(1971, 2, 14)},
    {**SLIP, **ABROAD, "birth_date": date(1971, 2, 14), "mobile": "3470000101"},
    {"first_name": "Fiorenza", "last_name": "Buonaccorsi", **ABROAD, "birth_date": date(1971, 2, 15)},
    # one of two who have a mailbox in common
    {**FATHER, "birth_date": date(1950, 1, 20)},
    {**FATHER, "birth_date": date(1984, 6, 30)},
    FATHER,
]


@pytest.fixture(scope="module")
def asked(make_hub: Callable[..., Hub]) -> Hub:
    """A company that asks a person wherever likelihood is not quite certain."""
    rows = [{"customer_no": number, **customer} for number, customer in enumerate(CUSTOMERS)]
    chosen = ("--select", "+customer_sources", "+identity_review", "--exclude-resource-type", "test", "unit_test")
    return make_hub({"crm.customers": rows}).make("build", *chosen, "--vars", "{likelihood_accept: 0.99999}")


def test_nobody_is_asked_about_two_who_contradict_each_other(asked: Hub) -> None:
    rows = asked.query("select record, tax_code, birth_date, sex, name from identity.person_marks")
    said = {record: profile(*marks) for record, *marks in rows}
    members: dict[str, list[str]] = {}
    for record, customer in asked.ids().items():
        members.setdefault(customer, []).append(record)

    def opposed(one: str, other: str) -> set[str]:
        pairs = product(members[one], members[other])
        found = {contradiction(said.get(mine, Profile()), said.get(theirs, Profile())) for mine, theirs in pairs}
        return {why for why in found if why}

    questions = asked.query("select left_customer, right_customer, contradiction, reason from marts.identity_review")
    assert questions
    for one, other, told, reason in questions:
        assert told == min(opposed(one, other), default=None)
        assert told is None or reason == "could be either of two people"
    waiting = {
        tuple(sorted(row)) for row in asked.query("select left_customer, right_customer from identity.open_pairs")
    }
    dropped = waiting - {tuple(sorted(row[:2])) for row in questions}
    assert dropped
    assert all(opposed(*couple) for couple in dropped)


def test_two_customers_are_one_question_however_many_pairs_ask_it(asked: Hub) -> None:
    couples = asked.query(
        "select least(left_customer, right_customer), count(*) from marts.identity_review group by all"
    )
    assert couples
    [(pairs, moves, evidence)] = asked.query(
        "select pairs, moves, evidence from marts.identity_review where reason = 'likely, not certain'"
    )
    assert (pairs, moves) == (2, 1)
    words = "agree: given name, birth date but for a slip, home; differ: surname; not known: tax code, e-mail"
    assert evidence == words


def test_who_could_be_either_of_two_is_each_of_them_by_half(asked: Hub) -> None:
    shares = asked.query(
        "select probability, worth, evidence from marts.identity_review where reason = 'could be either of two people'"
    )
    assert len(shares) == 2
    for probability, worth, evidence in shares:
        assert probability == worth <= 0.5
        assert evidence == "agree: name, e-mail; not known: birth date, tax code, home"
