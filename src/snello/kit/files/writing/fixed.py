"""Text of fixed width."""

from __future__ import annotations

from collections.abc import Iterable

from snello.kit.files.writing.encoding import Encoded, Row, Unfit, op_word, text_of
from snello.kit.files.writing.layout import Column, Layout


class Fixed:
    """Each value in as many signs as its column takes; a longer one is refused, never cut."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._op = max(map(len, layout.ops)) if layout.op else 0

    def encode(self, op: str, rows: Iterable[tuple[str, Row]]) -> Encoded:
        """One line a row."""
        done, lines, dialect = Encoded(), [], self.layout.dialect
        first = op_word(op, self.layout).ljust(self._op) if self._op else ""
        for key, row in rows:
            try:
                fields = [self._field(row.get(column.reads), column) for column in self.layout.columns]
                lines.append((first + "".join(fields) + dialect.newline).encode(dialect.encoding))
            except UnicodeEncodeError:
                done.refused[key] = "encoding"
            except Unfit as fault:
                done.refused[key] = fault.code
        done.rows, done.content = len(lines), b"".join(lines)
        return done

    def _field(self, value: object, column: Column) -> str:
        text = text_of(value, column, self.layout)
        text = self.layout.dialect.null if text is None else text
        width = column.width or 0
        if len(text) > width:
            raise Unfit("too_long")
        if "\n" in text or "\r" in text:
            raise Unfit("newline")
        return text.ljust(width, column.fill) if column.align == "left" else text.rjust(width, column.fill)
