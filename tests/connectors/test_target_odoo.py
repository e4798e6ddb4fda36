from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from snello.errors import ConfigError, RetryLater
from snello.kit.channel.rehearsal import Rehearsal
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.odoo import API_KEY, DATABASE, LOGIN, odoo
from target_odoo import TargetOdoo

FIELDS = {"name": "name", "email": "email", "score": "x_snello_score", "segment": "x_snello_segment"}


class Database:
    """An Odoo database to look into and to work in."""

    def __init__(self, url: str) -> None:
        self.url = url

    def records(self, model: str = "res.partner") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(f"{self.url}/_inspect/records/{model}").json()
        return found

    def call(self, method: str, *args: Any, model: str = "res.partner") -> Any:
        answer = httpx.post(f"{self.url}/_inspect/call/{model}/{method}", json=args)
        answer.raise_for_status()
        return answer.json()

    def partner(self, name: str, **more: Any) -> int:
        return int(self.call("create", {"name": name, **more}))

    def of(self, key: str) -> dict[str, Any]:
        (link,) = [link for link in self.records("ir.model.data") if link["name"] == key]
        (found,) = [row for row in self.records() if row["id"] == link["res_id"]]
        return found

    def tagged(self) -> set[str]:
        return {row["name"] for row in self.records() if 1 in row["category_id"]}

    def calls(self) -> dict[str, int]:
        made = httpx.get(f"{self.url}/_inspect").json()["calls"]
        return {path.removeprefix("POST /json/2/"): count for path, count in made.items()}


@pytest.fixture
def start() -> Iterator[Any]:
    with ExitStack() as stack:
        yield lambda **given: Database(stack.enter_context(serve(odoo(**given))))


@pytest.fixture
def database(start: Any) -> Database:
    found: Database = start()
    return found


@pytest.fixture
def stage(tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path, "odoo__long_absent", list="long_absent", max_removal_share=1)


def person(number: int, **more: Any) -> dict[str, Any]:
    row = {"customer_id": f"c{number:05}", "email": f"person{number}@example.it", "name": f"Person {number}"}
    return {**row, "score": 0.5, "segment": "absent", **more}


def config(server: Database, **more: Any) -> dict[str, Any]:
    quick = {"requests_per_second": 10_000, "retry_attempts": 2, "max_wait": 1}
    known = {"url": server.url, "database": DATABASE, "login": LOGIN, "api_key": API_KEY, "fields": FIELDS}
    return {**known, **quick, **more}


def receipts(stage: Rehearsal) -> dict[str, tuple[str, str]]:
    ledger = stage.ledger()
    try:
        return {row["key"]: (row["status"], row["code"]) for row in reversed(ledger.receipts(stage.sync))}
    finally:
        ledger.close()


BY_EMAIL = {"match": [{"column": "odoo_id", "field": "id"}, {"column": "email", "field": "email_normalized"}]}


def test_a_partner_is_found_by_odoos_own_number_first_then_by_an_address_that_is_one_partners(
    stage: Rehearsal, database: Database
) -> None:
    first, second = database.partner("A"), database.partner("B", email="Person2 <Person2@Example.it>")
    database.partner("Other", email="person1@example.it")
    stage.publish([person(1, odoo_id=first), person(2, odoo_id=None)])
    stage.run(TargetOdoo, config(database, fields={"score": "x_snello_score"}, **BY_EMAIL))
    assert (database.of("c00001")["id"], database.of("c00002")["id"]) == (first, second)
    assert database.tagged() == {"A", "B"}
    assert len(database.records()) == 3


def test_who_is_not_there_archived_or_not_alone_is_refused_and_no_partner_is_made(
    stage: Rehearsal, database: Database
) -> None:
    database.partner("Old", email="person2@example.it", active=False)
    for name in ("Twin", "Other twin"):
        database.partner(name, email="person3@example.it")
    database.partner("Shared", email="person4@example.it")
    stage.publish([person(1), person(2), person(3), person(4), person(5, email="PERSON4@example.it")])
    stage.run(TargetOdoo, config(database, **BY_EMAIL))
    assert receipts(stage) == {
        "c00001": ("refused", "not_there"),
        "c00002": ("refused", "archived"),
        "c00003": ("refused", "ambiguous"),
        "c00004": ("delivered", ""),
        "c00005": ("refused", "taken"),
    }
    assert len(database.records()) == 4
    assert [row["active"] for row in database.records() if row["name"] == "Old"] == [False]


def test_a_partner_that_another_customer_has_is_not_taken_over_by_a_later_run(
    stage: Rehearsal, database: Database
) -> None:
    database.partner("A", email="person1@example.it")
    stage.publish([person(1)])
    stage.run(TargetOdoo, config(database, **BY_EMAIL))
    stage.publish([person(1), person(2, email="person1@example.it")])
    stage.run(TargetOdoo, config(database, create=True, **BY_EMAIL))
    assert receipts(stage)["c00002"] == ("refused", "taken")
    assert len(database.records()) == 1


