"""What tap-shopify asks, held against what Shopify publishes: the cut of its schemas in ``tests/sandbox/shopify``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLSchema,
    NameNode,
    NoDeprecatedCustomRule,
    Visitor,
    build_schema,
    parse,
    print_type,
    validate,
    visit,
)
from tests.servers.shopify import ANEW, CUT, files, held, published
from tests.servers.shopify_cut import cut, refused
from tests.servers.shopify_documents import documents

from snello.sandbox.emulators.shopify import VERSIONS
from snello.sandbox.emulators.shopify_schema import SDL, VERSION
from tap_shopify import Settings

DOCUMENTS = documents()
# what Shopify says in their place stands in defaultEmailAddress and defaultPhoneNumber
DEPRECATED = {"field Customer.emailMarketingConsent", "field Customer.smsMarketingConsent"}
NOT_ASKED = "{ customers(first: 1) { nodes { note } } }"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_document_is_valid_by_what_shopify_publishes(version: str) -> None:
    assert refused(held(version), DOCUMENTS) == [], ANEW


@pytest.mark.parametrize("version", VERSIONS)
def test_the_cut_holds_nothing_that_no_document_asks_for(version: str) -> None:
    left = build_schema("\n".join(cut(held(version), DOCUMENTS).values()))
    assert definitions(left) == definitions(held(version)), ANEW


def definitions(schema: GraphQLSchema) -> dict[str, str]:
    return {name: print_type(kind) for name, kind in schema.type_map.items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_no_document_asks_for_what_is_deprecated_but_for_the_two_consents(version: str) -> None:
    found = [validate(held(version), parse(text), [NoDeprecatedCustomRule]) for text in DOCUMENTS.values()]
    told = {error.message.partition(" is deprecated")[0] for errors in found for error in errors}
    assert told == {f"The {each}" for each in DEPRECATED}


class Names(Visitor):
    """The fields and arguments of a document; those that are called ``misspelt`` get another last letter."""

    def __init__(self, misspelt: str = "") -> None:
        super().__init__()
        self.met: set[str] = set()
        self.misspelt = misspelt

    def enter_field(self, node: FieldNode | ArgumentNode, *_: Any) -> Any:
        name = node.name.value
        self.met.add(name)
        return replace(node, name=NameNode(value=f"{name[:-1]}x")) if name == self.misspelt else None

    enter_argument = enter_field


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_with_one_letter_changed_is_refused(document: str) -> None:
    told, names = parse(DOCUMENTS[document]), Names()
    visit(told, names)
    assert names.met
    taken = {name for name in names.met if not validate(held(VERSION), visit(told, Names(name)))}
    assert taken == set()


def test_a_field_that_nobody_asked_for_yet_is_refused_with_the_command_that_cuts_anew() -> None:
    assert refused(held(VERSION), {"own": NOT_ASKED}) == ["own: Cannot query field 'note' on type 'Customer'."]
    assert "Next: python -m tests.servers.shopify;" in ANEW


def test_what_the_stand_in_says_of_the_fields_that_are_asked_for_is_what_shopify_says() -> None:
    ours, theirs = cut(build_schema(SDL), DOCUMENTS), cut(held(VERSION), DOCUMENTS)
    assert ours.keys() == theirs.keys()
    other = {name: lines(ours[name]) - lines(theirs[name]) for name in ours}
    assert {name: found for name, found in other.items() if found} == {}


def lines(definition: str) -> set[str]:
    return {line.partition(" @deprecated")[0] for line in definition.splitlines()}


def test_every_version_that_is_served_has_its_cut_and_no_other() -> None:
    assert {path.stem for path in CUT.glob("20*.graphql")} == set(VERSIONS)
    assert Settings.model_fields["api_version"].default in VERSIONS


@pytest.mark.real
def test_the_cut_is_what_its_command_makes_of_the_published_schemas() -> None:
    assert refused(published(VERSION), {"own": NOT_ASKED}) == []  # a field that is there, but that is not asked for
    assert files() == {path.name: path.read_text() for path in CUT.iterdir()}, ANEW
