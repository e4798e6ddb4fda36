"""What a purpose may not know leaves no trace in what it sees: the lake is built with it and without it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from conftest import Hub

STORIES = Path(__file__).parent / "stories"
SERVICE_ONLY = ("aftersales", "contact_centre")
PURPOSES = ("email_marketing", "sms_marketing", "phone_marketing", "profiling", "ads_audiences")
VIEWS = (
    "build", "--select", "+customers_by_purpose", "+customer_values", "+households", "+brevo__long_absent",
    "+webhook__loyal", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test",
)  # fmt: skip

Rows = dict[str, list[dict[str, Any]]]


def told(service_only: bool) -> Rows:
    """The rows of the stories, those of sources that serve service alone where they are asked for."""
    rows: Rows = {}
    for path in sorted(STORIES.glob("*.yml")):
        for table, given in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            if service_only or table.partition(".")[0] not in SERVICE_ONLY:
                rows.setdefault(table, []).extend(given)
    return rows


def secrets(rows: Rows) -> Rows:
    """What the workshop alone knows of whom the dealers know: the eldest rows, one home, one line, much money."""
    known = [row for row in rows["crm.customers"] if row.get("email") and row.get("first_name")]
    registrations = [
        {"registration_no": 900_000 + n, "holder_name": f"{row['first_name']} {row['last_name']}",
         "email": row["email"], "tax_code": row.get("tax_code"), "phone": "02 7000001",
         "street": "Via Segreta 1", "postcode": "20121",
         "city": "Milano", "product": "Aurora Alba", "registered_on": date(1990, 1, 1), "role": "owner"}
        for n, row in enumerate(known)
    ]  # fmt: skip
    visits = [
        {"visit_no": 900_000 + n, "registration_no": 900_000 + n, "opened_on": date(2026, 10, 30), "kind": "service"}
        for n in range(len(known))
    ]
    orders = [
        {"order_no": 900_000 + n, "registration_no": 900_000 + n, "item": "stripes", "amount": "7777.00",
         "ordered_on": date(2026, 10, 31)}
        for n in range(len(known))
    ]  # fmt: skip
    return {
        "aftersales.registrations": registrations,
        "aftersales.service_visits": visits,
        "aftersales.personalisations": orders,
    }


@pytest.fixture(scope="module")
def knowing(make_hub: Callable[..., Hub]) -> Hub:
    """A hub whose workshop knows much of everybody."""
    rows = told(service_only=True)
    for table, given in secrets(rows).items():
        rows.setdefault(table, []).extend(given)
    return make_hub(rows).make(*VIEWS)


@pytest.fixture(scope="module")
def innocent(make_hub: Callable[..., Hub]) -> Hub:
    """The same hub as if no source of service alone had ever been read."""
    return make_hub(told(service_only=False)).make(*VIEWS)


def named(hub: Hub) -> dict[str, frozenset[str]]:
    """Customers by their other records, since an id may come from a record that the workshop wrote."""
    known: dict[str, set[str]] = {}
    for record, customer in hub.ids().items():
        if not record.startswith(SERVICE_ONLY):
            known.setdefault(customer, set()).add(record)
    return {customer: frozenset(records) for customer, records in known.items()}


def view(hub: Hub, table: str, where: str = "true") -> dict[frozenset[str], dict[str, Any]]:
    """The rows of a table by the records of their customer; a household by those of its members."""
    called = named(hub)
    columns = [name for name, *_ in hub.query(f"describe {table}")]
    rows = [dict(zip(columns, row, strict=True)) for row in hub.query(f"select * from {table} where {where}")]
    homes: dict[Any, set[frozenset[str]]] = {}
    for row in rows:
        homes.setdefault(row.get("household_id"), set()).add(called[row["customer_id"]])
    for row in rows:
        if row.get("household_id"):
            row["household_id"] = frozenset(homes[row["household_id"]])
    return {called[row.pop("customer_id")]: row for row in rows}


def test_the_workshop_does_know_a_secret_of_most_customers(knowing: Hub) -> None:
    secret = knowing.query(
        "select count(distinct customer_id) from marts.customer_values where value = 'Via Segreta 1'"
    )
    served = knowing.query(
        "select count(*) from marts.customers_by_purpose where purpose = 'service' and revenue > 7000"
    )
    assert secret[0][0] > 40
    assert served[0][0] > 40


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_purpose_sees_the_same_as_if_a_source_that_it_may_not_know_had_never_been_read(
    knowing: Hub, innocent: Hub, purpose: str
) -> None:
    where = f"purpose = '{purpose}'"
    seen = view(knowing, "marts.customers_by_purpose", where)
    alone = view(innocent, "marts.customers_by_purpose", where)
    # who is one person is a question of service: the workshop may know that two records are one
    same = seen.keys() & alone.keys()
    assert len(same) > 0.9 * len(alone)
    assert {customer: seen[customer] for customer in same} == {customer: alone[customer] for customer in same}


@pytest.mark.parametrize("audience", ["activation.brevo__long_absent", "activation.webhook__loyal"])
def test_an_audience_is_the_same_too(knowing: Hub, innocent: Hub, audience: str) -> None:
    assert view(innocent, audience)
    assert view(knowing, audience) == view(innocent, audience)


def test_a_customer_whom_only_the_workshop_knows_exists_for_service_alone(knowing: Hub) -> None:
    strangers = set(knowing.ids().values()) - set(named(knowing))
    seen = knowing.query("select customer_id, purpose from marts.customers_by_purpose")
    assert strangers
    assert {purpose for customer, purpose in seen if customer in strangers} == {"service"}


def test_a_name_or_an_address_is_never_mixed_from_two_records_in_any_view(knowing: Hub) -> None:
    mixed = knowing.query(
        """
        select views.customer_id, views.purpose
        from marts.customers_by_purpose as views
        where views.street is not null and not exists (
            select 1
            from marts.customer_values as streets
            inner join marts.customer_values as postcodes
                on streets.customer_id = postcodes.customer_id and streets.part = postcodes.part
                and streets.witness = postcodes.witness
            where streets.customer_id = views.customer_id and streets.value = views.street
                and postcodes.value is not distinct from views.postcode
        )
        """
    )
    assert not mixed
