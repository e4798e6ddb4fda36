from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from snello.errors import ConfigError, ContractError
from snello.kit.schemas import schema_from

STRIPE = Path(__file__).with_name("openapi") / "stripe.json"


def document(**schemas: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "components": {"schemas": schemas}}


def fields(given: Any, name: str = "Customer") -> dict[str, Any]:
    properties: dict[str, Any] = schema_from(given, name)["properties"]
    return properties


def kinds(given: Any, name: str = "Customer") -> dict[str, Any]:
    return {field: column["type"] for field, column in fields(given, name).items()}


def column(declared: Any, **others: Any) -> dict[str, Any]:
    found: dict[str, Any] = fields(document(Customer={"properties": {"x": declared}}, **others))["x"]
    return found


def test_a_vendors_own_document_gives_a_column_a_field() -> None:
    found = fields(STRIPE, "customer")
    declared = json.loads(STRIPE.read_text())["components"]["schemas"]["customer"]["properties"]
    assert found.keys() == declared.keys()
    assert {name: found[name]["type"] for name in ("id", "balance", "address", "livemode", "preferred_locales")} == {
        "id": ["string", "null"],
        "balance": ["integer", "null"],
        "address": ["object", "null"],
        "livemode": ["boolean", "null"],
        "preferred_locales": ["array", "null"],
    }
    assert found["test_clock"]["type"] == ["string", "object", "null"]  # an id, or the thing when it is expanded
    assert found["email"]["description"] == "The customer's email address."
    assert all(each["description"] for each in found.values())


def test_every_field_may_be_null_whatever_the_document_promises() -> None:
    given = document(Customer={"required": ["id"], "properties": {"id": {"type": "integer"}}})
    assert schema_from(given, "Customer") == {
        "type": "object",
        "properties": {"id": {"type": ["integer", "null"], "description": "Id; the document says no more."}},
    }


@pytest.mark.parametrize(
    ("declared", "types"),
    [
        ({"type": "string", "nullable": True}, ["string", "null"]),
        ({"type": ["string", "null"]}, ["string", "null"]),
        ({"type": ["integer", "number"]}, ["number", "null"]),
        ({"type": "integer", "format": "int64"}, ["integer", "null"]),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, ["string", "null"]),
        ({"oneOf": [{"type": "string"}, {"type": "object"}]}, ["string", "object", "null"]),
        ({"enum": ["a", "b", None]}, ["string", "null"]),
        ({"const": 3}, ["integer", "null"]),
        ({"properties": {"a": {}}}, ["object", "null"]),
        ({"additionalProperties": {"type": "string"}}, ["object", "null"]),
        ({"items": {"type": "string"}}, ["array", "null"]),
        ({}, ["object", "array", "string", "number", "boolean", "null"]),
        (True, ["object", "array", "string", "number", "boolean", "null"]),
    ],
)
def test_a_type_is_read_however_the_document_writes_it(declared: Any, types: list[str]) -> None:
    assert column(declared)["type"] == types


@pytest.mark.parametrize(
    ("written", "kept"),
    [("date-time", "date-time"), ("date", "date"), ("decimal", "singer.decimal"), ("email", None), ("uuid", None)],
)
def test_a_format_that_makes_a_type_of_the_lake_is_kept(written: str, kept: str | None) -> None:
    assert column({"type": "string", "format": written}).get("format") == kept


def test_lengths_patterns_and_lists_of_values_refuse_no_row() -> None:
    found = column({"type": "string", "maxLength": 2, "pattern": "^a", "enum": ["a", "b"], "description": "A letter."})
    assert found == {"type": ["string", "null"], "description": "A letter. One of: a, b."}


def test_a_long_list_of_values_is_cut_short_in_the_description() -> None:
    assert column({"enum": [f"v{n}" for n in range(40)]})["description"].endswith("v11, ….")


