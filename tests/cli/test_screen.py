"""The same blocks on a terminal, in a pipe and as JSON."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from snello.cli.screen import Branch, Grid, Line, figure, show

TREE = Branch("root", (Branch("leaf", (Branch("twig"),)), Branch("other")))
GRID = Grid("Rows", ("name", "rows"), [("crm", 12345), ("shop", None)])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "1,234,567"),
        (0.5, "0.50"),
        (Decimal("1234.5"), "1,234.50"),
        (True, "yes"),
        (None, "-"),
        (datetime(2026, 11, 1, 8, 30, 59, tzinfo=UTC), "2026-11-01 08:30"),
        (date(2026, 11, 1), "2026-11-01"),
        ("text", "text"),
    ],
)
def test_a_value_reads_as_a_person_expects(value: object, text: str) -> None:
    assert figure(value) == text


def test_a_pipe_gets_aligned_lines_without_boxes_or_colour(capsys: pytest.CaptureFixture[str]) -> None:
    show(None, [Line("done", "ok"), GRID, TREE], as_json=False)
    assert capsys.readouterr().out == (
        "ok    done\nRows\nname    rows\ncrm   12,345\nshop       -\nroot\n  leaf\n    twig\n  other\n"
    )


def test_json_is_one_document_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    data = {"at": datetime(2026, 1, 1, tzinfo=UTC), "rows": 3, "home": Path("demo"), "revenue": Decimal("1.50")}
    show(data, [Line("not shown")], as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told == {"at": "2026-01-01T00:00:00Z", "rows": 3, "home": "demo", "revenue": "1.50"}


def test_a_terminal_gets_signs_and_branches(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    show(None, [Line("done", "ok"), Line("broken", "bad"), TREE, GRID], as_json=False)
    shown = terminal.getvalue()
    assert "✓ done" in shown
    assert "✗ broken" in shown
    assert "└── " in shown
    assert "12,345" in shown


def test_markup_in_a_value_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    show(None, [Line("[red]name[/red]"), Branch("[b]x[/b]"), Grid("", ("a",), [("[i]y[/i]",)])], as_json=False)
    assert all(text in terminal.getvalue() for text in ("[red]name[/red]", "[b]x[/b]", "[i]y[/i]"))
