"""How the files of one stream are laid out: where they are, their dialect, and a type for every column."""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Iterable
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from snello.errors import choices
from snello.kit.files.column import Column, Conventions, one_group

Format = Literal["csv", "tsv", "fixed", "jsonl", "excel", "parquet", "xml"]
FILE, LINE, EXTRA, DELETED_AT = "_sdc_file", "_sdc_line", "_extra", "_deleted_at"
OWN = (FILE, LINE, EXTRA, DELETED_AT, "_sdc_extracted_at")
# What a layout said before these were there is still the same layout.
_YOUNGER = ("checksum", "manifest", "deltas", "order", "proven_only", "optional", "constant", "in_name")

__all__ = ["DELETED_AT", "EXTRA", "FILE", "LINE", "OWN", "Column", "Conventions", "FileSet"]


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
    proven_only: bool = Field(
        False,
        description="Whole: tell rows gone only after a file that a checksum or its compression proves complete.",
    )
    deltas: str | None = Field(
        None, description="Whole: pattern of the names of files that hold only changes since the full file before."
    )
    order: str | None = Field(
        None,
        description="Whole: regular expression; what its group finds in a name orders the files, not their time.",
    )
    checksum: Literal["none", "beside", "manifest"] = Field(
        "none",
        description="Where checksums must stand: `beside` a file (.md5, .sha1, .sha256, .sha512) or in a `manifest`.",
    )
    manifest: str = Field(
        "*manifest*", description="Checksum: pattern of the names of the lists, in the file's folder."
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

    @field_validator("order")
    @classmethod
    def _orders(cls, pattern: str | None) -> str | None:
        return one_group(pattern)

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
            if self.format == "fixed" and column.width is None and column.is_in_rows:
                raise ValueError(f"column {column.name} has no width. Next: give its number of characters")
        if self.format == "xml" and not self.record:
            raise ValueError("record is missing. Next: give the path of the element that is a row, such as shop/order")
        if self.whole and (not self.keys or {FILE, LINE} & set(self.keys)):
            raise ValueError("whole needs keys. Next: name the columns that identify a row from file to file")
        if (self.deltas or self.order) and not self.whole:
            raise ValueError("deltas and order are for full files. Next: set whole to true, or leave them out")
        return self

    def rows_of(self, record: dict[str, Any]) -> Iterable[dict[str, Any]]:
        """JSON lines: the rows that one line's object holds; itself, where a layout does not say otherwise."""
        return (record,)

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
        told = self.model_dump(mode="json", exclude=ignored)
        for part in (told, *told["columns"]):
            for name in _YOUNGER:
                if name in part and part[name] == _default(name):
                    del part[name]
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _default(name: str) -> Any:
    return (FileSet.model_fields.get(name) or Column.model_fields[name]).default
