"""The chain behind one customer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

Snello = Callable[..., Any]


@pytest.fixture
def chain(hub: Any, snello: Snello) -> dict[str, Any]:
    told = snello("why", "c1", "--json")
    assert told.code == 0
    assert told.err == ""
    return json.loads(told.out)


def test_the_chain_starts_at_the_source_rows(chain: dict[str, Any]) -> None:
    rows = {f"{row['source']}/{row['stream']}/{row['record_key']}" for row in chain["records"]}
    assert rows == {"crm/customers/1", "loyalty/cards/L1", "shop/customers/9"}


def test_each_join_names_its_rule_and_each_cut_its_reason(chain: dict[str, Any]) -> None:
    assert {row["rule"] for row in chain["joins"]} == {"same phone and name", "same email and name"}
    assert [row["reason"] for row in chain["cuts"]] == ["birth dates differ"]


def test_a_record_without_a_name_is_said_to_have_come_by_its_contact(hub: Any, snello: Snello) -> None:
    lines = [line.strip() for line in snello("why", "c3").out.splitlines()]
    assert "marketing/newsletter/N1" in lines[lines.index("contact with one owner") :]


def test_a_value_keeps_the_candidates_that_lost(chain: dict[str, Any]) -> None:
    lost = [row["value"] for row in chain["values"] if row["attribute"] == "email" and not row["is_winner"]]
    assert "old@aurora.example" in lost


def test_the_timeline_has_what_every_source_tells_the_latest_first(chain: dict[str, Any], snello: Snello) -> None:
    assert [(row["kind"], row["source"]) for row in chain["timeline"]] == [("order", "shopify"), ("call", "crm")]
    told = [line.strip() for line in snello("why", "c1").out.splitlines()]
    at = told.index("timeline (2)")
    assert told[at + 1].endswith("order  [shopify/orders/12]")
    assert told[at + 2] == "at a time that nobody tells call  [crm/calls/7]"


def test_a_segment_of_a_data_management_platform_stands_in_the_timeline(hub: Any, snello: Snello) -> None:
    timeline = json.loads(snello("why", "c2", "--json").out)["timeline"]
    assert ("segment", "Runners", "dmp") in [(row["kind"], row["detail"], row["source"]) for row in timeline]
    assert "segment Runners  [dmp/memberships/acme/idfa/x/77]" in snello("why", "c2").out


def test_consent_names_the_row_that_decided(chain: dict[str, Any]) -> None:
    [consent] = chain["consents"]
    assert (consent["state"], consent["decided_by_source"], consent["record_key"]) == ("yes", "crm", "501")


def test_a_sync_tells_membership_consent_and_receipts(hub: Any, snello: Snello) -> None:
    [brevo, webhook] = json.loads(snello("why", "c2", "--json").out)["syncs"]
    assert (brevo["in_audience"], brevo["consent"]) == (True, "no")
    assert [(row["status"], row["code"]) for row in brevo["receipts"]] == [("suppressed", "no_consent")]
    assert (webhook["in_audience"], webhook["held"]) == (False, None)


def test_unknown_consent_is_called_unknown(hub: Any, snello: Snello) -> None:
    syncs = json.loads(snello("why", "c3", "--json").out)["syncs"]
    assert {row["consent"] for row in syncs} == {"unknown"}


@pytest.mark.parametrize("given", ["+39 347 123 4567", "347-1234567", "2900-0000-12345", "crm/customers/1", " c1 "])
def test_a_customer_is_found_by_any_identifier_as_a_person_types_it(hub: Any, snello: Snello, given: str) -> None:
    assert json.loads(snello("why", given, "--json").out)["customer"]["customer_id"] == "c1"


def test_an_identifier_of_several_customers_lists_them(hub: Any, snello: Snello) -> None:
    told = snello("why", "Canary.Rossi@aurora.example", "--json")
    assert told.code == 0
    assert [row["customer_id"] for row in json.loads(told.out)] == ["c1", "c2"]
    assert "Next: snello why CUSTOMER_ID" in snello("why", "Canary.Rossi@aurora.example").out


def test_nobody_found_is_one_sentence_that_does_not_repeat_the_identifier(hub: Any, snello: Snello) -> None:
    told = snello("why", "nobody@aurora.example")
    assert (told.code, told.out) == (2, "")
    assert told.err.count("\n") == 1
    assert "Next: try a customer_id" in told.err
    assert "nobody@" not in told.err


def test_a_segment_narrows_the_chain_to_itself_and_its_syncs(hub: Any, snello: Snello) -> None:
    chain = json.loads(snello("why", "c1", "--segment", "loyal", "--json").out)
    assert [row["segment"] for row in chain["segments"]] == ["loyal"]
    assert [row["sync"] for row in chain["syncs"]] == ["webhook__loyal"]


def test_a_customer_outside_a_segment_is_said_to_be_outside(hub: Any, snello: Snello) -> None:
    assert "not in long_absent" in snello("why", "c1", "--segment", "long_absent").out


def test_an_unknown_segment_is_answered_with_the_nearest(hub: Any, snello: Snello) -> None:
    told = snello("why", "c1", "--segment", "loyall")
    assert told.code == 2
    assert "did you mean 'loyal'?" in told.err


def test_the_tree_reads_from_rows_to_receipts(hub: Any, snello: Snello) -> None:
    lines = [line.strip() for line in snello("why", "c1").out.splitlines()]
    heads = [line.partition(" (")[0] for line in lines if not line.startswith("lost")]
    order = ["records", "joined by", "identifiers", "values", "roles", "timeline", "segments", "consent", "syncs"]
    assert [head for head in heads if head in order] == order
    assert any("kept apart" in line and "birth dates differ" in line for line in lines)
    assert not any(sign in line for line in lines for sign in "│├└")


def test_a_cut_pair_is_told_once_with_all_rules_that_would_join_it(hub: Any, snello: Snello) -> None:
    pair = ("crm/customers/1", "loyalty/cards/L2")
    rows = [(*pair, rule, "birth dates differ") for rule in ("same email", "same phone")]
    names = ("left_record", "right_record", "rule", "reason")
    cuts = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows])
    hub.lake.publish({"identity_cuts": cuts}, run_id="r2")
    told = snello("why", "c1").out
    assert told.count("kept apart") == 1
    assert "though same email, same phone: birth dates differ" in told


def test_a_purpose_that_knows_one_person_only_by_what_it_may_not_know_is_named(hub: Any, snello: Snello) -> None:
    bridges = pa.table({"customer_id": ["c1"], "purpose": ["email_marketing"], "parts": [2]})
    hub.lake.publish({"identity_bridges": bridges}, run_id="r2")
    assert "one person only through records that these may not know: email_marketing" in snello("why", "c1").out
    assert "one person only" not in snello("why", "c2").out


def test_before_the_first_publication_the_next_step_is_told(empty: Any, snello: Snello) -> None:
    told = snello("why", "c1")
    assert told.code == 3
    assert "Next: run `meltano run loop`" in told.err
