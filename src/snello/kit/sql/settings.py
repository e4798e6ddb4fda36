"""Settings of a SQL tap."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

FULL_TABLE = "FULL_TABLE"
INCREMENTAL = "INCREMENTAL"


class Replication(BaseModel):
    """How the tables of one pattern are read."""

    model_config = ConfigDict(extra="forbid")

    method: Literal["FULL_TABLE", "INCREMENTAL"] = Field(
        "INCREMENTAL", description="Whole table every time, or only rows whose key moved on."
    )
    key: str | None = Field(None, description="Column that grows with every change, such as updated_at.")

    @field_validator("key")
    @classmethod
    def _named(cls, key: str | None) -> str | None:
        if key is not None and not key.strip():
            raise ValueError("is empty. Next: name a column")
        return key


class Settings(BaseModel):
    """What a SQL tap is told."""

    url: SecretStr = Field(
        description="SQLAlchemy URL of the database, such as postgresql://user:password@host:5432/crm "
        "or sqlite:////data/aftersales.db."
    )
    schemas: list[str] = Field([], description="Schemas to read; empty means the connection's own.")
    tables: list[str] = Field(
        ["*"], description="Patterns of tables and views to read, as name or schema.name, with * and ?."
    )
    stream_name: Literal["table", "schema-table"] = Field("table", description="What a stream is called.")
    replication: dict[str, Replication] = Field(
        {}, description="Table pattern to {method, key}; the first that fits wins, without one a table is read whole."
    )
    primary_keys: dict[str, list[str]] = Field(
        {}, description="Table pattern to the columns that are its key, for views and tables that declare none."
    )
    timezone: str = Field("UTC", description="Time zone of timestamps that do not carry one.")
    as_text: list[str] = Field(
        [],
        description="Columns, as table.column patterns, to take as text exactly as the database writes them; "
        "for values that no type of the lake holds, such as infinity.",
    )
    overlap: int = Field(
        60, ge=0, description="Seconds before the bookmark to read again, for rows committed late (timestamp keys)."
    )
    partitions: int = Field(
        1, ge=1, le=64, description="Connections that read one table at once, each a range of its integer or time key."
    )
    deletes: dict[str, Literal["compare", "ignore"]] | list[str] = Field(
        {},
        description="Tables whose deleted rows are told, found by comparing keys with those of the run before: "
        "patterns, or pattern to compare or ignore; the first that fits wins.",
    )
    deletes_at_most: float = Field(
        0.5, ge=0, le=1, description="Share of a table's rows that may be gone in one run; of more, none is told."
    )
    memory: str | None = Field(
        None, description="Folder or URL for the keys of compared tables; the state folder when not given."
    )
    fail_on_refused: bool = Field(
        False, description="Exit with code 5 when rows were refused, or too many were gone to be told."
    )
    batch_rows: int = Field(250_000, ge=1, description="Rows of a batch file or of a page.")

    def compares(self, fits: Callable[[str], bool]) -> str | None:
        """The pattern that has a table's deletions told, if there is one; ``fits`` says which patterns are its own."""
        rules = self.deletes if isinstance(self.deletes, dict) else dict.fromkeys(self.deletes, "compare")
        first = next(((pattern, rule) for pattern, rule in rules.items() if fits(pattern)), None)
        return first[0] if first and first[1] == "compare" else None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        zones = available_timezones()
        if name in zones:
            return name
        lower = {zone.lower(): zone for zone in zones}
        near = get_close_matches(name.lower(), lower, n=1)
        hint = f"did you mean {lower[near[0]]!r}?" if near else "name a zone such as 'Europe/Rome'"
        raise ValueError(f"unknown time zone {name!r}. Next: {hint}")
