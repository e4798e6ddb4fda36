"""The shop's data: Arrow files mapped into memory, a page of which becomes documents when it is asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snello.errors import ConfigError
from snello.sandbox.draw import Ints, Mask
from snello.sandbox.emulators.shop_documents import SHAPES, modified, refunds
from snello.sandbox.emulators.shop_query import Collection, Params


class ShopStore:
    """What the shop holds. Changes made through the interface live in memory, over the files."""

    def __init__(self, folder: Path) -> None:
        self.tables: dict[str, pa.Table] = {}
        self.moments: dict[tuple[str, str], Ints] = {}
        self.changes: dict[tuple[str, int], dict[str, Any]] = {}
        self.deleted: dict[str, set[int]] = {name: set() for name in SHAPES}
        for name in SHAPES:
            path = folder / f"{name}.arrow"
            if not path.exists():
                raise ConfigError("shop", f"no {path.name} in {folder}", "make the company with `snello demo up`")
            self.tables[name] = table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
            for column in ("date_created_gmt", "date_modified_gmt"):
                if column in table.column_names:
                    self.moments[name, column] = table[column].cast(pa.int64()).to_numpy().copy()

    def counts(self) -> dict[str, Any]:
        """How many documents each collection holds."""
        return {name: table.num_rows - len(self.deleted[name]) for name, table in self.tables.items()}

    def select(self, collection: Collection, params: Params) -> Ints:
        """Rows that the query asks for, in its order; equal values keep the order of ids."""
        table = self.tables[collection.name]
        keep = self._filtered(collection, params)
        ids = table["id"].to_numpy()
        if params.include:
            keep &= np.isin(ids, params.include)
        if params.exclude:
            keep &= ~np.isin(ids, params.exclude)
        for name, moment in params.bounds.items():
            column = "date_modified_gmt" if name.startswith("modified") else "date_created_gmt"
            values, at = self.moments[collection.name, column], int(moment.timestamp() * 1_000_000)
            keep &= values > at if name.endswith("after") else values < at
        rows = np.flatnonzero(keep)
        order = self._sortable(collection, params.orderby)[rows]
        ranked = rows[np.argsort(order, kind="stable")]
        return ranked[::-1] if params.descending else ranked

    def documents(self, collection: Collection, rows: Ints) -> list[dict[str, Any]]:
        """Documents of the given rows, as the interface shows them."""
        table = self.tables[collection.name].take(pa.array(rows, pa.int64()))
        changes = [self.changes.get((collection.name, row["id"]), {}) for row in table.to_pylist()]
        shaped = [
            # what follows from the status, such as refunds, follows from the new one
            SHAPES[collection.name](row | {name: value for name, value in change.items() if name == "status"})
            for row, change in zip(table.to_pylist(), changes, strict=True)
        ]
        return [document | change for document, change in zip(shaped, changes, strict=True)]

    def single(self, collection: Collection, number: int, changes: dict[str, Any]) -> dict[str, Any] | None:
        """One document by its id, after the changes; null when there is none.

        A change is of the moment that it names in ``date_modified_gmt``, else of now. Raises ``ValueError`` for none.
        """
        rows = np.flatnonzero(self.tables[collection.name]["id"].to_numpy() == number)
        if not len(rows) or number in self.deleted[collection.name]:
            return None
        if changes:
            given = changes.get("date_modified_gmt")
            moment = datetime.fromisoformat(given).replace(tzinfo=UTC) if given else datetime.now(UTC)
            stamped = modified(moment.replace(microsecond=0))
            self.changes.setdefault((collection.name, number), {}).update(changes | stamped)
            moments = self.moments.get((collection.name, "date_modified_gmt"))
            if moments is not None:
                moments[rows] = int(moment.timestamp()) * 1_000_000
        return self.documents(collection, rows)[0]

    def delete(self, collection: Collection, number: int) -> dict[str, Any] | None:
        """Delete one document for good; it as it was, or null when there is none."""
        document = self.single(collection, number, {})
        if document is not None:
            self.deleted[collection.name].add(number)
        return document

    def refunds(self, order: int) -> list[dict[str, Any]] | None:
        """The refunds of an order; null when there is no such order."""
        table = self.tables["orders"]
        rows = np.flatnonzero(table["id"].to_numpy() == order)
        if not len(rows) or order in self.deleted["orders"]:
            return None
        row = table.take(pa.array(rows, pa.int64())).to_pylist()[0]
        return refunds(row | {"status": self.changes.get(("orders", order), {}).get("status", row["status"])})

    def _filtered(self, collection: Collection, params: Params) -> Mask:
        table = self.tables[collection.name]
        keep = np.ones(table.num_rows, dtype=bool)
        if gone := self.deleted[collection.name]:
            keep &= ~np.isin(table["id"].to_numpy(), list(gone))
        wanted = dict(params.filters)
        if collection.name == "product_reviews":
            wanted.setdefault("status", "approved")
        for name, value in wanted.items():
            if name == "status" and value in ("any", "all"):
                continue
            column = table[collection.filters[name]]
            values = pa.array([value.strip() for value in value.split(",")], pa.string()).cast(column.type)
            keep &= pc.is_in(column, value_set=values).fill_null(False).to_numpy()
        return keep

    def _sortable(self, collection: Collection, orderby: str) -> Any:
        column = collection.orderings[orderby]
        if (collection.name, column) in self.moments:
            return self.moments[collection.name, column]
        values = self.tables[collection.name][column]
        if not pa.types.is_integer(values.type):
            return pc.rank(values, tiebreaker="first").to_numpy()
        return values.to_numpy()
