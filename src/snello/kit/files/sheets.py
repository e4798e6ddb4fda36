"""Excel sheets: rows as text in the layout's own conventions, so that typed cells and typed texts meet one parser."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import islice
from typing import IO, Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

import openpyxl
import pyarrow as pa
from openpyxl.utils.exceptions import InvalidFileException

from snello.errors import ContractError, choices
from snello.kit.files.chunks import CHUNK_ROWS, Chunk
from snello.kit.files.drift import Drift, objects
from snello.kit.files.headers import positions, undeclared
from snello.kit.files.layout import Column, FileSet

Row = tuple[Any, ...]
_NO_WORKBOOK = (InvalidFileException, BadZipFile, ParseError, KeyError, ValueError)


def read(raw: IO[bytes], layout: FileSet, columns: tuple[Column, ...], where: str, drift: Drift) -> Iterator[Chunk]:
    """The rows of a sheet. Raises ``ContractError`` when it is no workbook, or lacks the sheet or a column."""
    rows = _rows(raw, layout, where)
    picked = list(range(len(columns)))
    if layout.header:
        header = next(rows, None)
        if header is None:
            return
        names = ["" if cell is None else str(cell) for cell in header[1]]
        picked = positions(names, columns, where)
    else:
        names = []
    while batch := list(islice(rows, CHUNK_ROWS)):
        cells = [
            pa.array([_text(row[index], column) if 0 <= index < len(row) else None for _, row in batch], pa.string())
            for index, column in zip(picked, columns, strict=True)
        ]
        width = max(len(names), max(len(row) for _, row in batch))
        others = undeclared([*names, *[""] * (width - len(names))], picked)
        extra = {name: [_plain(row, place) for _, row in batch] for name, place in others.items()}
        extra = {name: extra[name] for name in drift.kept(name for name in extra if any(extra[name]))}
        yield Chunk(cells, [number for number, _ in batch], extra=objects(extra, len(batch)))


def _plain(row: Row, place: int) -> Any:
    """A cell of an undeclared column, dates in ISO 8601."""
    cell = row[place] if place < len(row) else None
    return cell.isoformat() if isinstance(cell, (date, time)) else cell


def headers(raw: IO[bytes], layout: FileSet, where: str) -> list[str]:
    """The names in the first row of a sheet."""
    first = next(_rows(raw, layout, where), None)
    return [str(cell) for cell in first[1] if cell is not None] if first else []


def _rows(raw: IO[bytes], layout: FileSet, where: str) -> Iterator[tuple[int, Row]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # styles and validations that this reader has no use for
            book = openpyxl.load_workbook(raw, read_only=True, data_only=True)
    except _NO_WORKBOOK:
        raise ContractError(where, "not an Excel workbook (.xlsx)", "save it as .xlsx, or set another format") from None
    if layout.sheet is not None and layout.sheet not in book.sheetnames:
        cure = choices(layout.sheet, book.sheetnames)
        raise ContractError(where, f"the workbook has no sheet {layout.sheet!r}", cure)
    sheet = book[layout.sheet] if layout.sheet is not None else book.worksheets[0]
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        if number > layout.skip_lines and any(cell is not None for cell in row):
            yield number, row


def _text(cell: Any, column: Column) -> str | None:
    """A cell as the layout would have written it."""
    match cell:
        case None | str():
            return cell
        case bool():
            texts = column.true_values if cell else column.false_values
            return texts[0] if texts else str(cell).lower()
        case int() | float():
            number = str(int(cell)) if float(cell).is_integer() else repr(cell)
            return number.replace(".", column.decimal) if column.decimal else number
        case datetime() | date() | time():
            return cell.strftime(column.date_format) if column.date_format else cell.isoformat()
        case _:
            return str(cell)
