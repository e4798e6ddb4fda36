"""What the tap is told: one place and layout a stream, and how the platform writes its files."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from snello.kit.files import FileSet, FileSettings, choices
from tap_dmp.openrtb import OpenRtbSet
from tap_dmp.streams import ADDS, GIVEN, ID_LINKS, MEMBERSHIPS, REFUSED, REMOVES, TAXONOMY, Shape, cased

DAY_IN_NAME = r"(\d{8}(?:[T_-]?\d{4,6})?)"
OF_FILES = {
    "delimiter",
    "encoding",
    "skip_lines",
    "compression",
    "date_format",
    "timezone",
    "checksum",
    "manifest",
    "deletes_at_most",
    "required",
    "storage_options",
}


class Drop(BaseModel):
    """The files of one stream."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(min_length=1, description="Path, pattern (`*`, `?`, `**`) or URL (`s3://…`, `sftp://…`).")
    format: Literal["csv", "tsv", "jsonl", "openrtb"] = Field(description="Kind of file.")
    columns: dict[str, str] = Field({}, description="Our columns and what the file calls them, where it differs.")
    constants: dict[str, str] = Field({}, description="Our columns that no row holds, with the text of all rows.")
    in_name: dict[str, str] = Field({}, description="Our columns and a regular expression that finds them in the name.")
    deltas: str = Field("*delta*", description="Pattern of names of files that hold only changes; `*` when all do.")
    order: str | None = Field(
        DAY_IN_NAME, description="Regular expression whose group puts the files in order; null: their time of change."
    )
    checksum: Literal["none", "beside", "manifest"] = Field(
        "none", description="Where checksums must stand: `beside` a file (.md5, .sha1, .sha256, .sha512) or `manifest`."
    )
    manifest: str = Field("*manifest*", description="Pattern of the names of manifests in a folder.")
    deletes_at_most: float = Field(
        0.5, ge=0, le=1, description="Share of the rows that a full file may lack at once; beyond it none is told gone."
    )
    ttl_days: int | None = Field(None, ge=1, description="Days that a membership lasts that says no end itself.")
    yes: tuple[str, ...] | None = Field(None, description="Texts of an added membership, or of a consent given.")
    no: tuple[str, ...] | None = Field(None, description="Texts of a removed membership, or of a consent refused.")
    delimiter: str | None = Field(None, description="Mark between fields; a comma for csv, a tab for tsv.")
    encoding: str = Field("utf-8", description="Encoding.")
    skip_lines: int = Field(0, ge=0, description="Lines before the header to leave out.")
    compression: Literal["infer", "none", "gzip", "zip", "bz2", "xz"] = Field(
        "infer", description="Compression; `infer` looks at the first bytes of each file."
    )
    date_format: str | None = Field(None, description="Format of moments, as in strptime; ISO 8601 when absent.")
    timezone: str | None = Field(None, description="Time zone of moments that carry none; UTC when absent.")
    ignore: tuple[str, ...] = Field((), description="Patterns of the file's columns that are left out on purpose.")
    required: bool = Field(False, description="Whether it is a fault when no file matches the path.")
    storage_options: dict[str, Any] | None = Field(
        None,
        description="Options of this drop's place, instead of the common ones.",
        json_schema_extra={"secret": True},
    )

    def layout(self, stream: str, shape: Shape, provider: str) -> FileSet:
        """As the files of one stream. Raises ``ValueError`` when a column is none of the stream's."""
        told = [*self.columns, *self.constants, *self.in_name]
        names = [column["name"] for column in shape.columns]
        for name in told:
            if name not in names:
                raise ValueError(f"{stream}: no column is called {name!r}. Next: {choices(name, names)}")
            if told.count(name) > 1:
                raise ValueError(
                    f"{stream}: {name} is told twice. Next: name it in columns, constants or in_name alone"
                )
        told_here = {
            **self.model_dump(include=OF_FILES),
            "stream": stream,
            "path": self.path,
            "columns": [self._column(column, shape, provider) for column in shape.columns],
            "keys": shape.keys,
            "whole": True,
            "order": self.order,
            "proven_only": True,
        }
        try:
            if self.format == "openrtb":
                return OpenRtbSet(**told_here, format="jsonl", journal=True, deltas="*", ignore=("*",))
            return FileSet(**told_here, format=self.format, deltas=self.deltas, ignore=self.ignore)
        except ValidationError as error:
            raise ValueError(f"{stream}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None

    def _column(self, column: dict[str, Any], shape: Shape, provider: str) -> Any:
        name = column["name"]
        told = {"optional": name not in shape.keys, **column}
        if name in self.columns:
            told |= {"source": self.columns[name], "optional": False}
        if column.get("type") == "boolean":
            told["true_values"] = cased(self.yes or (GIVEN if name == "has_consent" else ADDS))
            told["false_values"] = cased(self.no or (REFUSED if name == "has_consent" else REMOVES))
        constants = {"ttl_days": self.ttl_days, **self.constants}
        if name == "provider" and name not in self.columns:
            constants = {"provider": provider, **constants}
        if constants.get(name) is not None:
            return {**told, "constant": str(constants[name])}
        pattern = self.in_name.get(name, self.order if name == "delivery" else None)
        return {**told, "in_name": pattern} if pattern and name not in self.columns else told


class DmpSettings(BaseModel):
    """What the tap is told."""

    provider: str = Field(min_length=1, description="Who delivers: a short name that stands in every row.")
    memberships: Drop | None = Field(None, description="Files of who is in which segment.")
    taxonomy: Drop | None = Field(None, description="Files of what the segments are.")
    id_links: Drop | None = Field(None, description="Files of which id belongs to which of our keys, with consent.")
    storage_options: dict[str, Any] = Field(
        {}, description="Options of the places, such as keys and passwords.", json_schema_extra={"secret": True}
    )
    memory: str | None = Field(
        None, description="Folder or URL for the keys of full files; beside the state when absent."
    )
    settle_seconds: int = Field(
        0, ge=0, description="Leave a file alone that changed less than this many seconds ago: it may still be written."
    )
    fail_on_refused: bool = Field(False, description="Exit with code 5 when rows were refused.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if not self._drops():
            raise ValueError("no drop is told. Next: set memberships, taxonomy or id_links")
        for name, drop, _ in self._drops():
            if drop.format == "openrtb" and name != "memberships":
                raise ValueError(f"{name}: openrtb holds memberships alone. Next: set another format")
        self.as_files()
        return self

    def _drops(self) -> list[tuple[str, Drop, Shape]]:
        given = (self.memberships, self.taxonomy, self.id_links)
        named = zip(("memberships", "taxonomy", "id_links"), given, (MEMBERSHIPS, TAXONOMY, ID_LINKS), strict=True)
        return [(name, drop, shape) for name, drop, shape in named if drop is not None]

    def as_files(self) -> FileSettings:
        """The drops as layouts of files."""
        return FileSettings(
            files=tuple(drop.layout(name, shape, self.provider) for name, drop, shape in self._drops()),
            storage_options=self.storage_options,
            memory=self.memory,
            settle_seconds=self.settle_seconds,
            fail_on_refused=self.fail_on_refused,
        )
