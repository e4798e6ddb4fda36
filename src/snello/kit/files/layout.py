"""How the files of one stream are laid out: where they are, their dialect, and a type for every column."""

from __future__ import annotations

import codecs
import hashlib
import re
from datetime import datetime
from typing import Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from snello.errors import choices

Format = Literal["csv", "tsv", "fixed", "jsonl", "excel", "parquet", "xml"]
Kind = Literal["string", "integer", "decimal", "number", "boolean", "date", "date-time", "time", "json"]
FILE, LINE, EXTRA, DELETED_AT = "_sdc_file", "_sdc_line", "_extra", "_deleted_at"
OWN = (FILE, LINE, EXTRA, DELETED_AT, "_sdc_extracted_at")


class Conventions(BaseModel):
    """How values are written; said for a stream, it holds for each column that does not say otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    date_format: str | None = Field(
        None, description="Format of date, date-time and time columns, as in strptime; ISO 8601 when absent."
    )
    timezone: str | None = Field(
        None, description="Time zone of date-time values that carry none, such as Europe/Rome; UTC when absent."
    )
    decimal: str | None = Field(None, min_length=1, max_length=1, description="Decimal mark; a point when absent.")
    thousands: str | None = Field(None, min_length=1, max_length=1, description="Mark between groups of three digits.")
    null_values: tuple[str, ...] | None = Field(
        None, description="Texts that mean no value; the empty text when absent."
    )
    true_values: tuple[str, ...] | None = Field(
        None, description="Texts that mean true; true, t, yes, y, 1 when absent."
    )
    false_values: tuple[str, ...] | None = Field(
        None, description="Texts that mean false; false, f, no, n, 0 when absent."
    )

    @field_validator("date_format")
    @classmethod
    def _format_exists(cls, form: str | None) -> str | None:
        try:
            datetime.strptime("", form or "")
        except re.error:
            raise ValueError("a part is there twice. Next: name each part once") from None
        except ValueError as error:
            if "directive" in str(error) or "stray" in str(error):
                raise ValueError(
                    "a part of the format is unknown. Next: use parts such as %d, %m, %Y, %H, %M"
                ) from None
        return form

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            hint = choices(name, available_timezones()).partition("valid:")[0]
            raise ValueError(f"{name!r} is not a time zone. Next: {hint}use a name such as Europe/Rome")
        return name


class Column(Conventions):
    """One column: its name in the lake, where the file holds it, and its type."""

    name: str = Field(min_length=1, description="Name of the column in the lake.")
    source: str | None = Field(None, description="Header or JSON key in the file; the name when absent.")
    type: Kind = Field("string", description="Type of the values.")
    start: int | None = Field(
        None, ge=1, description="Fixed width: first position, counted from 1; after the previous column when absent."
    )
    width: int | None = Field(None, ge=1, description="Fixed width: number of characters.")
    precision: int = Field(38, ge=1, le=38, description="Decimal: digits in all.")
    scale: int = Field(9, ge=0, le=38, description="Decimal: digits after the mark.")

    @property
    def header(self) -> str:
        """What the file calls this column."""
        return self.source or self.name

    @model_validator(mode="after")
    def _marks_differ(self) -> Self:
        if self.thousands and self.thousands == (self.decimal or "."):
            raise ValueError("thousands and decimal are the same mark. Next: give them two different marks")
        if self.type == "decimal" and self.scale > self.precision:
            raise ValueError("scale is larger than precision. Next: give precision for all digits, scale for the last")
        return self


class FileSet(Conventions):
    """The files of one stream."""

    stream: str = Field(min_length=1, description="Name of the stream.")
    path: str = Field(min_length=1, description="Path, pattern (`*`, `?`, `**`) or fsspec URL (`s3://…`, `sftp://…`).")
    format: Format = Field(description="Kind of file.")
    columns: tuple[Column, ...] = Field(
        (),
        description="The columns to read; when absent, every column, as text (csv, tsv, excel) or typed (parquet).",
    )
    keys: tuple[str, ...] = Field((), description="Columns that identify a row; file and line when absent.")
    journal: bool = Field(
        False,
        description="Whether a file tells changes: of several rows with one key the last counts.",
    )
    encoding: str = Field("utf-8", description="Encoding of text files.")
    header: bool = Field(True, description="Whether the first row of a csv, tsv or excel file names the columns.")
    delimiter: str | None = Field(None, description="Mark between fields; a comma for csv, a tab for tsv.")
    quote: str = Field('"', max_length=1, description="Mark around fields; empty when fields are never quoted.")
    escape: str | None = Field(
        None, min_length=1, max_length=1, description="Mark in front of a character taken as it is."
    )
    skip_lines: int = Field(0, ge=0, description="Lines before the header, or before the data, to leave out.")
    sheet: str | None = Field(None, description="Excel: name of the sheet; the first when absent.")
    compression: Literal["infer", "none", "gzip", "zip", "bz2", "xz"] = Field(
        "infer", description="Compression; `infer` looks at the first bytes of each file."
    )
    member: str = Field("*", description="Zip: pattern of the members to read.")
    record: str | None = Field(
        None, description="XML: path of the element that is a row, such as `shop/receipts/receipt`."
    )
    namespaces: dict[str, str] = Field(
        {}, description="XML: prefixes used in `record` and `source`, with their URIs; local names count when absent."
    )
    ignore: tuple[str, ...] = Field(
        (), description="Patterns of columns that are left out on purpose; other undeclared ones go to `_extra`."
    )
    whole: bool = Field(
        False, description="Whether the newest file is the whole truth: rows it no longer has become tombstones."
    )
    deletes_at_most: float = Field(
        0.5, ge=0, le=1, description="Whole: share of the rows that may vanish at once; beyond it no row is told gone."
    )
    required: bool = Field(False, description="Whether it is a fault when no file matches the path.")
    storage_options: dict[str, Any] | None = Field(
        None,
        description="Options of this entry's place, instead of the common ones.",
        json_schema_extra={"secret": True},
    )

    @field_validator("encoding")
    @classmethod
    def _codec_exists(cls, name: str) -> str:
        try:
            codecs.lookup(name)
        except LookupError:
            hint = choices(name, ("utf-8", "utf-16", "latin-1", "iso-8859-15", "cp1252", "cp437", "cp850", "mac-roman"))
            raise ValueError(f"{name!r} is not an encoding. Next: {hint}") from None
        return name

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, mark: str | None) -> str | None:
        mark = {"tab": "\t", "\\t": "\t"}.get(mark or "", mark)
        if mark is not None and len(mark) != 1:
            raise ValueError("a delimiter is one character. Next: give one character, or tab")
        return mark

    @model_validator(mode="after")
    def _columns_agree(self) -> Self:
        names = [column.name for column in self.columns]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"column {name} is there twice. Next: give each column a name of its own")
            if name in OWN:
                raise ValueError(f"column {name} is the tap's own. Next: choose another name")
        for key in self.keys:
            if names and key not in names and key not in (FILE, LINE):
                raise ValueError(f"keys: no column is called {key!r}. Next: {choices(key, names)}")
        if not names and (
            self.format in ("fixed", "jsonl", "xml") or (self.format in ("csv", "tsv") and not self.header)
        ):
            raise ValueError("columns are missing. Next: list the columns; this kind of file does not name them")
        for column in self.columns:
            if self.format == "fixed" and column.width is None:
                raise ValueError(f"column {column.name} has no width. Next: give its number of characters")
        if self.format == "xml" and not self.record:
            raise ValueError("record is missing. Next: give the path of the element that is a row, such as shop/order")
        if self.whole and (not self.keys or {FILE, LINE} & set(self.keys)):
            raise ValueError("whole needs keys. Next: name the columns that identify a row from file to file")
        return self

    @property
    def delimiter_mark(self) -> str:
        """The mark between fields, as given or usual for the format."""
        return self.delimiter or ("\t" if self.format == "tsv" else ",")

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The columns that identify a row."""
        return self.keys or (FILE, LINE)

    @property
    def is_told_apart(self) -> bool:
        """Whether two rows of one file must not have one key."""
        return bool(self.keys) and LINE not in self.keys and not self.journal

    def resolved(self, headers: tuple[str, ...] = ()) -> tuple[Column, ...]:
        """The columns, each with the stream's conventions; when none is declared, a text column for each header."""
        shared = {name: getattr(self, name) for name in Conventions.model_fields}
        columns = self.columns or tuple(Column.model_validate({"name": header}) for header in headers)
        return tuple(
            column.model_copy(update={name: value for name, value in shared.items() if getattr(column, name) is None})
            for column in columns
        )

    def digest(self) -> str:
        """Short hash of everything that decides what a file's rows become; a change of it makes files be read again."""
        ignored = {"path", "required", "storage_options", "deletes_at_most"}
        return hashlib.sha256(self.model_dump_json(exclude=ignored).encode()).hexdigest()[:16]
