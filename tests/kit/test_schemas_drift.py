from __future__ import annotations

from typing import Any

import pytest

from snello.kit.schemas import Shape, extended

OWN = "The address that the customer gave."


def shape(*records: dict[str, Any]) -> Shape:
    found = Shape(("id",))
    for record in records:
        found.add(record)
    return found


def declared(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": ["id"]}


def told(old: dict[str, Any], *records: dict[str, Any]) -> list[str]:
    return [str(each) for each in extended(old, shape(*records))[1]]


def test_a_new_field_is_added_and_nothing_else_changes() -> None:
    old = declared(
        id={"type": "integer", "description": "Its number."}, email={"type": ["string", "null"], "description": OWN}
    )
    new, differences = extended(old, shape({"id": 1, "email": "a@b.example", "vip": True}))
    assert new["properties"].pop("vip") == {
        "type": ["boolean", "null"],
        "description": "Yes or no, in 100 % of 1 records.",
    }
    assert new == old
    assert [(each.field, each.kind) for each in differences] == [("vip", "new")]


def test_what_is_given_stays_as_it_was() -> None:
    old = declared(id={"type": "integer"})
    extended(old, shape({"id": 1, "vip": True}))
    assert old == declared(id={"type": "integer"})


def test_a_declared_field_that_no_record_has_is_told_and_kept() -> None:
    old = declared(id={"type": "integer"}, fax={"type": ["string", "null"]})
    new, differences = extended(old, shape({"id": 1}))
    assert "fax" in new["properties"]
    assert [str(each) for each in differences] == ["fax: declared, in no record"]


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ({"type": ["number", "null"]}, 3),
        ({"type": ["string", "null"]}, "2026-01-01"),
        ({"type": ["string", "null"]}, "12.50"),
        ({"type": ["string", "null"], "format": "date-time"}, "2026-01-01"),
        ({"type": ["string", "null"], "format": "singer.decimal", "precision": 12, "scale": 2}, "12.50"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, None),
        ({}, {"a": 1}),
        ({"type": ["boolean", "null"]}, None),
    ],
)
def test_a_value_that_fits_the_declared_type_is_no_difference(type_: dict[str, Any], value: Any) -> None:
    assert told(declared(id={"type": "integer"}, x=type_), {"id": 1, "x": value}) == []


@pytest.mark.parametrize(
    ("type_", "value", "difference"),
    [
        ({"type": ["integer", "null"]}, "a", "x: declared as integer or null, found string or null"),
        ({"type": ["integer", "null"]}, 1.5, "x: declared as integer or null, found number or null"),
        ({"type": "string"}, None, "x: declared as string, found string or null"),
        (
            {"type": ["string", "null"], "format": "date"},
            "soon",
            "x: declared as string (date) or null, found string or null",
        ),
        (
            {"type": ["string", "null"], "format": "singer.decimal"},
            "a lot",
            "x: declared as string (singer.decimal) or null, found string or null",
        ),
    ],
)
def test_a_field_of_another_type_is_told_and_not_written(type_: dict[str, Any], value: Any, difference: str) -> None:
    old = declared(id={"type": "integer"}, x=type_)
    new, differences = extended(old, shape({"id": 1, "x": value}))
    assert [str(each) for each in differences] == [difference]
    assert differences[0].kind == "changed"
    assert new == old


def test_a_declared_value_that_is_missing_in_a_record_is_a_difference() -> None:
    assert told(declared(id={"type": "integer"}, x={"type": "string"}), {"id": 1, "x": "a"}, {"id": 2}) == [
        "x: declared as string, found string or null"
    ]


def test_replacing_takes_the_new_type_and_keeps_the_authors_words() -> None:
    old = declared(id={"type": "integer"}, x={"type": "string", "format": "date", "description": OWN, "x-note": 1})
    new, _ = extended(old, shape({"id": 1, "x": 7}), replace=True)
    assert new["properties"]["x"] == {"type": ["integer", "null"], "description": OWN, "x-note": 1}


def test_replacing_renews_the_words_that_inference_wrote() -> None:
    first, _ = extended(declared(id={"type": "integer"}), shape({"id": 1, "x": "2026-01-01"}))
    new, _ = extended(first, shape({"id": 1, "x": 7}, {"id": 2, "x": 8}), replace=True)
    assert new["properties"]["x"] == {
        "type": ["integer", "null"],
        "description": "Whole number, in 100 % of 2 records.",
    }


def test_replacing_a_type_that_lacks_null_alone_adds_null() -> None:
    old = declared(id={"type": "integer"}, x={"type": "string", "format": "date", "description": OWN})
    new, _ = extended(old, shape({"id": 1, "x": None}), replace=True)
    assert new["properties"]["x"] == {"type": ["string", "null"], "format": "date", "description": OWN}


def test_a_field_without_a_value_and_one_that_sounds_secret_are_told_and_not_added() -> None:
    new, differences = extended({}, shape({"id": 1, "fax": None, "api_key": "k"}))
    assert set(new["properties"]) == {"id"}
    assert [str(each) for each in differences] == ["id: integer", "fax: never filled", "api_key: sounds secret"]


def test_what_is_named_is_added_whatever_it_sounds_like() -> None:
    new, _ = extended({}, shape({"id": 1, "fax": None, "token": "k"}), named=("fax", "token"))
    assert set(new["properties"]) == {"id", "fax", "token"}


def test_yes_or_no_and_a_moment_are_nobodys_secret() -> None:
    new, _ = extended({}, shape({"id": 1, "password": True, "token_renewed": "2026-01-01T10:00:00Z"}))
    assert set(new["properties"]) == {"id", "password", "token_renewed"}


def test_a_secret_that_is_declared_stays_as_it_is() -> None:
    old = declared(id={"type": "integer"}, token={"type": ["string", "null"], "description": OWN})
    assert extended(old, shape({"id": 1, "token": "k"})) == (old, [])
