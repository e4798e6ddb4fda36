"""``snello receipts``: what a channel took and what it refused."""

from __future__ import annotations

from typing import Annotated

import typer

from snello.cli.screen import Json, show


def command(
    sync: Annotated[str, typer.Argument(help="Name of the sync, such as brevo__long_absent.")],
    status: Annotated[str | None, typer.Option(help="Only receipts with this status.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many of the newest receipts to list.")] = 20,
    as_json: Json = False,
) -> None:
    """Show a sync's receipts: how many by status and code, and the newest ones by key."""
    from snello import settings
    from snello.cli import delivered

    found = delivered.read(settings.load(), sync, status, limit)
    show(found, delivered.page(found), as_json=as_json)
