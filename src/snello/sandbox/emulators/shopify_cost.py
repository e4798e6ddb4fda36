"""What a query costs in points, and the bucket that they are taken out of.

Scalars cost nothing, an object one point, a connection its size times what a row of it costs, a mutation ten, and an
abstract type as much as its dearest kind. A query that was run gives back what it did not use.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_composite_type,
)
from graphql.language import DocumentNode, OperationType

MOST_A_QUERY = 1000
MUTATION = 10


class Bucket:
    """Points that come back at a rate; ``clock`` tells seconds."""

    def __init__(self, maximum: float = 2000, rate: float = 100, clock: Callable[[], float] = time.monotonic) -> None:
        self.maximum, self.rate, self.clock = maximum, rate, clock
        self._left, self._at = maximum, clock()
        self.refused = 0

    def left(self) -> float:
        """Points that are there now."""
        now = self.clock()
        self._left, self._at = min(self.maximum, self._left + (now - self._at) * self.rate), now
        return self._left

    def take(self, points: float) -> bool:
        """Take points; false when there are not so many."""
        if self.left() < points:
            self.refused += 1
            return False
        self._left -= points
        return True

    def give_back(self, points: float) -> None:
        """What was asked for and not used."""
        self._left = min(self.maximum, self.left() + points)

    def status(self) -> dict[str, Any]:
        """As answers tell it."""
        return {"maximumAvailable": self.maximum, "currentlyAvailable": int(self.left()), "restoreRate": self.rate}


class Pricing:
    """The price of one document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self.schema, self.document, self.variables = schema, document, variables
        found = [each for each in document.definitions if isinstance(each, FragmentDefinitionNode)]
        self.fragments = {each.name.value: each for each in found}

    def price(self) -> int:
        """Points of the operation in the document."""
        operation = next(each for each in self.document.definitions if isinstance(each, OperationDefinitionNode))
        if operation.operation is OperationType.MUTATION:
            return MUTATION
        return self._selection(operation.selection_set, self.schema.query_type)

    def _selection(self, chosen: SelectionSetNode | None, kind: Any) -> int:
        """Of a set of fields; of fragments on kinds that exclude each other the dearest."""
        points = dearest = 0
        for each in chosen.selections if chosen else ():
            if isinstance(each, FieldNode):
                points += self._field(each, kind)
            elif isinstance(each, InlineFragmentNode):
                named = self.schema.type_map[each.type_condition.name.value] if each.type_condition else kind
                dearest = max(dearest, self._selection(each.selection_set, named))
            elif isinstance(each, FragmentSpreadNode):
                told = self.fragments[each.name.value]
                named = self.schema.type_map[told.type_condition.name.value]
                dearest = max(dearest, self._selection(told.selection_set, named))
        return points + dearest

    def _field(self, field: FieldNode, kind: Any) -> int:
        if field.name.value.startswith("__"):
            return 0
        named = get_named_type(kind.fields[field.name.value].type)
        if not is_composite_type(named) or named.name == "PageInfo":
            return 0
        if named.name.endswith("Connection"):
            return self._size(field) * self._selection(field.selection_set, named)
        inside = self._selection(field.selection_set, named)
        return inside if named.name.endswith("Edge") else 1 + inside

    def _size(self, field: FieldNode) -> int:
        for argument in field.arguments or ():
            if argument.name.value in ("first", "last"):
                value = argument.value
                given = self.variables.get(value.name.value) if isinstance(value, VariableNode) else None
                return int(value.value) if isinstance(value, IntValueNode) else int(given or 1)
        return 1


def used(data: Any) -> int:
    """Points of what an answer holds."""
    if isinstance(data, list):
        return sum(used(each) for each in data)
    if not isinstance(data, dict):
        return 0
    wrapper = not data.keys().isdisjoint(("edges", "nodes", "node", "hasNextPage", "cursor"))
    return (0 if wrapper else 1) + sum(used(each) for each in data.values())
