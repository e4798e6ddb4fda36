"""``snello quality``: what is wrong with the data as it arrived, and what to do about it."""

from __future__ import annotations

from typing import Annotated

import typer

from snello.cli.screen import Json, show


def command(
    source: Annotated[str | None, typer.Option(help="Only what this source sent.")] = None,
    as_json: Json = False,
) -> None:
    """Show what is wrong with the data as it arrived, worst first, and what to do about it.

    Findings stop no run and are no fault of the hub: the exit code stays 0.
    """
    from snello import settings
    from snello.cli.quality import page, reading

    found = reading.read(settings.load(), source)
    show(found, page.page(found), as_json=as_json)
