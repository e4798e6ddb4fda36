"""Keep an audience in a table of a SQL database: its own table, or named columns of one that others use too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import ClassVar, Literal

from pydantic import Field, SecretStr, model_validator

from snello.kit.channel import ActivationSink, ActivationTarget, Change, ChannelSettings, Held, Size, Verdict
from snello.kit.entry import entry
from snello.kit.sql.writing import Database, Flag, Merge, Terms, canonical

Scalar = bool | int | str | None


class Settings(ChannelSettings):
    """Settings of target-sql."""

    url: SecretStr = Field(
        description="SQLAlchemy URL of the database, such as postgresql://user:password@host:5432/crm."
    )
    table: str | None = Field(
        None, min_length=1, description="The table, or schema.table. Default: the sync's list, else its name."
    )
    key: str = Field("customer_id", description="The table's column that names a row; it has to be unique.")
    columns: dict[str, str] = Field(
        {}, description="Column of the audience to column of the table; empty: all columns, under their own names."
    )
    create: bool = Field(True, description="Make the table when it is not there.")
    types: dict[str, str] = Field(
        {}, description="Types of columns of a table that is made, such as varchar(20) or decimal(12,2)."
    )
    removal: Literal["delete", "null", "flag"] = Field(
        "delete",
        description="What becomes of a row that leaves the audience: delete it if we put it there; null: empty our "
        "columns; flag: write flag_removed into flag_column.",
    )
    flag_column: str | None = Field(None, description="Column that says whether a row is in the audience.")
    flag_held: Scalar = Field(None, description="Its value for a row in the audience.")
    flag_removed: Scalar = Field("removed", description="Its value for a row that left the audience.")
    adopt: Literal["update", "refuse"] = Field(
        "refuse",
        description="What becomes of a member whose key a row has that is not ours: update that row, or "
        "refuse the member.",
    )
    batch_size: int = Field(10_000, ge=1, le=100_000, description="Most rows in one transaction.")

    @model_validator(mode="after")
    def _flagged(self) -> Settings:
        if self.removal == "flag" and self.flag_column is None:
            raise ValueError("removal is flag without a flag_column. Next: name the column in flag_column")
        return self


class Rows(ActivationSink[Settings]):
    """One row a member, by the key."""

    name = "rows"
    modes: ClassVar[frozenset[str]] = frozenset({"mirror", "upsert", "insert", "update", "append", "replace"})

    @property
    def max_size(self) -> int:  # type: ignore[override]
        """As the settings say."""
        return self.settings.batch_size

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """One transaction; a row that the table will not take is refused alone."""
        return self._merge.upsert(changes, changes[0].mode)

    def move(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """As an upsert, after the rows were given their new keys."""
        return self.upsert(changes)

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """One transaction; nothing that others put there is deleted."""
        return self._merge.remove([change.key for change in changes])

    def erase(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """As a removal, but what we wrote goes whatever the settings say."""
        return self._merge.remove([change.key for change in changes], wholly=True)

    def begin(self, rows: int) -> None:
        """Open the transaction in which the whole is replaced."""
        self._merge.begin()

    def commit(self) -> Iterable[Verdict]:
        """Take out the rows that the session did not bring; readers see all of it at once."""
        self._merge.commit()
        return ()

    def abandon(self) -> None:
        """Roll back."""
        self._merge.close()

    def canonical(self, key: str) -> str:
        """Without padding, which databases add and drop."""
        return canonical(key)

    def listing(self) -> Iterable[Held]:
        """The rows of this sync that stand in the table."""
        return (Held(key) for key in self._merge.held())

    def size(self) -> Size:
        """How many of them there are."""
        rows = sum(1 for _ in self._merge.held())
        return Size(rows, rows)

    def close(self) -> None:
        """Close the connection."""
        self._merge.close()

    @cached_property
    def _merge(self) -> Merge:
        given = self.settings
        database = Database(
            given.url.get_secret_value(),
            "target-sql",
            tries=given.retry_attempts,
            seconds=given.timeout,
            longest=given.max_wait,
        )
        flag = Flag(given.flag_column, given.flag_held, given.flag_removed) if given.flag_column else None
        return Merge(
            database,
            Terms(
                table=given.table or self.title,
                sync=self.sync,
                key=given.key,
                columns=given.columns,
                create=given.create,
                types=given.types,
                removal=given.removal,
                flag=flag,
                adopt=given.adopt,
                schema=self.schema,
            ),
        )


class TargetSql(ActivationTarget):
    """Singer target that keeps an audience in a table of a SQL database."""

    name = "target-sql"
    sinks = (Rows,)
    settings = Settings


main = entry(TargetSql)
