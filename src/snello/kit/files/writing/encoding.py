"""Rows made into the content of one file: those that the format cannot hold are refused with a word, the rest goes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from snello.kit.files.writing.identifiers import written
from snello.kit.files.writing.layout import Column, Layout

Row = Mapping[str, Any]


class Unfit(ValueError):
    """A value that the file cannot hold; ``code`` is the word of the receipt."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Encoded:
    """The content of one file; ``refused``: key to word; ``rows``: how many the file holds."""

    content: bytes = b""
    rows: int = 0
    refused: dict[str, str] = field(default_factory=dict)


class Encoder(Protocol):
    """A format."""

    def encode(self, op: str, rows: Iterable[tuple[str, Row]]) -> Encoded:
        """The rows, named by their keys, in the order given; the same bytes for the same rows."""


def text_of(value: Any, column: Column, layout: Layout) -> str | None:
    """A value as text, None when there is none. Raises ``Unfit``."""
    if value is None:
        return None
    dialect = layout.dialect
    if isinstance(value, bool):
        text = dialect.true if value else dialect.false
    elif isinstance(value, int | float):
        text = repr(value).replace(".", dialect.decimal)
    elif isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    else:
        text = _moment(str(value), column.date_format) if column.date_format else str(value)
    found = written(text, column, layout.platform, layout.country)
    if found is None and text.strip():
        layout.emptied[column.name] += 1
    return found


def _moment(value: str, form: str) -> str:
    try:
        return datetime.fromisoformat(value).strftime(form)
    except ValueError:
        raise Unfit("bad_value") from None


def op_word(op: str, layout: Layout) -> str:
    """What the op column says."""
    return layout.ops[0] if op == "upsert" else layout.ops[1]
