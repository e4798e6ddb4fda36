"""Bulk operations: a query over whole lists, whose answer is a file of one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    graphql_sync,
    parse,
    validate,
)

from snello.sandbox.emulators.shopify_answers import Asking, row_of
from snello.sandbox.emulators.shopify_rows import Row, gid, text
from snello.sandbox.emulators.shopify_store import Operation, ShopifyStore

FOLDER = "/bulk-operations"
MOST_CONNECTIONS, DEEPEST = 5, 2


def with_bulk(built: GraphQLSchema) -> GraphQLSchema:
    """The schema with its one mutation, and with operations among the nodes that have an id."""

    def run(_: Any, info: GraphQLResolveInfo[Asking], query: str, groupObjects: bool) -> Row:
        return begun(info.context.store, built, query, grouped=groupObjects)

    def node(_: Any, info: GraphQLResolveInfo[Asking], id: str) -> Row | None:
        return row_of(info.context, id) or looked_at(info.context.store, id, info.context.root)

    mutations, queries = built.mutation_type, built.query_type
    assert mutations
    assert queries
    mutations.fields["bulkOperationRunQuery"].resolve = run
    queries.fields["node"].resolve = node
    return built


def begun(store: ShopifyStore, schema: GraphQLSchema, query: str, *, grouped: bool) -> Row:
    """The payload of ``bulkOperationRunQuery``: a new operation, or why there is none."""
    if store.under_way() >= store.at_once:
        one = store.at_once == 1
        code = "OPERATION_IN_PROGRESS" if one else "LIMIT_REACHED"
        return _refused(code, "A bulk query operation for this app and shop is already in progress")
    try:
        document = parse(query)
    except GraphQLError:
        return _refused("INVALID", "Invalid bulk query: syntax error")
    wrong = [error.message for error in validate(schema, document)] or _restrictions(document.definitions)
    if wrong:
        return _refused("INVALID", f"Invalid bulk query: {wrong[0]}")
    done = graphql_sync(schema, query, context_value=Asking(store, whole=True))
    fate, error = ("FAILED", "ACCESS_DENIED") if done.errors else store.fate
    [listed] = (done.data or {"none": {"edges": []}}).values()
    roots = [edge["node"] for edge in (listed or {"edges": []})["edges"]]
    lines = list(flattened(roots, grouped=grouped))
    number = gid("BulkOperation", len(store.operations) + 1)
    store.operations[number] = Operation(number, query, lines, len(roots), datetime.now(UTC), 0, fate, error)
    return {"bulkOperation": _told(store.operations[number], "CREATED", ""), "userErrors": []}


def looked_at(store: ShopifyStore, number: str, root: str) -> Row | None:
    """An operation as it is now; each look brings it nearer to its end."""
    operation = store.operations.get(number)
    if operation is None:
        return None
    operation.looks += 1
    status = operation.fate if operation.looks > store.looks else "RUNNING"
    return _told(operation, status, root)


def file_of(operation: Operation) -> bytes:
    """The file of an operation: of one that failed, the first half of it."""
    lines = operation.lines if operation.fate == "COMPLETED" else operation.lines[: len(operation.lines) // 2]
    return b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)


def flattened(rows: list[Row], *, grouped: bool) -> Iterator[Row]:
    """Rows as lines, those of their lists behind them, or behind all of them."""
    later: list[Row] = []
    for row in rows:
        lists = {name: value for name, value in row.items() if isinstance(value, dict) and "edges" in value}
        yield {name: value for name, value in row.items() if name not in lists}
        inner = [{**edge["node"], "__parentId": row["id"]} for value in lists.values() for edge in value["edges"]]
        if grouped:
            yield from inner
        else:
            later += inner
    yield from later


def _told(operation: Operation, status: str, root: str) -> Row:
    ended = status not in ("CREATED", "RUNNING")
    address = f"{root}{FOLDER}/{operation.id.rpartition('/')[2]}.jsonl"
    size = len(file_of(operation)) if ended else 0
    return {
        "__typename": "BulkOperation",
        "id": operation.id,
        "status": status,
        "errorCode": operation.error if ended else None,
        "createdAt": text(operation.created),
        "completedAt": text(operation.created) if status == "COMPLETED" else None,
        "objectCount": str(len(operation.lines)) if ended else "0",
        "rootObjectCount": str(operation.roots) if ended else "0",
        "fileSize": str(size) if status == "COMPLETED" else None,
        "url": address if status == "COMPLETED" and operation.lines else None,
        "partialDataUrl": address if status in ("FAILED", "CANCELED") and size else None,
        "query": operation.query,
    }


def _refused(code: str, message: str) -> Row:
    return {"bulkOperation": None, "userErrors": [{"code": code, "field": ["query"], "message": message}]}


def _restrictions(definitions: Any) -> list[str]:
    """What a bulk query may not be, though a query may: several roots, variables, lists too many or too deep."""
    operation = next(each for each in definitions if isinstance(each, OperationDefinitionNode))
    roots = operation.selection_set.selections
    if len(roots) != 1 or operation.variable_definitions:
        return ["Bulk queries must contain exactly one top-level field and no variables"]
    depths = list(_connections(roots[0], 0))
    if not depths:
        return ["Bulk queries must contain at least one connection."]
    if len(depths) > MOST_CONNECTIONS or max(depths) > DEEPEST:
        return ["Bulk queries cannot contain more than five connections, nor nest them deeper than two levels"]
    if not _has_id(roots[0]):
        return ["The parent 'node' field for a nested connection must select the 'id' field"]
    return []


def _connections(field: Any, depth: int) -> Iterator[int]:
    """How deep each list lies that is asked for by its edges."""
    chosen = [each for each in (field.selection_set.selections if field.selection_set else ()) if _is_field(each)]
    here = depth + (1 if any(each.name.value == "edges" for each in chosen) else 0)
    if here > depth:
        yield here
    for each in chosen:
        yield from _connections(each, here)


def _has_id(field: Any) -> bool:
    for edges in (each for each in field.selection_set.selections if _is_field(each) and each.name.value == "edges"):
        for node in (each for each in edges.selection_set.selections if each.name.value == "node"):
            return any(each.name.value == "id" for each in node.selection_set.selections if _is_field(each))
    return False


def _is_field(node: Any) -> bool:
    return isinstance(node, FieldNode)
