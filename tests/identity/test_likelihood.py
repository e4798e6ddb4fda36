from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from snello.errors import ContractError
from snello.identity.likelihood import COLUMNS, FLOOR, Model, Prepared, current, prepare, rescore, score, train, turned
from snello.identity.likelihood.comparisons import COMPARISONS
from snello.identity.likelihood.model import shipped
from snello.identity.likelihood.pairs import FEW

GIVEN = [
    a + b for a in ("an", "bru", "car", "da", "el", "fab", "gre", "iv", "lu", "mar") for b in ("ano", "isa", "oldo")
]
GIVEN += [
    a + b for a in ("ol", "pat", "quir", "rom", "ste", "tib", "urb", "vit", "wal", "zen") for b in ("ina", "erio")
]
FAMILY = [
    a + b for a in ("bal", "cor", "fer", "mon", "ros", "san", "tor", "vil") for b in ("ardi", "elli", "etti", "ini")
]
SAME_BIRTH, SAME_GIVEN, PEOPLE = 0.9, 0.8, 400
SYLLABLES = ("ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te")


def table(rows: list[dict[str, Any]]) -> pa.Table:
    schema = pa.schema(list(COLUMNS.items()))
    return pa.Table.from_pylist([{name: row.get(name) for name in COLUMNS} for row in rows], schema)


def person(number: int, draw: random.Random) -> dict[str, Any]:
    return {
        "first_name": draw.choice(GIVEN),
        "last_name": draw.choice(FAMILY) + draw.choice(SYLLABLES),
        "birth_date": f"{draw.randint(1940, 2005)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
        "street": f"Via {draw.choice(FAMILY)}{draw.choice(SYLLABLES)} {draw.randint(1, 90)}",
        "town": draw.choice(FAMILY),
        "postcode": f"{draw.randint(10000, 98000)}",
        "phones": [f"+3933{number:08}"],
    }


def couples(people: int = PEOPLE, seed: int = 7) -> list[dict[str, Any]]:
    """Two records a person, of which a known share gives another birth date or given name, and a relative each."""
    draw = random.Random(seed)
    rows = []
    for number in range(people):
        one = person(number, draw)
        other = dict(one)
        if draw.random() > SAME_BIRTH:
            other["birth_date"] = person(0, draw)["birth_date"]
        if draw.random() > SAME_GIVEN:
            other["first_name"] = draw.choice([name for name in GIVEN if name[0] != one["first_name"][0]])
        relative = person(number, draw) | {name: one[name] for name in ("last_name", "street", "town", "postcode")}
        rows += [
            one | {"record": f"a/{number:04}"},
            other | {"record": f"b/{number:04}"},
            relative | {"record": f"c/{number:04}"},
        ]
    return rows


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return couples()


@pytest.fixture(scope="module")
def model(rows: list[dict[str, Any]]) -> Model:
    return train(table(rows))


def found(pairs: pa.Table) -> dict[tuple[str, str], float]:
    return {(row["left_record"], row["right_record"]): row["probability"] for row in pairs.to_pylist()}


def test_what_tells_people_apart_is_found_without_labels(model: Model) -> None:
    levels = [label for label, _ in COMPARISONS["birth date"]]
    assert model.match["birth date"][levels.index("same")] == pytest.approx(SAME_BIRTH, abs=0.05)
    levels = [label for label, _ in COMPARISONS["given name"]]
    assert model.match["given name"][levels.index("same")] == pytest.approx(SAME_GIVEN, abs=0.05)
    every = model.records * (model.records - 1) / 2
    assert model.prior * every == pytest.approx(PEOPLE, rel=0.1)
    assert model.trained
    assert not model.note


def test_relatives_of_one_home_and_phone_are_not_one_person(rows: list[dict[str, Any]], model: Model) -> None:
    pairs = found(score(table(rows), model, at_least=0.9))
    right = {(left, right) for left, right in pairs if left[2:] == right[2:] and right[0] == "b"}
    assert len(right) >= 0.9 * PEOPLE
    assert len(pairs) - len(right) <= 0.01 * PEOPLE


def test_the_order_of_rows_changes_nothing(rows: list[dict[str, Any]], model: Model) -> None:
    turned = table(rows[::-1])
    assert train(turned) == model
    assert score(turned, model) == score(table(rows), model)


def test_changed_records_get_the_scores_of_a_whole_run(rows: list[dict[str, Any]], model: Model) -> None:
    changed = {"a/0003", "c/0100"}
    whole = found(score(table(rows), model, at_least=0.01))
    some = found(score(table(rows), model, at_least=0.01, only=changed))
    assert some == {pair: probability for pair, probability in whole.items() if changed & set(pair)}
    assert some


def again(records: pa.Table | Prepared, model: Model, kept: pa.Table, changed: Iterable[str], **how: Any) -> pa.Table:
    """The pairs kept of the last run with those that are scored again."""
    names = pa.chunked_array([sorted(changed)], pa.string())
    asked = pa.concat_arrays(
        [*names.chunks, *turned(records, model, set(kept["model"].to_pylist()), names)["record"].chunks]
    )
    moved = pc.or_(*(pc.is_in(kept[side], value_set=asked) for side in ("left_record", "right_record")))
    return pa.concat_tables([kept.filter(pc.invert(moved)), rescore(records, model, pa.chunked_array([asked]), **how)])


