"""What a gate may look at, and what a gate is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

import duckdb
import pyarrow as pa

from snello.activation.columns import columns
from snello.activation.engine import told
from snello.activation.ledger import Ledger
from snello.activation.sync import Sync
from snello.lake import Lake


@dataclass(frozen=True)
class Case:
    """One sync before the gates.

    ``connection`` holds the relations of the audience, the ledger's ``held``, ``settled`` and ``unsettled``, and

    - ``passing(key, customer, fingerprint)``: the members whom no gate has kept back yet
    - ``unproven``, of ``passing``, and ``judged``, of ``audience``: the members whom it is worth to look at again
    - ``leavers(key, customer)``: once all have passed, rows of the channel whose members will not be sent
    """

    sync: Sync
    connection: duckdb.DuckDBPyConnection
    lake: Lake
    ledger: Ledger
    salt: str
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The columns of the audience and their types, as DuckDB names them."""
        rows = self.connection.execute("select column_name, column_type from (describe published)").fetchall()
        return {name: kind for name, kind in rows if not name.startswith("_")}

    def published(self, name: str) -> str | None:
        """A SELECT of a published table; None where no such table was ever published."""
        manifest = self.lake.manifest()
        return self.lake.published_sql(name) if manifest and name in manifest.tables else None

    def told(self, sql: str, given: str) -> pa.Table:
        """The rows of a SELECT over the ledger with one parameter, written ``:sync``, as columns of text."""
        with told():
            return columns(self.ledger.engine, sql, given)


def _nothing(_case: Case) -> str | None:
    return None


def _forgets(_case: Case) -> None:
    return None


@dataclass(frozen=True)
class Gate:
    """One reason to keep members back.

    - ``kept_back``: a SELECT of ``key, customer, code, keep`` among ``passing``, a row a key; None when the sync asks
      for nothing of the kind. ``keep``: what the channel already holds of the member stays there
    - ``barred``: a SELECT of ``key, code`` among ``leavers``: rows that the channel must not go on holding in any mode
    - ``remember``: writes to the ledger what the gate has decided for good, once the run begins
    """

    name: str
    kept_back: Callable[[Case], str | None]
    barred: Callable[[Case], str | None] = _nothing
    remember: Callable[[Case], None] = _forgets
