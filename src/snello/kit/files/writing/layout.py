"""How a file that is dropped is laid out: its format, its columns, and what is hashed in them."""

from __future__ import annotations

import codecs
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Format = Literal["csv", "fixed", "parquet"]
Hash = Literal["sha256", "sha1", "md5"]
Identifier = Literal["email", "phone", "name", "text"]
Platform = Literal["generic", "google", "meta"]
Formulas = Literal["keep", "escape", "refuse"]


class Column(BaseModel):
    """One column of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, description="Its header.")
    source: str | None = Field(None, description="The audience's column; the same name when absent.")
    width: int | None = Field(None, ge=1, description="Fixed width: signs that it takes.")
    align: Literal["left", "right"] = Field("left", description="Fixed width: on which side the value stands.")
    fill: str = Field(" ", min_length=1, max_length=1, description="Fixed width: what fills the rest.")
    date_format: str | None = Field(None, description="How a date or moment is written, as in strftime: %d/%m/%Y.")
    normalise: Identifier | None = Field(
        None, description="Bring the value into the form that the platform compares: email, phone, name or text."
    )
    hash: Hash | None = Field(None, description="Write the hash of the normalised value, in small hex digits.")

    @property
    def reads(self) -> str:
        """The audience's column."""
        return self.source or self.name


class Dialect(BaseModel):
    """How values are written as text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoding: str = Field("utf-8", description="Encoding of the text; utf-8-sig begins with a byte order mark.")
    header: bool = Field(True, description="Whether the first line names the columns; not in fixed width.")
    delimiter: str = Field(",", description="Between two fields: one sign, or tab.")
    quote: str = Field('"', max_length=1, description="Around fields that need it; empty when none may be quoted.")
    line_end: Literal["lf", "crlf"] = Field("lf", description="What ends a line.")
    decimal: str = Field(".", min_length=1, max_length=1, description="The decimal mark.")
    null: str = Field("", description="What stands for no value.")
    true: str = Field("true", description="What stands for yes.")
    false: str = Field("false", description="What stands for no.")
    formulas: Formulas = Field(
        "keep",
        description="Texts that a spreadsheet would take for a formula (they begin with =, +, -, @): keep them, escape "
        "them with an apostrophe, or refuse the row.",
    )

    @field_validator("encoding")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            codecs.lookup(name)
        except LookupError:
            raise ValueError(f"unknown encoding {name!r}. Next: name one such as utf-8 or latin-1") from None
        return name

    @field_validator("delimiter")
    @classmethod
    def _one_sign(cls, given: str) -> str:
        if given == "tab":
            return "\t"
        if len(given) != 1 or given in '\r\n"':
            raise ValueError("it is not one sign. Next: give one sign, or tab")
        return given

    @property
    def newline(self) -> str:
        """The signs that end a line."""
        return "\r\n" if self.line_end == "crlf" else "\n"


@dataclass(frozen=True)
class Layout:
    """What the rows of one file look like.

    - ``op``: name of the column that says what becomes of the row, none where files do; ``ops``: its words
    - ``country``: from where a phone number without a prefix is dialled
    - ``emptied``: values of which nothing was left once they were normalised, by column, counted while rows are encoded
    """

    format: Format
    columns: tuple[Column, ...]
    dialect: Dialect
    platform: Platform = "generic"
    country: str = "IT"
    op: str | None = None
    ops: tuple[str, str] = ("upsert", "remove")
    emptied: Counter[str] = field(default_factory=Counter, compare=False, repr=False)

    @property
    def header(self) -> list[str]:
        """Names of the columns, that of the op first."""
        return [*([self.op] if self.op else []), *(column.name for column in self.columns)]


class Columns(BaseModel):
    """The part of a target's settings that says which columns there are."""

    format: Format = Field("csv", description="csv, fixed (width) or parquet.")
    columns: tuple[Column, ...] = Field((), description="The columns in their order; empty: those of the audience.")

    @model_validator(mode="after")
    def _fit(self) -> Self:
        names = [column.name for column in self.columns]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"column {name} is there twice. Next: give each column a name of its own")
        if self.format == "fixed" and (not names or any(column.width is None for column in self.columns)):
            raise ValueError("format fixed needs columns with a width each. Next: add columns with width")
        return self