def test_a_run_over_changes_gives_what_a_whole_run_gives(rows: list[dict[str, Any]], model: Model) -> None:
    before = rescore(table(rows), model, None)
    changed = [row | {"phones": None, "street": None} if row["record"] == "b/0003" else row for row in rows[:-1]]
    names = {"b/0003", rows[-1]["record"]}
    whole = rescore(table(changed), model, None)
    assert found(again(table(changed), model, before, names)) == found(whole)
    assert again(table(changed), model, whole, ()) == whole
    other = replace(model, prior=model.prior / 100)
    assert found(again(table(changed), other, before, names)) == found(rescore(table(changed), other, None))


def session(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> tuple[Prepared, set[str]]:
    """Records kept from a run over the ones to a run over the others, and which of them are other."""
    connection = duckdb.connect()
    known = {row["record"]: row for row in before}
    now = {row["record"]: row for row in after}
    other = {name for name in known.keys() | now.keys() if known.get(name) != now.get(name)}
    connection.register("given", table(before))
    prepare(connection, "given").create("kept")
    connection.register("others", pa.table({"record": sorted(other)}))
    connection.execute("update kept set was = true where record in (select record from others)")
    connection.register("given", table([row for row in after if row["record"] in other]))
    prepare(connection, "given", len(before)).insert_into("kept")
    return Prepared(connection, "memory.main.kept"), other


@pytest.mark.parametrize("step", [1, -1], ids=["too many", "few again"])
def test_a_value_that_becomes_too_common_or_rarer_moves_the_pairs_of_records_that_did_not_change(
    model: Model, step: int
) -> None:
    draw = random.Random(5)
    home = [person(number, draw) | {"record": f"r{number:03}", "phones": ["+39021234567"]} for number in range(FEW + 1)]
    few, many = [*home[:-1], home[-1] | {"phones": None}], home
    before, after = (few, many) if step > 0 else (many, few)
    kept = rescore(table(before), model, None, at_least=0.0)
    records, other = session(before, after)
    some = again(records, model, kept, other, at_least=0.0)
    whole = score(table(after), model, at_least=0.0)
    assert found(some) == found(whole)
    assert abs(len(whole) - len(kept)) > FEW


def test_a_score_depends_on_its_two_records_and_the_model_alone(rows: list[dict[str, Any]], model: Model) -> None:
    whole = found(score(table(rows), model))
    two = [row for row in rows if row["record"] in ("a/0001", "b/0001")]
    assert found(score(table(two), model))["a/0001", "b/0001"] == pytest.approx(whole["a/0001", "b/0001"])


def test_settled_pairs_and_two_tax_codes_get_no_score(rows: list[dict[str, Any]], model: Model) -> None:
    settled = pa.table({"left_record": ["a/0001"], "right_record": ["b/0001"]})
    coded = [dict(row, tax_code="X") if row["record"] in ("a/0002", "b/0002") else row for row in rows]
    pairs = found(score(table(coded), model, settled=settled))
    assert ("a/0001", "b/0001") not in pairs
    assert ("a/0002", "b/0002") not in pairs
    assert ("a/0004", "b/0004") in pairs


def test_few_records_are_scored_by_the_shipped_parameters(rows: list[dict[str, Any]]) -> None:
    few = table(rows[:30])
    made = train(few)
    assert not made.trained
    assert f"fewer than {FLOOR:,} records" in made.note
    assert made.match == shipped().match
    pairs = found(score(few, made, at_least=0.9))
    assert ("a/0000", "b/0000") in pairs
    assert not any("c/" in pair[0] or "c/" in pair[1] for pair in pairs)


def test_records_without_a_second_are_said_to_teach_nothing() -> None:
    draw = random.Random(3)
    strangers = [person(number, draw) | {"record": f"r{number}"} for number in range(FLOOR)]
    made = train(table(strangers))
    assert not made.trained
    assert "look like one person" in made.note
    assert {line["said"] for line in made.report()} == {f"not estimated, {made.note}"}


@pytest.mark.parametrize("count", [0, 1, 2, FLOOR])
def test_records_that_say_nothing_are_alike_to_nobody(count: int) -> None:
    nobody = table([{"record": f"r{number}"} for number in range(count)])
    assert len(score(nobody, train(nobody))) == 0


def test_one_name_alone_joins_nobody(model: Model) -> None:
    two = table([{"record": f"r{n}", "first_name": "zosimo", "last_name": "quaranta"} for n in range(2)])
    assert len(score(two, replace(model, prior=0.5), at_least=0.01)) == 0


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ({"birth_date": "1980-03-12"}, {"birth_date": "1980-12-03"}, "birth date: one slip"),
        ({"birth_date": "1980-03-12"}, {"birth_date": "1980-03-21"}, "birth date: one slip"),
        ({"first_name": "giuseppe"}, {"first_name": "pino"}, "given name: nickname"),
        ({"first_name": "villetti", "last_name": "ada"}, {"first_name": "ada", "last_name": "villetti"}, "halves"),
        ({"street": "V.le Monza, 12"}, {"street": "Viale Monza 12"}, "street: same line"),
        ({"emails": ["a@x.example"]}, {"emails": ["b@x.example", "a@x.example"]}, "e-mail: shared"),
        ({"phones": ["+39021234567"]}, {"phones": ["+39021234568"]}, "phone: 1 slips at most"),
        ({"numbers": ["ssn:1234567"]}, {"numbers": ["ssn:1243567"]}, "number: one slip"),
        ({"numbers": ["ssn:1234567"]}, {"numbers": ["ssn:2134576"]}, "number: two slips"),
    ],
)
def test_evidence_says_how_values_are_alike(
    model: Model, one: dict[str, Any], other: dict[str, Any], said: str
) -> None:
    both = {"first_name": "ada", "last_name": "villetti", "cards": ["card:1"]}
    pairs = score(table([both | one | {"record": "a"}, both | other | {"record": "b"}]), model, at_least=0.0)
    [evidence] = pairs["evidence"].to_pylist()
    assert said in evidence
    assert "villetti" not in evidence


