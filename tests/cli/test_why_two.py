"""Why two are one person, or two."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from snello.cli.why import joined

Snello = Callable[..., Any]
ONE, OTHER = "crm/customers/1", "loyalty/cards/L2"


def between(snello: Snello, one: str, other: str) -> dict[str, Any]:
    told = snello("why", one, other, "--json")
    assert told.code == 0, told.err
    return json.loads(told.out)


@pytest.fixture
def said(hub: Any) -> Any:
    """Names and birth dates of c1 and c2, one date out of a tax code."""
    names = ("customer_id", "attribute", "value", "source", "stream", "record_key", "kind", "rule")
    rows = [
        ("c1", "first_name", "Giulia", "crm", "customers", "1", "explicit", "as recorded"),
        ("c1", "last_name", "Rossi", "crm", "customers", "1", "explicit", "as recorded"),
        ("c1", "birth_date", "1980-05-01", "crm", "customers", "1", "derived", "from the tax code"),
        ("c2", "birth_date", "2005-02-03", "loyalty", "cards", "L2", "explicit", "as recorded"),
        ("c2", "last_name", "Rossi", "loyalty", "cards", "L2", "explicit", "as recorded"),
        ("c3", "first_name", "Anna", "shop", "customers", "10", "explicit", "as recorded"),
    ]
    table = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows])
    hub.lake.publish({"customer_values": table}, run_id="r2")
    return hub


def test_two_who_contradict_are_told_apart_by_records_and_kinds_without_values(said: Any, snello: Snello) -> None:
    found = between(snello, "c1", "c2")
    assert found["is_one"] is False
    [row] = found["contradictions"]
    assert (row["left_record"], row["right_record"], row["reason"]) == (ONE, OTHER, "birth dates differ")
    assert (row["left_kind"], row["right_kind"]) == ("derived, from the tax code", "explicit, as recorded")
    assert [cut["reason"] for cut in found["cuts"]] == ["birth dates differ"]
    text = snello("why", "c1", "c2").out
    assert "two people: customer c1 and customer c2" in text
    assert f"{ONE} (derived, from the tax code) and {OTHER} (explicit, as recorded)" in text
    assert not any(value in text for value in ("1980", "2005", "Giulia", "canary"))


def test_what_agrees_what_differs_and_what_only_one_has_said(said: Any, snello: Snello) -> None:
    compared = between(snello, "c1", "c2")["compared"]
    assert compared == {
        "agree": ["email", "last name"],
        "differ": ["birth date"],
        "not known": ["card", "first name", "phone"],
    }


def test_streets_and_names_agree_however_they_are_written(hub: Any, snello: Snello) -> None:
    names = ("customer_id", "attribute", "value", "source", "stream", "record_key", "kind", "rule")
    rows = [
        ("c1", "street", "Corso Umberto I 7", "crm", "customers", "1", "explicit", "as recorded"),
        ("c1", "last_name", "D'Amico", "crm", "customers", "1", "explicit", "as recorded"),
        ("c2", "street", "C.SO UMBERTO I, 7", "loyalty", "cards", "L2", "explicit", "as recorded"),
        ("c2", "last_name", "DAMICO", "loyalty", "cards", "L2", "explicit", "as recorded"),
    ]
    table = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows])
    hub.lake.publish({"customer_values": table}, run_id="r2")
    assert between(snello, "c1", "c2")["compared"]["agree"] == ["email", "last name", "street"]


def test_a_word_said_twice_is_not_compared_with_itself(said: Any, snello: Snello) -> None:
    told = snello("why", "c1", "c1")
    assert (told.code, "Next: `snello why c1` tells all of it" in told.err) == (2, True)


def test_a_table_with_a_file_missing_is_one_sentence(said: Any, snello: Snello) -> None:
    for file in (Path(said.lake.root) / "published" / "identity_edges").glob("*.parquet"):
        file.unlink()
    told = snello("why", "c1", "c2")
    assert (told.code, "a file of a published table is missing or damaged" in told.err) == (3, True)
    assert "Traceback" not in told.err


def test_two_whom_nothing_joins_are_said_to_be_reached_by_no_rule(said: Any, snello: Snello) -> None:
    text = snello("why", "c2", "c3").out
    assert "no rule reaches from one to the other" in text
    assert "snello link c2 c3" in text


def test_two_that_wait_for_a_decision_name_the_question(said: Any, snello: Snello) -> None:
    found = between(snello, "c1", "shop/customers/10")
    [review] = found["reviews"]
    assert review["reason"] == "likely, not certain"
    assert f"snello review --accept {review['pair']}" in snello("why", "c1", "shop/customers/10").out


def test_two_records_of_one_customer_show_the_chain_between_them(said: Any, snello: Snello) -> None:
    found = between(snello, "loyalty/cards/L1", "shop/customers/9")
    assert found["is_one"] is True
    assert [(row["left_record"], row["right_record"], row["rule"]) for row in found["path"]] == [
        ("loyalty/cards/L1", ONE, "same phone and name"),
        (ONE, "shop/customers/9", "same email and name"),
    ]


def test_an_id_of_the_past_and_that_of_today_are_one_person_and_the_merge_is_told(said: Any, snello: Snello) -> None:
    found = between(snello, "c1", "c0")
    assert [event["event"] for event in found["events"]] == ["merge"]
    assert "merge of c1 with c0: new evidence" in snello("why", "c0", "c1").out


def test_a_word_that_is_neither_a_field_nor_a_customer_is_answered_with_the_nearest_field(
    said: Any, snello: Snello
) -> None:
    told = snello("why", "c1", "emial")
    assert (told.code, "did you mean 'email'?" in told.err) == (2, True)
    nobody = snello("why", "c1", "nobody@aurora.example")
    assert (nobody.code, "nobody@" in nobody.err) == (2, False)
    several = snello("why", "c3", "canary.rossi@aurora.example")
    assert (several.code, "name one of them: c1, c2" in several.err, "canary" in several.err) == (2, True, False)


def test_joins_are_grouped_by_what_joined_and_nothing_is_said_twice() -> None:
    rows = [
        ("a", "b", "email_and_name", 0.95),
        ("b", "c", "email_and_name", 0.9),
        ("a", "b", "address_and_name", 0.82),
        ("c", "d", "likelihood", 0.99),
        ("a", "c", "name_and_birth", 0.85),
    ]
    names = ("left_record", "right_record", "rule", "strength")
    joins = [dict(zip(names, row, strict=True)) for row in rows]
    assert list(joined.groups(joins)) == [
        ("email_and_name", [["a", "b", "c"]], "0.90 to 0.95"),
        ("likelihood", [["c", "d"]], "0.99"),
    ]
    assert joined.confirmed(joins) == ["name_and_birth", "address_and_name"]


def test_a_rule_is_told_in_the_words_of_the_project(hub: Any, snello: Snello) -> None:
    seed = hub.root / "transform" / "seeds" / "identity_rules.csv"
    seed.parent.mkdir(parents=True)
    seed.write_text("rule,description\nsame phone and name,One telephone; a family shares one\n")
    assert "One telephone (same phone and name), strength 0.90" in snello("why", "c1").out
