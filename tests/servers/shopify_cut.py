"""A schema cut down to what documents ask of it: their types, fields and arguments, in the words of the schema."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping
from typing import Any

from graphql import (
    REMOVE,
    FieldDefinitionNode,
    FieldNode,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    NamedTypeNode,
    ObjectTypeDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_input_object_type,
    is_object_type,
    is_required_argument,
    is_specified_scalar_type,
    parse,
    print_ast,
    print_type,
    validate,
    visit,
)


def refused(schema: GraphQLSchema, documents: Mapping[str, str]) -> list[str]:
    """What is wrong with documents by a schema, each with the name of its document."""
    return [f"{name}: {error.message}" for name in documents for error in validate(schema, parse(documents[name]))]


def cut(schema: GraphQLSchema, documents: Mapping[str, str]) -> dict[str, str]:
    """The definitions that are left, by name. Raises ``ValueError`` for documents that the schema refuses.

    - arguments that a field demands stay, and all values of an enum
    - a type stays one of an interface, with its fields, where a document takes rows of the interface as that type
    """
    if wrong := refused(schema, documents):
        raise ValueError("\n".join(wrong))
    asked = _Asked(schema)
    for text in documents.values():
        visit(parse(text), TypeInfoVisitor(asked.info, asked))
    asked.complete()
    left = [kind for name in sorted(asked.types) if not is_specified_scalar_type(kind := schema.type_map[name])]
    definitions = {kind.name: print_ast(visit(parse(print_type(kind)), _Cutting(asked))) for kind in left}
    return {"schema": _roots(schema, definitions)} | definitions


def _roots(schema: GraphQLSchema, left: Container[str]) -> str:
    roots = {"query": schema.query_type, "mutation": schema.mutation_type, "subscription": schema.subscription_type}
    lines = [f"  {way}: {kind.name}" for way, kind in roots.items() if kind and kind.name in left]
    return "\n".join(("schema {", *lines, "}"))


class _Asked(Visitor):
    """What documents name: arguments by type and field; types; and those of them that stand behind ``... on``."""

    def __init__(self, schema: GraphQLSchema) -> None:
        super().__init__()
        self.schema, self.info = schema, TypeInfo(schema)
        self.fields: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.types: set[str] = set()
        self.narrowed: set[str] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent, field = self.info.get_parent_type(), self.info.get_field_def()
        if parent and field and not node.name.value.startswith("__"):
            self._note(parent.name, node.name.value, field, {each.name.value for each in node.arguments or ()})

    def enter_inline_fragment(self, node: InlineFragmentNode, *_: Any) -> None:
        if node.type_condition:
            self.narrowed.add(node.type_condition.name.value)

    def complete(self) -> None:
        """Add what makes the rest whole: fields of interfaces, and types inside of what arguments take."""
        for name in self.narrowed:
            kind = self.schema.type_map[name]
            if not is_object_type(kind):
                continue
            for interface in kind.interfaces:
                for field in interface.fields if interface.name in self.types else ():
                    self._note(interface.name, field, interface.fields[field], set())
                    self._note(name, field, kind.fields[field], set())
        inputs = [kind for name in self.types if is_input_object_type(kind := self.schema.type_map[name])]
        for kind in inputs:  # grows on the way
            inside = [get_named_type(field.type) for field in kind.fields.values()]
            inputs += [each for each in inside if is_input_object_type(each) and each not in inputs]
            self.types |= {each.name for each in inside}

    def _note(self, parent: str, name: str, field: GraphQLField, given: set[str]) -> None:
        kept = given | {argument for argument, told in field.args.items() if is_required_argument(told)}
        self.fields[parent][name] |= kept
        kinds = [field.type, *(field.args[argument].type for argument in kept)]
        self.types |= {parent, *(get_named_type(kind).name for kind in kinds)}


class _Cutting(Visitor):
    """Takes out of a definition what was not asked for."""

    def __init__(self, asked: _Asked) -> None:
        super().__init__()
        self.asked, self.type, self.field = asked, "", ""

    def enter_object_type_definition(self, node: ObjectTypeDefinitionNode, *_: Any) -> None:
        self.type = node.name.value

    def enter_interface_type_definition(self, node: InterfaceTypeDefinitionNode, *_: Any) -> None:
        self.type = node.name.value

    def enter_named_type(self, node: NamedTypeNode, _: Any, __: Any, path: list[Any], *___: Any) -> Any:
        """An interface that the type promises to be."""
        stays = self.type in self.asked.narrowed and node.name.value in self.asked.types
        return REMOVE if "interfaces" in path[-2:-1] and not stays else None

    def enter_field_definition(self, node: FieldDefinitionNode, *_: Any) -> Any:
        self.field = node.name.value
        return None if self.field in self.asked.fields[self.type] else REMOVE

    def enter_input_value_definition(self, node: InputValueDefinitionNode, *_: Any) -> Any:
        """An argument of a field; what an input type holds stays whole."""
        kept = not self.type or node.name.value in self.asked.fields[self.type][self.field]
        return None if kept else REMOVE
