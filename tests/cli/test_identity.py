"""Link, unlink and review, over a hub made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
import typer

from snello.cli.identity import deciding, reviewing
from snello.cli.identity.desk import Desk
from snello.identity.decisions import in_force

Snello = Callable[..., Any]
SEEN = datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
TEXT, MOMENT, LIST = pa.string(), pa.timestamp("us", "UTC"), pa.list_(pa.string())

SHAPES: dict[str, dict[str, pa.DataType]] = {
    "customer_sources": {
        "source": TEXT, "stream": TEXT, "record_key": TEXT, "customer_id": TEXT, "observed_at": MOMENT,
        "joined_by": TEXT,
    },
    "customer_values": {
        "customer_id": TEXT, "attribute": TEXT, "value": TEXT, "source": TEXT, "stream": TEXT, "record_key": TEXT,
        "kind": TEXT, "rule": TEXT,
    },
    "customer_aliases": {"alias": TEXT, "customer_id": TEXT, "since": MOMENT},
    "identity_edges": {
        "left_record": TEXT, "right_record": TEXT, "rule": TEXT, "identifier_kind": TEXT, "strength": pa.float64(),
        "kept": pa.bool_(),
    },
    "identity_events": {
        "event_id": TEXT, "event": TEXT, "happened_at": MOMENT, "customer_id": TEXT, "from_customer_id": TEXT,
        "records": pa.int64(), "moved": LIST, "stayed": LIST, "cause": TEXT,
    },
    "identity_review": {
        "left_record": TEXT, "right_record": TEXT, "left_customer": TEXT, "right_customer": TEXT,
        "probability": pa.float64(), "reason": TEXT, "contradiction": TEXT, "pairs": pa.int64(), "moves": pa.int64(),
        "worth": pa.float64(), "evidence": TEXT,
    },
}  # fmt: skip

FIRST, LAST = ("crm/customers/1", "shop/customers/10"), ("loyalty/cards/L2", "shop/customers/11")
CLASH = ("crm/customers/1", "loyalty/cards/L2")
PERSON, CONTACT = "person", "only owner"
ROWS: dict[str, list[tuple[object, ...]]] = {
    "customer_sources": [
        ("crm", "customers", "1", "c1", SEEN, PERSON),
        ("loyalty", "cards", "L1", "c1", SEEN, PERSON),
        ("shop", "customers", "9", "c1", SEEN, PERSON),
        ("loyalty", "cards", "L2", "c2", SEEN, PERSON),
        ("shop", "customers", "10", "c3", SEEN, PERSON),
        ("marketing", "newsletter", "N1", "c3", SEEN, CONTACT),
        ("shop", "customers", "11", "c4", SEEN, PERSON),
    ],
    "customer_values": [
        ("c1", "first_name", "Giulia", "crm", "customers", "1", "explicit", "as recorded"),
        ("c1", "last_name", "Rossi", "crm", "customers", "1", "explicit", "as recorded"),
        ("c1", "birth_date", "1980-05-01", "crm", "customers", "1", "explicit", "as recorded"),
        ("c2", "first_name", "Marco", "loyalty", "cards", "L2", "explicit", "as recorded"),
        ("c2", "last_name", "Rossi", "loyalty", "cards", "L2", "explicit", "as recorded"),
        ("c3", "first_name", "Giulia", "shop", "customers", "10", "explicit", "as recorded"),
        ("c3", "last_name", "Rosi", "shop", "customers", "10", "explicit", "as recorded"),
        ("c3", "birth_date", "1980-01-05", "shop", "customers", "10", "explicit", "as recorded"),
        ("c3", "email", "giulia@aurora.example", "shop", "customers", "10", "explicit", "as recorded"),
    ],
    "customer_aliases": [("c9", "c3", SEEN)],
    "identity_edges": [
        ("crm/customers/1", "loyalty/cards/L1", "same phone and name", "phone", 0.9, True),
        ("loyalty/cards/L1", "shop/customers/9", "same email and name", "email", 0.95, True),
    ],
    "identity_events": [
        ("e1", "merge", SEEN, "c1", "c8", 1, ["shop/customers/9"], ["crm/customers/1"], "same email and name"),
    ],
    "identity_review": [
        (*FIRST, "c1", "c3", 0.71, "likely, not certain", None, 2, 1, 2.1, "agree: given name; not known: tax code"),
        (*LAST, "c2", "c4", 0.46, "could be either of two people", None, 1, 1, 0.46, None),
        (*CLASH, "c1", "c2", 0.3, "could be either of two people", "given names differ", 1, 1, 0.3, None),
    ],
}  # fmt: skip


def published(name: str, rows: list[tuple[object, ...]]) -> pa.Table:
    schema = pa.schema(list(SHAPES[name].items()))
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)


@pytest.fixture
def people(hub: Any) -> Any:
    hub.lake.publish({name: published(name, rows) for name, rows in ROWS.items()}, run_id="r2")
    return hub


def counting(*further: str) -> dict[tuple[str, str], str]:
    """What counts now, as the lake says it."""
    return {about: word.verb for about, word in in_force(Desk.open(*further).said).items()}


def waiting(snello: Snello) -> list[dict[str, Any]]:
    told = snello("review", "--json")
    assert told.code == 0, told.err
    cases: list[dict[str, Any]] = json.loads(told.out)["cases"]
    return cases


def test_a_link_is_a_row_in_the_lake_with_author_and_reason(people: Any, snello: Snello) -> None:
    told = snello("link", *FIRST, "--reason", "called her", "--author", "anna")
    assert told.code == 0, told.err
    assert "meltano run unify" in told.out
    [word] = Desk.open().said
    assert (word.verb, word.author, word.reason, *word.pair) == ("link", "anna", "called her", *FIRST)


def test_whom_a_customer_id_an_alias_or_an_address_names_can_be_linked(people: Any, snello: Snello) -> None:
    assert snello("link", "c1", "c9", "--reason", "r").code == 0
    assert counting() == {FIRST: "link"}


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        ("crm/customers/1", "shop/customers/9", "are customer c1 already|is customer c1|both are customer c1 already"),
        ("crm/customers/1", "loyalty/cards/L2", "crm/customers/1 and loyalty/cards/L2 cannot be one person: given"),
        ("crm/customers/2", "loyalty/cards/L2", "did you mean 'crm/customers/1'"),
        ("c1", "nobody@aurora.example", "no record or customer"),
        ("canary.rossi@aurora.example", "c3", "2 customers have this identifier"),
        ("c1", "marketing/newsletter/N1", "known by an address alone"),
    ],
)
def test_a_link_that_cannot_be_is_refused_in_one_sentence_without_values(
    people: Any, snello: Snello, one: str, other: str, what: str
) -> None:
    told = snello("link", one, other, "--reason", "r")
    assert (told.code, told.out) == (2, "")
    assert told.err.count("\n") == 1
    assert any(part in told.err for part in what.split("|"))
    assert not any(value in told.err for value in ("Giulia", "Rossi", "1980", "nobody@", "canary"))
    assert Desk.open().said == []


def test_without_a_reason_nothing_is_decided(people: Any, snello: Snello) -> None:
    told = snello("link", *FIRST)
    assert (told.code, "--reason" in told.err) == (2, True)
    assert Desk.open().said == []


def test_a_link_said_twice_is_refused_though_no_run_has_applied_it(people: Any, snello: Snello) -> None:
    snello("link", *FIRST, "--reason", "r")
    assert "linked by decision" in snello("link", "c3", "c1", "--reason", "r").err


def test_to_link_and_to_unlink_leaves_nothing_decided(people: Any, snello: Snello) -> None:
    snello("link", *FIRST, "--reason", "r")
    assert snello("unlink", FIRST[1], "--reason", "no").code == 0
    assert counting() == {}


def test_unlinking_a_record_that_a_merge_brought_parts_the_sides_as_they_were(people: Any, snello: Snello) -> None:
    assert snello("unlink", "shop/customers/9", "--reason", "another Giulia").code == 0
    assert counting() == {("crm/customers/1", "shop/customers/9"): "apart"}


def test_unlinking_another_record_sets_it_apart_from_all_or_from_one(people: Any, snello: Snello) -> None:
    snello("unlink", "loyalty/cards/L1", "--from", "shop/customers/9", "--reason", "r")
    assert counting() == {("loyalty/cards/L1", "shop/customers/9"): "apart"}
    snello("unlink", "loyalty/cards/L1", "--reason", "r")
    assert counting()["crm/customers/1", "loyalty/cards/L1"] == "apart"
    assert "set apart already" in snello("unlink", "loyalty/cards/L1", "--reason", "r").err


def test_a_customer_of_several_records_is_not_unlinked_by_its_id(people: Any, snello: Snello) -> None:
    for words in (("c1",), ("loyalty/cards/L1", "--from", "c1")):
        told = snello("unlink", *words, "--reason", "r")
        assert told.code == 2
        assert "c1 has 3 records. Next: name one of them: crm/customers/1, loyalty/cards/L1" in told.err
    assert counting() == {}


def test_what_was_set_apart_is_not_linked_until_that_is_taken_back(people: Any, snello: Snello) -> None:
    snello("unlink", FIRST[0], "--from", FIRST[1], "--reason", "r")
    told = snello("link", *FIRST, "--reason", "r")
    assert "snello unlink --undo d" in told.err
    decision = told.err.split("--undo ")[1].split("`")[0]
    assert snello("unlink", "--undo", decision).code == 0
    assert snello("link", *FIRST, "--reason", "r").code == 0


def test_why_two_are_apart_names_the_decision_and_what_waits_for_a_run(people: Any, snello: Snello) -> None:
    snello("unlink", FIRST[0], "--from", FIRST[1], "--reason", "two sisters", "--author", "anna")
    assert "kept apart by decision d" in snello("why", *FIRST).out
    assert "of anna" in snello("why", "c1", "c3").out
    snello("unlink", "--undo", Desk.open().said[-1].decision)
    snello("link", *FIRST, "--reason", "r", "--author", "bruno")
    assert "r; the next run applies it" in snello("why", "c1", "c3").out


def test_to_link_two_of_one_customer_that_wait_to_be_parted_names_the_decision(people: Any, snello: Snello) -> None:
    two = ("crm/customers/1", "shop/customers/9")
    assert "both are customer c1 already" in snello("link", *two, "--reason", "r").err
    snello("unlink", two[0], "--from", two[1], "--reason", "r")
    assert "snello unlink --undo d" in snello("link", *two, "--reason", "r").err


def test_an_unlink_names_a_record_or_a_decision(people: Any, snello: Snello) -> None:
    assert snello("unlink").code == snello("unlink", "c1", "--undo", "d1").code == 2


def test_the_queue_shows_both_records_side_by_side_what_is_worth_most_first(people: Any, snello: Snello) -> None:
    cases = waiting(snello)
    assert [(case["left_record"], case["right_record"]) for case in cases] == [FIRST, LAST, CLASH]
    verdicts = {field["attribute"]: field["verdict"] for field in cases[0]["fields"]}
    assert verdicts == {"first_name": "same", "birth_date": "close", "last_name": "close", "email": "missing"}
    assert list(verdicts) == ["first_name", "last_name", "birth_date", "email"]
    told = snello("review").out
    assert "agree: given name; not known: tax code" in told
    assert "the strongest of 2 pairs between the two; 1 record would move" in told
    assert "cannot be accepted: given names differ" in told


def test_two_halves_of_a_name_that_changed_places_are_close(people: Any, snello: Snello) -> None:
    turned = [row for row in ROWS["customer_values"] if row[0] != "c3"]
    turned += [
        ("c3", "first_name", "Rossi", "shop", "customers", "10", "explicit", "as recorded"),
        ("c3", "last_name", "Giulia", "shop", "customers", "10", "explicit", "as recorded"),
    ]
    people.lake.publish({"customer_values": published("customer_values", turned)}, run_id="r3")
    verdicts = {field["attribute"]: field["verdict"] for field in waiting(snello)[0]["fields"]}
    assert (verdicts["first_name"], verdicts["last_name"]) == ("close", "close")


def test_a_question_decided_on_does_not_come_again(people: Any, snello: Snello) -> None:
    assert snello("review", "--accept", waiting(snello)[0]["pair"], "--author", "anna").code == 0
    assert {(case["left_record"], case["right_record"]) for case in waiting(snello)} == {LAST, CLASH}
    [word] = Desk.open().said
    assert (word.verb, word.reason) == ("link", "review: likely, not certain")


def test_what_was_linked_counts_though_no_run_has_applied_it(people: Any, snello: Snello) -> None:
    assert snello("link", "c3", LAST[1], "--reason", "r").code == 0
    assert snello("link", *LAST, "--reason", "r").err.startswith("link: loyalty/cards/L2 and shop/customers/10")
    assert counting() == {("shop/customers/10", "shop/customers/11"): "link"}


def test_a_link_is_judged_by_the_contradictions_that_the_project_names(people: Any, snello: Snello) -> None:
    seed = people.root / "transform" / "seeds" / "identity_contradictions.csv"
    seed.parent.mkdir(parents=True)
    seed.write_text("kind,how,description\ncard,differ,One card a person\n")
    cards = [("c1", "card", "1", 1), ("c3", "card", "2", 1)]
    names = ("customer_id", "kind", "value", "records")
    table = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in cards])
    people.lake.publish({"customer_identifiers": table}, run_id="r3")
    assert "card values differ" in snello("link", *FIRST, "--reason", "r").err
    assert snello("link", *CLASH, "--reason", "a nickname that no list knows").code == 0
    seed.write_text("kind,how,description\nbirth_date,slpi,A wrong word\n")
    told = snello("link", *LAST, "--reason", "r")
    assert (told.code, "did you mean 'slip'?" in told.err) == (2, True)


def test_a_rejected_pair_is_set_apart_and_comes_back_when_that_is_undone(people: Any, snello: Snello) -> None:
    before = waiting(snello)
    name = next(case["pair"] for case in before if case["left_record"] == "loyalty/cards/L2")
    decided = json.loads(snello("review", "--reject", name, "--json").out)
    assert counting() == {LAST: "apart"}
    assert snello("review", "--undo", decided[0]["decision"]).code == 0
    assert waiting(snello) == before


def test_a_pair_that_contradicts_is_not_accepted(people: Any, snello: Snello) -> None:
    name = next(case["pair"] for case in waiting(snello) if case["right_record"] == "loyalty/cards/L2")
    told = snello("review", "--accept", name)
    assert (told.code, "given names differ" in told.err) == (2, True)
    assert Desk.open().said == []


def test_a_pair_that_is_not_open_is_answered_with_the_nearest(people: Any, snello: Snello) -> None:
    name = waiting(snello)[0]["pair"]
    told = snello("review", "--accept", name[:-1])
    assert (told.code, f"did you mean '{name}'" in told.err) == (2, True)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What a person types, key after key."""

    def give(*keys: str) -> None:
        typed = iter(keys)
        monkeypatch.setattr(typer, "prompt", lambda _: next(typed))

    return give


