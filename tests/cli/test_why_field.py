"""Why one golden value is what it is, and what each purpose sees of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Snello = Callable[..., Any]


def asked(snello: Snello, *arguments: str) -> dict[str, Any]:
    told = snello("why", *arguments, "--json")
    assert told.code == 0, told.err
    return json.loads(told.out)


def test_a_field_shows_its_candidates_in_order_with_what_decided_against_each(hub: Any, snello: Snello) -> None:
    field = asked(snello, "c1", "email")
    assert field["criteria"] == ["kind", "trust", "recency"]
    assert [(row["source"], row["won"], row["lost_to"]) for row in field["candidates"]] == [
        ("crm", True, None),
        ("shop", False, "same value"),
        ("shop", False, "trust"),
        ("loyalty", False, "kind"),
    ]


def test_a_purpose_sees_its_own_winner_and_the_criterion_that_decided_among_what_it_may_know(
    hub: Any, snello: Snello
) -> None:
    field = asked(snello, "c1", "email", "--purpose", "email_marketing")
    assert field["value"] == "older@aurora.example"
    assert [(row["won"], row["lost_to"]) for row in field["candidates"]] == [
        (False, "not for email_marketing"),
        (False, "not for email_marketing"),
        (True, None),
        (False, "kind"),
    ]


def test_a_value_that_no_permitted_source_told_does_not_exist_for_the_purpose(hub: Any, snello: Snello) -> None:
    field = asked(snello, "c1", "sex", "--purpose", "email_marketing")
    assert (field["value"], [row["won"] for row in field["candidates"]]) == (None, [False])
    assert field["by_purpose"] == {"service": "F", "email_marketing": None}


def test_the_tree_names_winner_row_rule_criteria_and_purposes(hub: Any, snello: Snello) -> None:
    text = snello("why", "c1", "email", "--purpose", "email_marketing").out
    assert "as email_marketing may know it: older@aurora.example" in text
    assert "decided by kind, trust, recency, in this order" in text
    assert "shop/customers/8, explicit, as recorded, seen 2026-11-01" in text


def test_a_figure_says_that_it_is_counted_from_rows(hub: Any, snello: Snello) -> None:
    assert asked(snello, "c1", "records")["value"] == 3
    assert "counted from the rows" in snello("why", "c1", "records").out


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("c1", "emial"), "did you mean 'email'?"),
        (("c1", "email", "--purpose", "email_market"), "did you mean 'email_marketing'?"),
        (("c1", "--purpose", "service"), "no field to look at"),
    ],
)
def test_a_word_that_is_nearly_right_is_answered_with_the_right_one(
    hub: Any, snello: Snello, arguments: tuple[str, ...], hint: str
) -> None:
    told = snello("why", *arguments)
    assert (told.code, told.out) == (2, "")
    assert hint in told.err


def test_an_id_that_was_merged_away_finds_the_customer_who_lives_on(hub: Any, snello: Snello) -> None:
    chain = asked(snello, "c0")
    assert chain["customer"]["customer_id"] == "c1"
    assert [(row["event"], row["from_customer_id"]) for row in chain["events"]] == [("merge", "c0")]
    assert "merge of c1 with c0: new evidence" in snello("why", "c0").out


def test_a_shared_address_lists_its_customers_for_a_field_too(hub: Any, snello: Snello) -> None:
    told = snello("why", "canary.rossi@aurora.example", "email", "--json")
    assert [row["customer_id"] for row in json.loads(told.out)] == ["c1", "c2"]


def test_a_pair_that_nobody_decided_yet_stands_in_the_chain_with_its_evidence(hub: Any, snello: Snello) -> None:
    assert [row["evidence"] for row in asked(snello, "c1")["reviews"]] == [
        "agree: given name, home; not known: birth date"
    ]
    assert "undecided: crm/customers/1 and shop/customers/10: likely, not certain (0.71)" in snello("why", "c1").out
