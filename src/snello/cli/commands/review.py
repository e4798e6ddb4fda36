"""``snello review``: the pairs that only a person can settle."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from snello.cli.screen import Json, show


def command(
    accept: Annotated[list[str] | None, typer.Option(help="Decide that this pair is one person; repeatable.")] = None,
    reject: Annotated[list[str] | None, typer.Option(help="Decide that this pair is two people; repeatable.")] = None,
    undo: Annotated[str | None, typer.Option(help="Take back this decision.")] = None,
    limit: Annotated[int, typer.Option(help="How many pairs to show, or to ask about.", min=1)] = 20,
    reason: Annotated[str | None, typer.Option(help="Why. Default: why the pair was in the queue.")] = None,
    author: Annotated[str | None, typer.Option(help="Who decides. Default: git's user.name, else the user.")] = None,
    as_json: Json = False,
) -> None:
    """Go through the pairs that could be one person: accept, reject or skip, both records side by side.

    Asks at a terminal; anywhere else lists the queue. What is decided counts from the next run on.
    """
    from snello.cli.identity import deciding, reviewing

    if undo:
        taken = deciding.undo(undo, author, reason)
        show(taken, deciding.page(taken), as_json=as_json)
    elif accept or reject or (sys.stdin.isatty() and sys.stdout.isatty() and not as_json):
        given = accept or reject
        done = reviewing.settle(accept or [], reject or [], author, reason) if given else []
        done = done or reviewing.walk(limit, author, reason)
        show(done, reviewing.summary(done), as_json=as_json)
    else:
        found = reviewing.listed(limit)
        show(found, reviewing.page(found), as_json=as_json)
