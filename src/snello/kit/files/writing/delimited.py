"""Delimited text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from snello.kit.files.writing.encoding import Encoded, Row, Unfit, op_word, text_of
from snello.kit.files.writing.layout import Column, Layout

FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Delimited:
    """Fields between delimiters, quoted where they must be and may be."""

    def __init__(self, layout: Layout) -> None:
        self.layout, dialect = layout, layout.dialect
        quoted = bool(dialect.quote)
        self._buffer = io.StringIO(newline="")
        self._writer = csv.writer(
            self._buffer,
            delimiter=dialect.delimiter,
            quotechar=dialect.quote or None,
            quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
            lineterminator=dialect.newline,
        )

    def encode(self, op: str, rows: Iterable[tuple[str, Row]]) -> Encoded:
        """One line a row, after the header."""
        done, lines = Encoded(), []
        # a byte order mark belongs in front of the file, not of each line
        encoding = "utf-8" if self.layout.dialect.encoding.lower() in ("utf-8-sig", "utf_8_sig") else None
        for key, row in rows:
            try:
                lines.append(self._line(self._fields(op, row)).encode(encoding or self.layout.dialect.encoding))
            except UnicodeEncodeError:
                done.refused[key] = "encoding"
            except Unfit as fault:
                done.refused[key] = fault.code
        done.rows = len(lines)
        head = self._line(self.layout.header) if self.layout.dialect.header else ""
        done.content = head.encode(self.layout.dialect.encoding) + b"".join(lines)
        return done

    def _fields(self, op: str, row: Row) -> list[str]:
        first = [op_word(op, self.layout)] if self.layout.op else []
        return first + [self._field(row.get(column.reads), column) for column in self.layout.columns]

    def _field(self, value: object, column: Column) -> str:
        dialect = self.layout.dialect
        text = text_of(value, column, self.layout)
        if text is None:
            return dialect.null
        if not dialect.quote and any(sign in text for sign in (dialect.delimiter, "\r", "\n")):
            raise Unfit("delimiter")
        if dialect.formulas != "keep" and isinstance(value, str) and text.startswith(FORMULA):
            if dialect.formulas == "refuse":
                raise Unfit("formula")
            text = f"'{text}"
        return text

    def _line(self, fields: list[str]) -> str:
        self._buffer.seek(0)
        self._buffer.truncate()
        try:
            self._writer.writerow(fields)
        except csv.Error:
            raise Unfit("delimiter") from None
        return self._buffer.getvalue()