def test_what_is_added_up_or_chosen_from_is_read_as_one_record() -> None:
    given = document(
        Base={"properties": {"id": {"type": "integer"}}},
        Person={"properties": {"name": {"type": "string"}}},
        Firm={"properties": {"vat": {"type": "string"}, "name": {"type": "object"}}},
        Customer={
            "allOf": [{"$ref": "#/components/schemas/Base"}, {"properties": {"tags": {"type": "array"}}}],
            "oneOf": [{"$ref": "#/components/schemas/Person"}, {"$ref": "#/components/schemas/Firm"}],
        },
    )
    assert kinds(given) == {
        "id": ["integer", "null"],
        "tags": ["array", "null"],
        "name": ["string", "object", "null"],
        "vat": ["string", "null"],
    }


def test_a_schema_that_holds_itself_ends_there() -> None:
    own = {"$ref": "#/components/schemas/Customer"}
    given = document(Customer={"allOf": [own], "properties": {"parent": own, "children": {"items": own}}})
    assert kinds(given) == {"parent": ["object", "null"], "children": ["array", "null"]}


def test_a_word_beside_a_reference_wins_over_what_it_refers_to() -> None:
    given = {"$ref": "#/components/schemas/Money", "description": "What is owed."}
    assert column(given, Money={"type": "number", "description": "Money."})["description"] == "What is owed."


def test_swagger_2_keeps_its_schemas_elsewhere() -> None:
    schemas = {"Customer": {"properties": {"id": {"$ref": "#/definitions/Id"}}}, "Id": {"type": "integer"}}
    given = {"swagger": "2.0", "definitions": schemas}
    assert kinds(given) == {"id": ["integer", "null"]}


def test_a_schema_without_a_name_is_found_by_its_pointer() -> None:
    answer = {"schema": {"properties": {"data": {"items": {"properties": {"id": {"type": "integer"}}}}}}}
    given = {"openapi": "3.0.0", "paths": {"/things/{id}": {"get": {"responses": {"200": answer}}}}}
    pointer = "#/paths/~1things~1{id}/get/responses/200/schema/properties/data/items"
    assert kinds(given, pointer) == {"id": ["integer", "null"]}


def test_references_lead_to_files_of_the_folder_json_or_yaml(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    customer = {"properties": {"id": {"$ref": "parts/ids.yaml#/Id"}, "order": {"$ref": "parts/order.json"}}}
    (tmp_path / "api.json").write_text(json.dumps(document(Customer=customer)))
    (tmp_path / "parts" / "ids.yaml").write_text("Id:\n  $ref: '#/Number'\nNumber:\n  type: integer\n")
    (tmp_path / "parts" / "order.json").write_text('{"type": "object"}')
    assert kinds(tmp_path / "api.json") == {"id": ["integer", "null"], "order": ["object", "null"]}


@pytest.mark.parametrize(
    "reference", ["../secret.json", "https://example.invalid/x.json", "#/nowhere", "missing.json#/A"]
)
def test_a_reference_never_leaves_the_folder_and_one_that_leads_nowhere_is_told(tmp_path: Path, reference: str) -> None:
    (tmp_path / "secret.json").write_text('{"type": "integer"}')
    (tmp_path / "api").mkdir()
    path = tmp_path / "api" / "api.json"
    path.write_text(json.dumps(document(Customer={"properties": {"x": {"$ref": reference}}})))
    with pytest.raises(ContractError, match=r"^api\.json: the reference .* leads nowhere\. Next: mend the document"):
        fields(path)


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(ContractError, match=r"no schema 'Custmer'. Next: did you mean 'Customer'"):
        fields(document(Customer={}, Order={}), "Custmer")


def test_a_schema_without_fields_is_told() -> None:
    with pytest.raises(ContractError, match=r"declares no fields. Next: name the schema of one record"):
        fields(document(Customer={"type": "string"}))


@pytest.mark.parametrize("content", ["{", "a: [", "- a\n"])
def test_a_file_that_is_no_document_is_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "api.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"^api\.yaml: it "):
        fields(path)
    with pytest.raises(ConfigError, match="there is no such file"):
        fields(tmp_path / "none.json")
