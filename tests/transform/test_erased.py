"""Whoever was erased does not come back by a row that a source tells late; whoever comes again after it does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from snello.activation.tombstones import Tombstone, forms
from snello.identifiers import hash_key

if TYPE_CHECKING:
    from conftest import Hub

BEFORE, ERASED, LATER, AFTER = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 3, 5, 7))
SALT = "salt"


def stone(kind: str, value: str, at: datetime, source: str = "", stream: str = "") -> dict[str, Any]:
    return {"kind": kind, "hash": value, "source": source, "stream": stream, "erased_at": at}


def buried() -> list[dict[str, Any]]:
    """Ada erased in March, Eva in May, Ugo's order kept by law."""
    said = {("email", "ada@example.it"): ERASED, ("phone", "+393471234567"): ERASED, ("email", "eva@example.it"): LATER}
    said[("tax_code", "RSSMRA80A01H501U")] = ERASED
    stones = [
        stone(kind, str(hash_key(form, SALT)), at) for (kind, value), at in said.items() for form in forms(kind, value)
    ]
    held = Tombstone.of_record("crm", "customers", "90", SALT, "held")
    return [*stones, stone("held", held.hash, LATER, "crm", "customers")]


def customers() -> dict[int, dict[str, Any]]:
    return {
        1: {"email": " ADA@Example.it", "updated_at": BEFORE},
        2: {"email": "ada@example.it", "updated_at": AFTER},
        3: {"mobile": "347 123 45 67", "updated_at": BEFORE},
        4: {"phone": "0039 347 1234567", "updated_at": BEFORE},
        5: {"mobile": "+39 347-1234567", "updated_at": AFTER},
        6: {"tax_code": "rssmra80a01 h501u", "updated_at": BEFORE},
        7: {"email": "bob@example.it", "mobile": "347 1234568", "updated_at": BEFORE},
        8: {"updated_at": BEFORE},
        9: {"email": "ada@example.it", "updated_at": LATER},
        10: {"email": "eva@example.it", "updated_at": LATER},
        90: {"email": "ugo@example.it", "updated_at": AFTER},
    }


@pytest.fixture(scope="module")
def hubs(make_hub: Callable[..., Hub]) -> tuple[Hub, Hub]:
    """A hub in which people were erased, and the same in which nobody was."""
    rows = {"crm.customers": [{"customer_no": number, **row} for number, row in customers().items()]}
    select = ("build", "--select", "+person_observed", "+contact_observed", "--exclude-resource-type", "unit_test")
    one, other = make_hub({**rows, "snello.tombstones": buried()}), make_hub(rows)
    return one.make(*select), other.make(*select)


def known(hub: Hub) -> set[int]:
    return {int(key) for (key,) in hub.query("select record_key from canonical.person_observed where source = 'crm'")}


def test_rows_observed_before_the_erasure_are_left_out_however_they_are_spelt(hubs: tuple[Hub, Hub]) -> None:
    assert not known(hubs[0]) & {1, 3, 4, 6, 10}


def test_who_comes_again_after_the_erasure_counts_even_when_another_was_erased_later(hubs: tuple[Hub, Hub]) -> None:
    assert {2, 5, 9} <= known(hubs[0])


def test_others_and_rows_without_identifiers_stay(hubs: tuple[Hub, Hub]) -> None:
    assert {7, 8} <= known(hubs[0])


def test_a_row_kept_for_a_legal_reason_is_nobody(hubs: tuple[Hub, Hub]) -> None:
    assert 90 not in known(hubs[0])


def test_where_nobody_was_erased_every_row_counts(hubs: tuple[Hub, Hub]) -> None:
    assert known(hubs[1]) == set(customers())