def test_partners_with_equal_values_share_one_write_and_new_ones_one_import(
    stage: Rehearsal, database: Database
) -> None:
    fields = {"fields": {"name": "name", "segment": "x_snello_segment"}, "create": True}
    stage.publish([person(number) for number in range(100)])
    stage.run(TargetOdoo, config(database, **fields))
    assert database.calls()["res.partner/load"] == 1
    assert "res.partner/write" not in database.calls()
    only = {"fields": {"segment": "x_snello_segment"}}
    stage.publish([person(number, segment="back" if number % 2 else "gone") for number in range(100)])
    stage.run(TargetOdoo, config(database, **only))
    assert database.calls()["res.partner/write"] == 2
    assert {row["x_snello_segment"] for row in database.records()} == {"back", "gone"}


def test_a_blank_changes_nothing_unless_its_field_may_be_cleared(stage: Rehearsal, database: Database) -> None:
    stage.publish([person(1)])
    stage.run(TargetOdoo, config(database, create=True))
    stage.publish([person(1, segment=None, email=None, score=0.25)])
    stage.run(TargetOdoo, config(database, clear=["x_snello_segment"]))
    found = database.of("c00001")
    assert (found["email"], found["x_snello_segment"], found["x_snello_score"]) == ("person1@example.it", False, 0.25)


def test_who_leaves_loses_the_tag_and_gets_the_values_of_leaving_and_stays_a_partner(
    stage: Rehearsal, database: Database
) -> None:
    database.partner("Theirs", category_id=[[4, 1, 0]], x_snello_segment="absent")
    stage.publish([person(1), person(2)])
    leaving = {"create": True, "on_leave": {"x_snello_segment": None, "x_snello_score": 0}}
    stage.run(TargetOdoo, config(database, **leaving))
    stage.publish([person(1)])
    stage.run(TargetOdoo, config(database, **leaving))
    assert database.tagged() == {"Theirs", "Person 1"}
    left = database.of("c00002")
    assert (left["active"], left["x_snello_segment"], left["x_snello_score"]) == (True, False, 0.0)
    assert left["email"] == "person2@example.it"


def test_a_refusal_is_set_and_blacklisted_and_never_taken_back(stage: Rehearsal, database: Database) -> None:
    off = int(database.call("create", [{"email": "person2@example.it"}], model="mail.blacklist")[0])
    database.call("write", [off], {"active": False}, model="mail.blacklist")
    terms = {"create": True, "blacklist": "no_mail", "fields": {**FIELDS, "no_mail": "opt_out"}}
    stage.publish([person(1, no_mail=True), person(2, no_mail=True), person(3, no_mail=False)])
    stage.run(TargetOdoo, config(database, **terms))
    blocked = {row["email"]: row["active"] for row in database.records("mail.blacklist")}
    assert blocked == {"person1@example.it": True, "person2@example.it": True}
    stage.publish([person(number, no_mail=False) for number in (1, 2, 3)])
    stage.run(TargetOdoo, config(database, on_leave={"opt_out": False}, **terms))
    stage.publish([person(3, no_mail=False)])
    stage.run(TargetOdoo, config(database, on_leave={"opt_out": False}, **terms))
    assert {row["email"] for row in database.records("mail.blacklist") if row["active"]} == set(blocked)
    assert {row["name"]: row["opt_out"] for row in database.records()} == {
        "Person 1": True,
        "Person 2": True,
        "Person 3": False,
    }


def test_a_bad_row_among_partners_that_are_there_is_refused_alone(stage: Rehearsal, database: Database) -> None:
    terms = {"create": True, "fields": {**FIELDS, "vat": "vat"}}
    stage.publish([person(number, vat=None) for number in range(8)])
    stage.run(TargetOdoo, config(database, **terms))
    rows = [person(number, vat="IT12345678901" if number in (2, 5) else None, score=1.0) for number in range(8)]
    stage.publish(rows)
    stage.run(TargetOdoo, config(database, **terms))
    refused = {key for key, verdict in receipts(stage).items() if verdict == ("refused", "validation")}
    assert refused == {"c00002", "c00005"}
    assert sum(row["x_snello_score"] == 1.0 for row in database.records()) == 6


def test_a_value_that_the_field_cannot_hold_is_refused_before_a_call(stage: Rehearsal, database: Database) -> None:
    stage.publish([person(1, since="2024-02-30"), person(2, since="2024-02-29")])
    stage.run(TargetOdoo, config(database, create=True, fields={**FIELDS, "since": "x_snello_since"}))
    assert receipts(stage) == {"c00001": ("refused", "bad_value"), "c00002": ("delivered", "")}
    assert database.of("c00002")["x_snello_since"] == "2024-02-29"


