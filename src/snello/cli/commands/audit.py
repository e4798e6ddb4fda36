"""``snello audit``: who did what to whose data, and whether the log of it is whole."""

from __future__ import annotations

from typing import Annotated

import typer

from snello.cli.screen import Json, show

app = typer.Typer(help="Who did what to whose data, in a chain that shows any change.", no_args_is_help=True)


@app.command("list")
def list_(
    last: Annotated[int, typer.Option(min=1, help="How many of the newest entries.")] = 20, as_json: Json = False
) -> None:
    """Show the newest entries of the audit log, by keyed hash of the person."""
    from snello import settings
    from snello.cli.subject import auditing

    entries = auditing.entries(settings.load(), last)
    show(entries, auditing.page(entries), as_json=as_json)


@app.command()
def verify(
    expect: Annotated[str | None, typer.Option(help="A head that was written down before: it must be in it.")] = None,
    as_json: Json = False,
) -> None:
    """Check every link of the audit log; exit code 3 and the first broken link when it is not whole."""
    from snello import settings
    from snello.cli.subject import auditing

    whole = auditing.verified(settings.load(), expect)
    show(whole, auditing.word(whole), as_json=as_json)
