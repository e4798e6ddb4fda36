"""A tax code has two digits of the year: which century they mean is what was stated, else what the day allows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Hub

# Adalgisa is 106, and her code could be a child's; Ercole is 99, and from the tenth on his could be a newborn's.
ADALGISA, ERCOLE = "ZNDDGS20C54L781J", "ZNDRCL26S10L781H"
ALIKE = {"first_name": "Adalgisa", "last_name": "Zandonai", "sex": "F", "mobile": "3400000920"}
ROWS = {
    "crm.customers": [
        {"customer_no": 1, **ALIKE, "birth_date": date(1920, 3, 14), "tax_code": ADALGISA},
        {"customer_no": 2, **ALIKE, "tax_code": ADALGISA, "email": "adalgisa.zandonai@posta.example"},
        {"customer_no": 3, **ALIKE, "birth_date": date(1920, 3, 14)},
        {"customer_no": 4, "first_name": "Ercole", "last_name": "Zandonai", "tax_code": ERCOLE},
    ],
    "crm.consents": [
        {"consent_id": 1, "customer_no": 2, "purpose": "email_marketing", "channel": "email", "granted": True,
         "legal_basis": "consent", "given_at": datetime(2025, 1, 1, tzinfo=UTC)}
    ],
}  # fmt: skip
BUILD = (
    "build", "--select", "+customer_values", "+customers", "+consent_current", "+data_quality", "+identity_prints",
    "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test",
)  # fmt: skip
ANSWERS = (
    "select customer_id, attribute, value, kind, rule, is_winner from marts.customer_values order by all",
    "select customer_id, purpose, channel, state, reason from marts.consent_current order by all",
    "select rule, record_key from quality.quality_findings order by all",
    "select record, tax_code, tax_code_birth_date from identity.person_records order by all",
)


def answers(hub: Hub) -> list[list[tuple[Any, ...]]]:
    return [hub.query(sql) for sql in ANSWERS]


def born(hub: Hub, record: str) -> list[tuple[Any, ...]]:
    sql = "select value, kind, is_winner from marts.customer_values where attribute = 'birth_date' and customer_id = ?"
    return sorted(set(hub.query(sql, [hub.customer(record)])))


@pytest.fixture(scope="module")
def before(make_hub: Callable[..., Hub]) -> tuple[Hub, list[Any], list[Any]]:
    """The first of November, and what it told of Ercole."""
    hub = make_hub(ROWS).make(*BUILD)
    return hub, born(hub, "crm/customers/4"), answers(hub)


def test_who_is_over_a_hundred_is_no_child_and_one_person(before: Any) -> None:
    hub, *_ = before
    assert len(set(hub.customers("crm/customers/1", "crm/customers/2", "crm/customers/3"))) == 1
    assert {value for value, *_ in born(hub, "crm/customers/1")} == {"1920-03-14"}
    consent = "select state, reason from marts.consent_current where customer_id = ? and purpose = 'email_marketing'"
    assert hub.query(consent, [hub.customer("crm/customers/1")]) == [("yes", "granted")]
    assert hub.query("select rule from quality.quality_findings where rule like 'tax_code%'") == []


@pytest.mark.long
def test_a_day_that_comes_says_the_same_to_a_kept_run_and_to_one_from_nothing(
    before: Any, make_hub: Callable[..., Hub]
) -> None:
    hub, ercole, told = before
    later = (*BUILD, "--vars", "{today: '2026-11-12'}")
    assert ercole == [("1926-11-10", "derived", True)]
    kept = answers(hub.make(*later))
    assert kept == answers(make_hub(ROWS).make(*later))
    assert kept != told
