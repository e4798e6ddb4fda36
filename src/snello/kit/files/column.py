"""One column of a file, and how its values are written."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal, Self
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from snello.errors import choices

Kind = Literal["string", "integer", "decimal", "number", "boolean", "date", "date-time", "time", "json"]


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
    optional: bool = Field(False, description="Whether a file may lack the column; its rows then have null.")
    constant: str | None = Field(None, description="The text of every row, instead of a field of the file.")
    in_name: str | None = Field(
        None, description="Regular expression: what its group finds in the file's name is the text of every row."
    )

    @property
    def header(self) -> str:
        """What the file calls this column."""
        return self.source or self.name

    @property
    def is_in_rows(self) -> bool:
        """Whether the rows of the file hold it."""
        return self.constant is None and self.in_name is None

    @field_validator("in_name")
    @classmethod
    def _finds(cls, pattern: str | None) -> str | None:
        return one_group(pattern)

    @model_validator(mode="after")
    def _marks_differ(self) -> Self:
        if self.thousands and self.thousands == (self.decimal or "."):
            raise ValueError("thousands and decimal are the same mark. Next: give them two different marks")
        if self.type == "decimal" and self.scale > self.precision:
            raise ValueError("scale is larger than precision. Next: give precision for all digits, scale for the last")
        return self


def one_group(pattern: str | None) -> str | None:
    """A regular expression with one group. Raises ``ValueError`` for any other."""
    try:
        groups = 1 if pattern is None else re.compile(pattern).groups
    except re.error:
        raise ValueError("it is no regular expression. Next: mend it") from None
    if groups != 1:
        raise ValueError("it has no group, or several. Next: put the part that counts, and no other, into ( )")
    return pattern