def test_a_kept_model_serves_until_the_records_outgrow_it(rows: list[dict[str, Any]], model: Model) -> None:
    kept = model.to_table()
    assert current(table(rows), kept) == model
    assert current(table(rows[:900]), kept) == model
    few = train(table(rows[:30]))
    assert current(table(rows), few.to_table()) == model
    assert current(table(rows), replace(model, settings="other").to_table()) == model
    retrained = current(table(rows[:1100]), kept, retrain=True)
    assert retrained.records == 1100


def test_a_model_that_cannot_be_read_says_how_to_make_another(model: Model) -> None:
    broken = pa.table({"model": ["{"]})
    with pytest.raises(ContractError, match="retrain: true"):
        Model.from_table(broken)


def test_a_record_that_is_there_twice_is_refused(model: Model) -> None:
    with pytest.raises(ContractError, match="there twice"):
        score(table([{"record": "a"}, {"record": "a"}]), model)


MARIO = {"first_name": "mario", "last_name": "rossi"}
CARLA = {"first_name": "carla", "street": "Via Torre 1", "town": "Milano", "postcode": "20100"}
TOWN = {"first_name": "anna", "last_name": "neri", "town": "Roma", "postcode": "00100"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            MARIO | {"emails": ["mario@a.example"], "phones": ["+393401112221"]},
            MARIO | {"emails": ["rossim@b.example"], "phones": ["+393401112222"]},
        ),
        (MARIO | {"emails": ["mario.rossi@a.example"]}, MARIO | {"emails": ["mario.rossi2@a.example"]}),
        (CARLA | {"last_name": "urso"}, CARLA | {"last_name": "silvestri"}),
        (TOWN, TOWN),
    ],
    ids=["numbers handed out in a row", "mailboxes made from one name", "two surnames at one home", "name and town"],
)
def test_in_the_first_days_what_two_people_may_share_is_not_even_asked_about(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    few = table([one | {"record": "a"}, other | {"record": "b"}])
    assert len(score(few, train(few), at_least=0.2)) == 0


@pytest.mark.parametrize(
    "known",
    [
        {"street": "Via Torre 1", "town": "Milano", "postcode": "20100"},
        {"birth_date": "1980-03-12", "town": "Milano"},
        {"phones": ["+393401112221"]},
    ],
    ids=["home", "birth date and town", "mobile"],
)
def test_in_the_first_days_one_name_and_what_a_person_has_is_one_person(known: dict[str, Any]) -> None:
    few = table([MARIO | known | {"record": "a"}, MARIO | known | {"record": "b"}])
    assert found(score(few, train(few), at_least=0.9)).keys() == {("a", "b")}


def test_two_surnames_with_one_birth_date_and_no_home_are_two_people() -> None:
    born = {"first_name": "carla", "birth_date": "1980-03-12", "town": "Milano"}
    few = table([born | {"last_name": name, "record": name} for name in ("urso", "silvestri")])
    assert len(score(few, train(few), at_least=0.2)) == 0


def test_two_surnames_are_one_person_by_the_birth_date_at_home_or_the_mailbox() -> None:
    for own in ({"birth_date": "1980-03-12"}, {"emails": ["carla@a.example"]}):
        few = table([CARLA | own | {"last_name": name, "record": name} for name in ("urso", "silvestri")])
        assert len(score(few, train(few), at_least=0.5)) == 1


def test_half_a_name_is_one_person_by_the_birth_date_and_mobile() -> None:
    known = {"first_name": "carla", "birth_date": "1980-03-12", "phones": ["+393401112221"]}
    few = table([known | {"record": "a"}, known | {"last_name": "urso", "record": "b"}])
    assert len(score(few, train(few), at_least=0.5)) == 1
