"""``snello unlink``: decide that a record is somebody else."""

from __future__ import annotations

from typing import Annotated

import typer

from snello.cli.screen import Json, show
from snello.errors import ConfigError


def command(
    record: Annotated[
        str | None, typer.Argument(help="A source/stream/key, or what names one customer of a single record.")
    ] = None,
    other: Annotated[str | None, typer.Option("--from", help="Part it from this record alone.")] = None,
    undo: Annotated[str | None, typer.Option(help="Take back this decision, a link as well as an unlink.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why; asked for on a terminal.")] = None,
    author: Annotated[str | None, typer.Option(help="Who decides. Default: git's user.name, else the user.")] = None,
    as_json: Json = False,
) -> None:
    """Decide that a record is not its customer; every later run keeps to it.

    A link is taken back; a merge is undone, so that both customers have their ids again; else the record stands alone.
    """
    from snello.cli.identity import deciding

    if (record is None) == (undo is None):
        raise ConfigError("unlink", "give a record or --undo, one of the two", "run `snello unlink --help`")
    decided = deciding.undo(undo, author, reason) if undo else deciding.unlink(str(record), other, author, reason)
    show(decided, deciding.page(decided), as_json=as_json)
