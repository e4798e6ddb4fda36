"""A cut of a schema holds what documents ask for, whole, and nothing else."""

from __future__ import annotations

import pytest
from graphql import build_schema
from tests.servers.shopify_cut import cut

SCHEMA = build_schema("""
  schema { query: Root }
  interface Thing { id: ID! }
  type Root {
    thing(id: ID!, old: Boolean): Thing
    shoes(size: Int!, kind: Kind = LOW, where: Where, note: String): [Shoe!]!
    hats: [Hat!]!
  }
  type Shoe implements Thing { id: ID! kind: Kind size: Int @deprecated(reason: "Use `sizes`.") sizes: [Int!]! }
  type Hat implements Thing { id: ID! colour: String }
  enum Kind { LOW HIGH }
  input Where { any: [Where!] in: Place }
  input Place { town: Town, street: String }
  enum Town { ROME OSLO }
""")


def words(document: str) -> str:
    """The definitions that a document leaves, on one line."""
    return " ".join(" ".join(cut(SCHEMA, {"own": document}).values()).split())


def test_fields_that_are_not_asked_for_go_and_deprecations_stay() -> None:
    root = "schema { query: Root } type Root { shoes(size: Int!): [Shoe!]! }"
    shoe = 'type Shoe { size: Int @deprecated(reason: "Use `sizes`.") }'
    assert words("{ shoes(size: 1) { size } }") == f"{root} {shoe}"


def test_an_enum_keeps_all_of_its_values_and_an_argument_its_default() -> None:
    left = words("{ shoes(size: 1, kind: HIGH) { sizes } }")
    assert "enum Kind { LOW HIGH }" in left
    assert "shoes(size: Int!, kind: Kind = LOW)" in left


def test_what_an_argument_takes_stays_whole_to_its_depth() -> None:
    left = words("query ($where: Where) { shoes(size: 1, where: $where) { sizes } }")
    assert "input Where { any: [Where!] in: Place }" in left
    assert "input Place { town: Town street: String }" in left
    assert "enum Town { ROME OSLO }" in left


def test_a_type_stays_one_of_an_interface_where_rows_are_taken_as_that_type() -> None:
    left = words("{ thing(id: 1) { ... on Hat { colour } } hats { colour } shoes(size: 1) { sizes } }")
    assert "interface Thing { id: ID! }" in left
    assert "type Hat implements Thing { id: ID! colour: String }" in left
    assert "type Shoe { sizes: [Int!]! }" in left


def test_a_document_that_the_schema_refuses_is_not_cut_by() -> None:
    with pytest.raises(ValueError, match="own: Cannot query field 'size' on type 'Hat'"):
        cut(SCHEMA, {"own": "{ hats { size } }"})
