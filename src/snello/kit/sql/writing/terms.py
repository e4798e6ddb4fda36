"""What a sync and a table agreed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Mode = Literal["mirror", "upsert", "insert", "update", "append", "replace"]
Removal = Literal["delete", "null", "flag"]
Scalar = bool | int | str | None


@dataclass(frozen=True)
class Flag:
    """A column that says whether a row is in the audience, and its value in either case."""

    column: str
    held: Scalar = None
    removed: Scalar = "removed"


@dataclass(frozen=True)
class Terms:
    """How one sync writes to one table.

    - ``table``: its name, or ``schema.name``; ``key``: its column that names a row
    - ``columns``: column of the audience to column of the table; empty: all, under their own names
    - ``create``: make the table when there is none; ``types``: of its columns, where the audience's do not suit
    - ``adopt``: whether a row that is not ours and has the key of a member may be written to
    """

    table: str
    sync: str
    key: str = "customer_id"
    columns: Mapping[str, str] = field(default_factory=dict)
    create: bool = True
    types: Mapping[str, str] = field(default_factory=dict)
    removal: Removal = "delete"
    flag: Flag | None = None
    adopt: Literal["update", "refuse"] = "refuse"
    schema: Mapping[str, Any] = field(default_factory=dict)

    @property
    def named(self) -> tuple[str | None, str]:
        """Schema and name of the table."""
        schema, _, name = self.table.rpartition(".")
        return schema or None, name
