"""Drop an audience, or what changed in it, as files that others fetch: CSV, fixed width or Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, ClassVar

from pydantic import Field

from snello.kit.channel import ActivationSink, ActivationTarget, Change, ChannelSettings, ConfigError, Verdict, choices
from snello.kit.entry import entry
from snello.kit.files.writing import Column, Columns, Dialect, Drop, Layout, Names, Place, encoder
from snello.kit.files.writing.compression import SUFFIX, Compression, compressed
from snello.kit.files.writing.layout import Platform

ENDINGS = {"csv": ".csv", "fixed": ".txt", "parquet": ".parquet"}


class Settings(Columns, ChannelSettings):
    """Settings of target-file."""

    path: str = Field(min_length=1, description="The folder: a path, sftp://user@host/folder or s3://bucket/folder.")
    storage_options: dict[str, Any] = Field(
        {}, description="Logins of the place, as those of tap-files.", json_schema_extra={"secret": True}
    )
    name: str = Field(
        "{sync}_{run_id}_{op}_{part}",
        description="Name of a file, made of sync, list, run_id, op, date and part; the ending is added.",
    )
    key: str = Field("customer_id", description="The audience's column that names a row.")
    op_column: str | None = Field(
        "op", description="Column in front that says what becomes of the row; none: only the file's name does."
    )
    op_upsert: str = Field("upsert", description="Its word for a row that the reader shall hold.")
    op_remove: str = Field("remove", description="Its word for a row that the reader shall hold no longer.")
    dialect: Dialect = Field(
        default_factory=lambda: Dialect.model_validate({}), description="How values are written as text."
    )
    platform: Platform = Field("generic", description="Whose rules normalise identifiers: generic, google or meta.")
    country: str = Field(
        "IT", pattern="^[A-Z]{2}$", description="Country from which phone numbers without a prefix are dialled."
    )
    compression: Compression = Field("none", description="none, gzip or zstd; Parquet is compressed in itself.")
    checksums: bool = Field(False, description="Put a file .sha256 beside each file.")
    part_rows: int = Field(100_000, ge=1, le=1_000_000, description="Most rows in one file.")


class Files(ActivationSink[Settings]):
    """One file a batch, and a manifest a run."""

    name = "files"
    modes: ClassVar[frozenset[str]] = frozenset({"mirror", "upsert", "insert", "append", "replace"})

    @property
    def max_size(self) -> int:  # type: ignore[override]
        """As the settings say."""
        return self.settings.part_rows

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """One file; rows that it cannot hold are refused."""
        return self._dropped("upsert", changes, [(change.key, change.payload) for change in changes])

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """One file of keys."""
        return self._dropped("remove", changes, [(change.key, {self.settings.key: change.key}) for change in changes])

    def find(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Rows of a batch that a run which was cut off wrote all the same."""
        there = [change for change in changes if change.batch and self._drop.has(change.batch)]
        layout = self._layout(whole=_whole(changes))
        done = encoder(layout, self.schema).encode("upsert", [(each.key, each.payload) for each in there])
        return [Verdict.delivered(change.key) for change in there if change.key not in done.refused]

    def begin(self, rows: int) -> None:
        """What a session that was cut off left is taken away when the first file comes."""
        self._fresh = True

    def commit(self) -> Iterable[Verdict]:
        """The manifest."""
        self._drop.finish(whole=True)
        return ()

    def abandon(self) -> None:
        """No manifest, and no file of the whole."""
        self._fresh = False
        self._drop.abandon()

    def close(self) -> None:
        """The manifest of what was delivered, unless a fault leaves that to the next run.

        A sink without a schema was only asked about the channel, by a plan say: it writes nothing.
        """
        try:
            if self.schema and not self._failed:
                self._drop.finish()
        finally:
            self._place.close()

    _fresh = False
    _failed = False

    def _dropped(self, op: str, changes: Sequence[Change], rows: list[tuple[str, Any]]) -> list[Verdict]:
        self._failed = True
        if self._fresh:
            self._drop.restart(changes[0].run_id)
            self._fresh = False
        layout = self._layout(whole=op == "upsert" and _whole(changes))
        done = encoder(layout, self.schema).encode(op, sorted(rows, key=lambda row: row[0]))
        self.emptied.update(layout.emptied)
        content = compressed(done.content, self.settings.compression)
        self._drop.write(changes[0].run_id, op, self.batch_id, content, done.rows)
        self._failed = False
        return [
            Verdict.refused(key, done.refused[key]) if key in done.refused else Verdict.delivered(key)
            for key, _ in rows
        ]

    def _layout(self, *, whole: bool) -> Layout:
        given = self.settings
        known = [name for name in self.schema.get("properties", {}) if not name.startswith("_")]
        for column in given.columns:
            if column.reads not in known:
                what = f"setting columns: the audience has no {column.reads}"
                raise ConfigError("target-file", what, choices(column.reads, known))
        return Layout(
            given.format,
            given.columns or tuple(Column.model_validate({"name": name}) for name in known),
            given.dialect,
            given.platform,
            given.country,
            None if whole else given.op_column,
            (given.op_upsert, given.op_remove),
        )

    @cached_property
    def _place(self) -> Place:
        given = self.settings
        return Place(
            given.path, given.storage_options, "target-file", tries=given.retry_attempts, longest=given.max_wait
        )

    @cached_property
    def _drop(self) -> Drop:
        given = self.settings
        suffix = ENDINGS[given.format] + SUFFIX[given.compression]
        names = Names("target-file", given.name, self.sync, self.title, suffix)
        layout = self._layout(whole=True)
        about = {
            "sync": self.sync,
            "list": self.title,
            "format": given.format,
            "compression": given.compression,
            "op_column": given.op_column,
            "columns": [column.name for column in layout.columns],
        }
        return Drop(self._place, names, about, checksums=given.checksums)


class TargetFile(ActivationTarget):
    """Singer target that drops an audience as files."""

    name = "target-file"
    sinks = (Files,)
    settings = Settings


def _whole(changes: Sequence[Change]) -> bool:
    return bool(changes) and changes[0].mode == "replace"


main = entry(TargetFile)
