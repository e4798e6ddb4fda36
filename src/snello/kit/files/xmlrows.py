"""The rows of an XML stream; one that is not well-formed costs itself, never the rest of the file.

Expat from the standard library does the parsing. It refuses by itself to build large texts from small ones; on top of
that, any declared entity ends the file. After a fault a fresh parser is put under the same open elements, and goes on
at the next row.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from xml.parsers import expat

from snello.errors import ContractError
from snello.kit.files.chunks import Refusal
from snello.kit.files.elements import Elements, Malformed

LARGEST_ROW = 16 << 20
SHOWN = 100_000  # of a refused row, at most so many bytes are kept
_TAIL = 1024  # may hold the beginning of a tag
_ERRORS = expat.errors.codes
_CUT_OFF = {_ERRORS[expat.errors.XML_ERROR_NO_ELEMENTS], _ERRORS[expat.errors.XML_ERROR_UNCLOSED_TOKEN]}
_JUNK = _ERRORS[expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT]


class Row(NamedTuple):
    """One element as a record, and the line where it begins."""

    line: int
    fields: dict[str, Any]


class _Lost(NamedTuple):
    """A row that was given up and whose end is not here yet."""

    line: int
    reason: str
    may_be_last: bool


class Rows:
    """Fed with UTF-8 bytes, finds the rows.

    - ``fault``: why the rest of the file could not be read, once it was fed to its end
    """

    def __init__(self, elements: Elements, where: str) -> None:
        self._elements, self._where = elements, where
        name = re.escape(elements.local_name.encode())
        self._edge = re.compile(rb"<(?:[^\s<>/:]+:)?" + name + rb"(?=[\s/>])|</(?:[^\s<>/:]+:)?" + name + rb"\s*>")
        self.fault: ContractError | None = None
        self._begun = False
        self._found: list[Row | Refusal] = []
        self._lost: _Lost | None = None
        self._held = b""  # what came since the row under way began
        self._held_at = 0  # where that begins, for the parser
        self._row_at = self._row_line = 0
        self._start(b"", 1)

    def feed(self, data: bytes, final: bool = False) -> list[Row | Refusal]:
        """The rows that end in these bytes, and what was refused."""
        self._found = []
        self._held += data
        rest = data if self._lost is None else self._sought(self._lost, final)
        while rest is not None and self.fault is None:
            try:
                self._parser.Parse(rest, final)
                self._let_go(self._row_at if self._elements.inside else self._parser.CurrentByteIndex)
                if len(self._held) > LARGEST_ROW:
                    raise Malformed("a row that is larger than 16 MB, or never ends")
                rest = None
            except (expat.ExpatError, Malformed) as error:
                rest = self._after(error, final)
        return self._found

    def _start(self, rest: bytes, line: int) -> None:
        """A fresh parser under the elements that are open, for bytes that begin on the given line."""
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        around = self._elements.around.encode()
        if around:
            parser.Parse(around, False)
        parser.StartElementHandler, parser.EndElementHandler = self._begin, self._end
        parser.CharacterDataHandler = self._elements.text
        parser.EntityDeclHandler, parser.SkippedEntityHandler = self._entity, self._skipped
        self._parser, self._lines = parser, line - 1
        self._held, self._held_at = rest, len(around)

    def _let_go(self, before: int) -> None:
        """Drop what no row needs any more: everything in front of a position of the parser."""
        if before > self._held_at:
            self._held, self._held_at = self._held[before - self._held_at :], before

    # ------------------------------------------------------------ what the parser tells

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        if self._elements.begin(tag, attributes):
            self._row_at = self._parser.CurrentByteIndex
            self._row_line = self._parser.CurrentLineNumber + self._lines
            self._begun = True

    def _end(self, _tag: str) -> None:
        fields = self._elements.end()
        if fields is not None:
            self._found.append(Row(self._row_line, fields))

    def _entity(self, *_: object) -> None:
        what = "the file declares entities, which are refused"
        self.fault = ContractError(self._where, what, "export it without them")
        raise Malformed(what)

    def _skipped(self, *_: object) -> None:
        raise Malformed("not well-formed: undefined entity")

    # ------------------------------------------------------------ after a fault

    def _after(self, error: expat.ExpatError | Malformed, final: bool) -> bytes | None:
        if self.fault is not None:
            return None
        code = getattr(error, "code", None)
        reason = str(error) if isinstance(error, Malformed) else f"not well-formed: {expat.ErrorString(error.code)}"
        line = self._parser.ErrorLineNumber + self._lines
        if self._elements.inside:
            line = self._row_line
            self._let_go(self._row_at)
            self._elements.leave()
        elif code in _CUT_OFF and final:
            self._cut_off(line)
            return None
        elif not self._begun:
            cure = "mend the file, or set another format or encoding"
            self.fault = ContractError(self._where, f"no XML as of line {line} ({reason})", cure)
            return None
        else:
            fault = self._parser.ErrorByteIndex - self._held_at
            self._let_go(self._held_at + max(self._held.rfind(b"<", 0, fault + 1), 0))
        self._lost = _Lost(line, reason, code == _JUNK)
        return self._sought(self._lost, final)

    def _sought(self, lost: _Lost, final: bool) -> bytes | None:
        """What follows a refused row: from the next row on, or from its own end."""
        edge = self._edge.search(self._held, 1)
        if edge is not None:
            at = edge.end() if edge[0].startswith(b"</") else edge.start()
        elif final or len(self._held) > LARGEST_ROW:
            at = len(self._held) if final else len(self._held) - _TAIL
        else:
            return None
        gone, rest = self._held[:at], self._held[at:]
        after = lost.line + gone.count(b"\n")
        self._found.append(Refusal(lost.line, lost.reason, gone[:SHOWN].decode("utf-8", "backslashreplace").rstrip()))
        if edge is None:
            self._held, self._lost = rest, lost._replace(line=after)
            if final and not lost.may_be_last:
                self._cut_off(after)
            return None
        self._lost = None
        self._start(rest, after)
        return rest

    def _cut_off(self, line: int) -> None:
        what = f"the file ends on line {line} before its elements are closed"
        self.fault = ContractError(self._where, what, "fetch the file again")
