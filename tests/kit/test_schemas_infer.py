from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from snello.kit.schemas import Shape

CANARY = "canary.person@aurora.example"


def shape(*records: dict[str, Any], keys: tuple[str, ...] = ()) -> Shape:
    found = Shape(keys)
    for record in records:
        found.add(record)
    return found


def field(*values: Any) -> dict[str, Any]:
    properties: dict[str, Any] = shape(*({"x": value} for value in values)).schema()["properties"]
    return properties["x"]


@pytest.mark.parametrize(
    ("values", "types", "form"),
    [
        ((1, 2), ["integer", "null"], None),
        ((1, 2.5), ["number", "null"], None),
        ((2**70,), ["number", "null"], None),
        ((True, False), ["boolean", "null"], None),
        (("a", "b"), ["string", "null"], None),
        (("a", 1), ["integer", "string", "null"], None),
        (({"a": 1}, None), ["object", "null"], None),
        (([1],), ["array", "null"], None),
        (("2026-01-31", None), ["string", "null"], "date"),
        (("2026-01-31", "2026-01-31T10:00:00Z"), ["string", "null"], "date-time"),
        (("2026-01-31T10:00:00.123+01:00",), ["string", "null"], "date-time"),
        (("2026-02-31",), ["string", "null"], None),
        (("2026-01-31", "soon"), ["string", "null"], None),
        (("2026-01-31", ""), ["string", "null"], None),
        (("12.50", "0", "-3.10"), ["string", "null"], "singer.decimal"),
        (("0", "0"), ["string", "null"], None),
        (("12.50", "007.10"), ["string", "null"], None),
        (("1.10.2",), ["string", "null"], None),
        (("123", "456"), ["string", "null"], None),
    ],
)
def test_a_field_gets_the_type_that_all_its_values_have(values: Any, types: list[str], form: str | None) -> None:
    found = field(*values)
    assert (found["type"], found.get("format")) == (types, form)


def test_an_amount_has_room_to_grow() -> None:
    found = field("12.50", "1234567890123.1234")
    assert (found["precision"], found["scale"]) == (23, 4)
    assert field("1.25")["precision"] == 18


def test_a_field_without_a_value_may_hold_anything() -> None:
    assert set(field(None, None)["type"]) == {"array", "boolean", "null", "number", "object", "string"}


def test_only_keys_are_promised_a_value() -> None:
    found = shape({"id": 1, "name": "a"}, keys=("id",)).schema()
    assert found["properties"]["id"]["type"] == "integer"
    assert found["properties"]["name"]["type"] == ["string", "null"]
    assert found["required"] == ["id"]


def test_a_description_says_how_often_and_how_long_and_never_what() -> None:
    found = shape(*({"email": CANARY if n % 50 else None, "n": n} for n in range(1000)), {"n": 3}).schema()
    assert found["properties"]["email"]["description"] == "Text, in 98 % of 1,001 records, up to 28 characters."
    assert found["properties"]["n"]["description"] == "Whole number, in 100 % of 1,001 records."
    assert CANARY not in json.dumps(found)


def test_nearly_all_is_not_all_and_hardly_any_is_not_none() -> None:
    found = shape(*({"x": 1 if n else None, "y": None if n else 1} for n in range(500))).schema()["properties"]
    assert "in 99 % of" in found["x"]["description"]
    assert "in under 1 % of" in found["y"]["description"]


def test_false_where_a_value_is_missing_is_taken_for_null_and_told() -> None:
    found = shape({"phone": False}, {"phone": "045"}, {"phone": "02"}, {"phone": False})
    assert found.declared("phone")["type"] == ["string", "null"]
    assert "in 50 % of 4 records" in found.declared("phone")["description"]
    assert found.advice() == ["phone: false stands for no value: values = Values(empty=(False,))"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((1, "a"), 'x: numbers and texts are mixed: values = Values(texts=("x",))'),
        ((1, {"a": 1}), "x: integer and object are mixed; it stays JSON"),
        ((1_700_000_000,), 'x: looks like seconds since 1970: values = Values(moments={"x": "epoch"})'),
    ],
)
def test_values_that_are_not_what_they_look_like_are_told_with_the_cure(values: Any, told: str) -> None:
    assert shape(*({"x": value} for value in values)).advice() == [told]


def test_ordinary_values_need_no_advice() -> None:
    assert shape({"id": 3, "on": True, "off": False, "at": "2026-01-01", "n": None}).advice() == []


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), _json), min_size=1, max_size=8))
def test_every_record_that_was_seen_fits_the_schema(records: list[dict[str, Any]]) -> None:
    found = shape(*records)
    declared = found.schema()
    for record in records:
        seen = {
            name: None if value is False and found.fields[name].false_for_null else value
            for name, value in record.items()
        }
        assert Draft202012Validator(declared).is_valid(seen)