@pytest.mark.parametrize("version", [18, 19])
@pytest.mark.parametrize(
    ("server", "settings", "words"),
    [
        ({}, {"tag": "long_abssent"}, "Odoo has no tag called 'long_abssent'. Next: set create_tag: true, or another"),
        ({}, {"tag_id": 7}, "Odoo has no tag 7"),
        ({}, {"fields": {"score": "x_snello_scor"}}, "res.partner has no field x_snello_scor"),
        ({}, {"fields": {"email": "email_normalized"}}, "is not one to write"),
        ({}, {"api_key": "wrong"}, "this key|refuses the key|401 from POST .* Next: renew the key"),
        ({}, {"database": "auroro"}, "no such database|Odoo has nothing at"),
        ({"denied": [("res.partner", "create")]}, {}, "lacks the right create on res.partner"),
        ({"denied": [("ir.model.data", "read")]}, {}, "lacks the right read on ir.model.data"),
        ({"absent": ["mail.blacklist"]}, {"blacklist": "no_mail"}, "Odoo has no blacklist|Odoo has nothing at"),
    ],
)
def test_what_the_account_is_to_blame_for_is_one_sentence_and_nothing_is_written(
    stage: Rehearsal, start: Any, version: int, server: dict[str, Any], settings: dict[str, Any], words: str
) -> None:
    database = start(version=version, **server)
    stage.publish([person(1, no_mail=True)])
    with pytest.raises(ConfigError, match=words):
        stage.run(TargetOdoo, config(database, create=True, **settings))
    assert database.records() == []
    assert receipts(stage)["c00001"] == ("retrying", "configuration")


def test_a_tag_that_was_deleted_in_odoo_ends_the_run_and_its_rows_wait(stage: Rehearsal, database: Database) -> None:
    stage.publish([person(1)])
    stage.run(TargetOdoo, config(database, create=True))
    database.call("unlink", [1], model="res.partner.category")
    stage.publish([person(1, score=0.75), person(2)])
    with pytest.raises(ConfigError, match=r"Odoo has no tag called 'long_absent'\. Next: set create_tag: true"):
        stage.run(TargetOdoo, config(database, create=True))
    assert set(receipts(stage).values()) == {("retrying", "configuration")}
    assert len(database.records()) == 1


def test_another_transaction_is_waited_for_and_its_insistence_ends_the_run(stage: Rehearsal, start: Any) -> None:
    stage.publish([person(1)])
    patient = start(version=18, busy=1)
    stage.run(TargetOdoo, config(patient, create=True))
    assert patient.tagged() == {"Person 1"}
    stage.publish([person(1, score=0.75)])
    with pytest.raises(RetryLater, match="another transaction was at the same records"):
        stage.run(TargetOdoo, config(start(version=18, busy=9), create=True))
    assert receipts(stage)["c00001"] == ("retrying", "unreachable")


def test_a_missing_tag_is_made_when_asked(stage: Rehearsal, start: Any) -> None:
    database = start(tags=[])
    stage.publish([person(1)])
    stage.run(TargetOdoo, config(database, create=True, create_tag=True))
    assert [tag["name"] for tag in database.records("res.partner.category")] == ["long_absent"]
    assert database.tagged() == {"Person 1"}


def test_update_makes_no_partner(tmp_path: Path, database: Database) -> None:
    stage = Rehearsal(tmp_path, "odoo__long_absent", list="long_absent", mode="update")
    database.partner("A", email="person1@example.it")
    stage.publish([person(1), person(2)])
    stage.run(TargetOdoo, config(database, create=True, **BY_EMAIL))
    assert receipts(stage) == {"c00001": ("delivered", ""), "c00002": ("refused", "not_there")}


def again(database: Database, stage: Rehearsal, **change: Any) -> None:
    """Feed the next run's messages with each record changed by hand."""
    lines = [msgspec.json.decode(line) for line in stage.messages().splitlines()]
    for line in lines:
        if line["type"] == "RECORD":
            line["record"].update(change)
    messages = "".join(msgspec.json.encode(line).decode() + "\n" for line in lines)
    stage.feed(TargetOdoo, config(database, create=True), messages)


def test_a_merged_customer_keeps_the_partner_under_the_others_external_id(stage: Rehearsal, database: Database) -> None:
    stage.publish([person(2)])
    stage.run(TargetOdoo, config(database, create=True))
    number = database.of("c00002")["id"]
    stage.publish([person(2), person(1)])
    again(database, stage, _moved_from="c00002")
    assert database.of("c00001")["id"] == number
    assert len(database.records()) == len(database.records("ir.model.data")) == 1


def test_who_is_erased_has_neither_tag_nor_external_id(stage: Rehearsal, database: Database) -> None:
    stage.publish([person(1), person(2)])
    stage.run(TargetOdoo, config(database, create=True))
    stage.publish([person(1)])
    again(database, stage, _reason="erased")
    assert database.tagged() == {"Person 1"}
    assert [link["name"] for link in database.records("ir.model.data")] == ["c00001"]
    assert len(database.records()) == 2


def test_drift_is_told_from_what_odoo_holds(stage: Rehearsal, database: Database) -> None:
    stage.publish([person(1), person(2)])
    stage.run(TargetOdoo, config(database, create=True))
    database.call("write", [database.of("c00002")["id"]], {"category_id": [[3, 1, 0]]})
    target = TargetOdoo(config={"ledger": stage.ledger_url, **config(database)})
    try:
        drift = target.reconcile(stage.sync, "long_absent")
    finally:
        target.ledger.close()
    assert (drift.missing, drift.foreign) == (("c00002",), ())
