"""What a command shows: the same blocks as colour on a terminal, as plain lines in a pipe, or as one JSON document."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.tree import Tree

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Mark = Literal["ok", "bad", "warn", "title", "dim"]

SIGNS: dict[str, tuple[str, str]] = {"ok": ("✓", "ok   "), "bad": ("✗", "FAULT"), "warn": ("!", "note ")}
STYLES: dict[str, str] = {"ok": "green", "bad": "bold red", "warn": "yellow", "title": "bold", "dim": "dim"}


@dataclass(frozen=True)
class Line:
    """One line; ``mark`` says how it is meant."""

    text: str
    mark: Mark | None = None


@dataclass(frozen=True)
class Grid:
    """Rows under column names; figures stand to the right."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class Branch:
    """A node of a tree and what hangs on it."""

    text: str
    children: tuple[Branch, ...] = ()
    mark: Mark | None = None


Block = Line | Grid | Branch


def figure(value: object) -> str:
    """A value as a reader expects it: thousands separated, times to the minute in UTC, nothing as a dash."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float | Decimal):
        return f"{value:,.2f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def show(data: object, blocks: Iterable[Block], *, as_json: bool) -> None:
    """Print ``data`` as one JSON document, or the blocks that tell it to a person."""
    if as_json:
        import msgspec

        sys.stdout.write(msgspec.json.format(msgspec.json.encode(data, enc_hook=str), indent=2).decode() + "\n")
    elif sys.stdout.isatty():
        from rich.console import Console

        console = Console(highlight=False, emoji=False, soft_wrap=False)
        for block in blocks:
            console.print(_rich(block))
    else:
        for block in blocks:
            sys.stdout.write("".join(f"{line.rstrip()}\n" for line in _plain(block)))


@contextmanager
def working(what: str) -> Iterator[None]:
    """On a terminal, show that long work is going on; anywhere else, nothing."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what, spinner="line"):
        yield


def _numeric(rows: Sequence[Sequence[object]], column: int) -> bool:
    values = [row[column] for row in rows if row[column] is not None]
    return bool(values) and all(isinstance(value, int | float | Decimal) for value in values)


def _rich(block: Block) -> RenderableType:
    from rich.text import Text

    if isinstance(block, Line):
        sign = f"{SIGNS[block.mark][0]} " if block.mark in SIGNS else ""
        return Text(sign + block.text, style=STYLES.get(block.mark or "", ""))
    if isinstance(block, Branch):
        return _rich_tree(block)
    return _rich_grid(block)


def _rich_grid(grid: Grid) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim", title_justify="left", title_style="bold")
    table.title = grid.title or None
    for index, name in enumerate(grid.columns):
        table.add_column(name, justify="right" if _numeric(grid.rows, index) else "left")
    for row in grid.rows:
        table.add_row(*(Text(figure(value)) for value in row))
    return table


def _rich_tree(branch: Branch, parent: Tree | None = None) -> Tree:
    from rich.text import Text
    from rich.tree import Tree

    label = Text(branch.text, style=STYLES.get(branch.mark or "", ""))
    node = parent.add(label) if parent else Tree(label, guide_style="dim")
    for child in branch.children:
        _rich_tree(child, node)
    return node


def _plain(block: Block, depth: int = 0) -> Iterable[str]:
    if isinstance(block, Line):
        yield (f"{SIGNS[block.mark][1]} " if block.mark in SIGNS else "") + block.text
    elif isinstance(block, Branch):
        yield "  " * depth + block.text
        for child in block.children:
            yield from _plain(child, depth + 1)
    else:
        yield from _plain_grid(block)


def _plain_grid(grid: Grid) -> Iterable[str]:
    cells = [list(grid.columns), *([figure(value) for value in row] for row in grid.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [_numeric(grid.rows, index) for index in range(len(widths))]
    if grid.title:
        yield grid.title
    for row in cells:
        yield "  ".join(
            cell.rjust(width) if flush else cell.ljust(width)
            for cell, width, flush in zip(row, widths, right, strict=True)
        )
