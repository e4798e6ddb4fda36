"""Which columns a stream reads: what a catalog selects, held against the table as it is now."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from snello.errors import ContractError
from snello.kit.sql.tables import Table, nearest
from snello.kit.sql.types import Column

logger = logging.getLogger(__name__)


def chosen(
    table: Table, needed: set[str], catalogued: Iterable[str] | None, selected: Callable[[str], bool], where: str
) -> tuple[Column, ...]:
    """The columns to read, in the table's order; those of ``needed`` always.

    - without a catalog, every column
    - a column that is newer than the catalog is read when the catalog selects all that it knows; a selection that
      leaves columns out was made with care, and what it did not know stays out
    - raises ``ContractError`` when a selected or needed column has vanished
    """
    live = table.column_names
    known = set(live) if catalogued is None else set(catalogued)
    wanted = {name for name in known if selected(name)}
    for name in sorted((wanted | needed) - set(live)):
        what = f"column {name!r} is gone from the table"
        raise ContractError(where, what, f"{nearest(name, live)} Else deselect it, or run discovery again")
    new = [name for name in live if name not in known]
    if new and wanted == known:
        logger.info("%s: new columns, read from now on: %s", where, ", ".join(new))
        wanted |= set(new)
    elif new:
        told = "%s: new columns, not read because the catalog leaves columns out: %s. Next: run discovery again"
        logger.warning(told, where, ", ".join(new))
    return tuple(column for column in table.columns if column.name in wanted | needed)
