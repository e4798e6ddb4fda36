from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from snello.errors import ContractError
from snello.kit.files import reading
from snello.kit.files.drift import Drift
from snello.kit.files.layout import FileSet


def workbook(*rows: Sequence[Any], sheet: str = "Sheet1") -> io.BytesIO:
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    for row in rows:
        page.append(row)
    raw = io.BytesIO()
    book.save(raw)
    raw.seek(0)
    return raw


def layout(columns: list[dict[str, Any]], **settings: Any) -> FileSet:
    return FileSet.model_validate({"stream": "s", "path": "p", "format": "excel", "columns": columns} | settings)


def rows_of(raw: io.BytesIO, settings: FileSet) -> tuple[list[dict[str, Any]], list[Any]]:
    source = reading.Source(raw, "f.xlsx", "tap: s: f.xlsx")
    found, refused = [], []
    for table, refusals, _, _ in reading.read_part(source, settings, settings.resolved(), Drift()):
        found += table.to_pylist()
        refused += refusals
    return found, refused


def test_typed_cells_and_typed_texts_are_read_alike() -> None:
    columns = [
        {"name": "day", "type": "date", "date_format": "%d/%m/%Y"},
        {"name": "amount", "type": "decimal", "precision": 10, "scale": 2, "decimal": ",", "thousands": "."},
        {"name": "member", "type": "boolean", "true_values": ["S"], "false_values": ["N"]},
        {"name": "code"},
    ]
    raw = workbook(
        ["day", "amount", "member", "code"],
        [datetime(2024, 3, 1), 1234.5, True, 7],
        ["01/03/2024", "1.234,50", "S", "7"],
    )
    found, refused = rows_of(raw, layout(columns))
    expected = {
        "_extra": None,
        "day": date(2024, 3, 1),
        "amount": Decimal("1234.50"),
        "member": True,
        "code": "7",
        "_sdc_file": "f.xlsx",
    }
    assert found == [expected | {"_sdc_line": 2}, expected | {"_sdc_line": 3}]
    assert refused == []


def test_empty_rows_and_short_rows_are_no_fault() -> None:
    raw = workbook(["a", "b"], ["1"], [None, None], ["2", "x"])
    found, _ = rows_of(raw, layout([{"name": "a"}, {"name": "b"}]))
    assert [(row["a"], row["b"], row["_sdc_line"]) for row in found] == [("1", None, 2), ("2", "x", 4)]


def test_a_cell_of_another_type_is_refused_with_its_row() -> None:
    raw = workbook(["n"], [1], ["many"], [3])
    found, [refusal] = rows_of(raw, layout([{"name": "n", "type": "integer"}]))
    assert [row["n"] for row in found] == [1, 3]
    assert (refusal.line, refusal.reason) == (3, "n: not an integer")


def test_a_sheet_is_chosen_by_name() -> None:
    with pytest.raises(ContractError, match=r"the workbook has no sheet 'Clients'\. Next: did you mean 'Clienti'"):
        rows_of(workbook(["a"], sheet="Clienti"), layout([{"name": "a"}], sheet="Clients"))
    assert rows_of(workbook(["a"], ["1"], sheet="Clienti"), layout([{"name": "a"}], sheet="Clienti"))[0][0]["a"] == "1"


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ContractError, match=r"the header has no column 'email'\. Next: did you mean 'e-mail'"):
        rows_of(workbook(["e-mail"], ["x"]), layout([{"name": "email"}]))


def test_something_that_is_no_workbook_is_told() -> None:
    with pytest.raises(ContractError, match="not an Excel workbook"):
        rows_of(io.BytesIO(b"PK\x03\x04 nothing"), layout([{"name": "a"}]))


def test_an_empty_sheet_has_no_rows() -> None:
    assert rows_of(workbook(), layout([{"name": "a"}])) == ([], [])