def test_at_a_terminal_each_pair_is_asked_and_each_answer_is_kept_at_once(people: Any, answers: Any) -> None:
    answers("s", "?", "r", "u", "a", "q")
    done = reviewing.walk(20, "anna", None)
    skipped, accepted = (decided.words[0] for decided in done)
    assert (skipped.verb, accepted.verb) == ("skip", "link")
    assert counting() == {accepted.pair: "link"}


def test_an_answer_that_does_nothing_says_so(people: Any, answers: Any, capsys: pytest.CaptureFixture[str]) -> None:
    answers("u", "x", "q")
    assert reviewing.walk(20, "anna", None) == []
    told = capsys.readouterr().err
    assert "Nothing was decided yet" in told
    assert "No such answer. Next: one of [a]ccept" in told


def test_leaving_by_an_interrupt_still_tells_what_was_decided(people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = iter(["r"])

    def typed(_: str) -> str:
        for key in keys:
            return key
        raise typer.Abort

    monkeypatch.setattr(typer, "prompt", typed)
    [decided] = reviewing.walk(20, "anna", None)
    assert decided.words[0].verb == "apart"


def test_what_was_skipped_comes_last_and_says_by_whom(people: Any, answers: Any, snello: Snello) -> None:
    first = waiting(snello)[0]["pair"]
    answers("s", "q")
    reviewing.walk(20, "anna", None)
    last = reviewing.listed(20).cases[-1]
    assert (last.pair, last.skipped_by) == (first, "anna")


def test_before_a_publication_of_this_version_the_next_step_is_told(hub: Any, snello: Snello) -> None:
    told = snello("link", "c1", "c3", "--reason", "r")
    assert (told.code, told.err.count("\n")) == (3, 1)
    assert "meltano run unify" in told.err


def test_a_decision_is_printed_as_one_document(people: Any) -> None:
    decided = deciding.link(*FIRST, "anna", "called her")
    assert [line.text for line in deciding.page(decided)][-1].startswith("Next: ")  # type: ignore[union-attr]
