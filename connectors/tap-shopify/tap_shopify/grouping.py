"""Objects of a bulk operation's file put together: each row with its lines."""

from __future__ import annotations

from collections.abc import Iterator

from snello.kit.rest import ContractError, Row

PARENT = "__parentId"


def grouped(lines: Iterator[Row], where: str) -> Iterator[tuple[Row, int]]:
    """Each row with its lines under ``lineItems``, and how many objects it is made of; lines follow their row.

    Raises ``ContractError`` for a line whose row is not the one before it.
    """
    row: Row | None = None
    count = 0
    for line in lines:
        parent = line.pop(PARENT, None)
        if parent is None:
            if row is not None:
                yield row, count
            row, count = line, 1
        elif row is not None and row.get("id") == parent:
            row.setdefault("lineItems", []).append(line)
            count += 1
        else:
            what = "the file of the bulk operation has a line apart from its row"
            raise ContractError(where, what, "check that the API version groups objects")
    if row is not None:
        yield row, count
