"""``snello dead``: rows that a channel would not take, and what to do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from snello.cli.screen import Json, show

if TYPE_CHECKING:
    from snello.activation.dead import Choice

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Rows that a channel refused or put off until they were given up: list, show, retry, drop.",
)

Sync = Annotated[str, typer.Argument(help="Name of the sync, such as brevo__long_absent.")]
Keys = Annotated[list[str] | None, typer.Argument(help="Keys of the rows, as `snello dead list` shows them.")]
Code = Annotated[str | None, typer.Option(help="All rows with this code.")]
Every = Annotated[bool, typer.Option("--all", help="All dead rows of the sync.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept with the receipt.")]
By = Annotated[str | None, typer.Option("--by", help="Who decides. Default: the user of the system.")]


@app.command("list")
def list_(
    sync: Annotated[str | None, typer.Argument(help="Only this sync.")] = None,
    code: Annotated[str | None, typer.Option(help="Only rows with this code.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many rows to list.")] = 50,
    as_json: Json = False,
) -> None:
    """List the rows that were refused, given up or dropped, and what to do about each code."""
    from snello import settings
    from snello.cli.dead import listing

    found = listing.listed(settings.load(), sync, code, limit)
    show(found, listing.page(found), as_json=as_json)


@app.command("show")
def show_(sync: Sync, key: Annotated[str, typer.Argument(help="Key of the row.")], as_json: Json = False) -> None:
    """Tell one row's story: how it stands, and every receipt."""
    from snello import settings
    from snello.cli.dead import listing

    story = listing.told(settings.load(), sync, key)
    show(story, listing.story_page(story), as_json=as_json)


@app.command()
def retry(
    sync: Sync,
    keys: Keys = None,
    code: Code = None,
    every: Every = False,
    reason: Reason = "asked again",
    by: By = None,
    as_json: Json = False,
) -> None:
    """Have the next run send rows again, with all its attempts."""
    from snello.activation.dead import Choice

    _decide("retry", Choice(sync, tuple(keys or ()), code, every), by, reason, as_json)


@app.command()
def drop(
    sync: Sync,
    keys: Keys = None,
    code: Code = None,
    every: Every = False,
    reason: Reason = "",
    by: By = None,
    as_json: Json = False,
) -> None:
    """Send rows no more until their payload changes; removals are owed and stay."""
    from snello.activation.dead import Choice

    _decide("drop", Choice(sync, tuple(keys or ()), code, every), by, reason, as_json)


def _decide(deed: str, choice: Choice, by: str | None, reason: str, as_json: bool) -> None:
    from snello import settings
    from snello.cli.dead import deciding

    decided = deciding.decide(settings.load(), deed, choice, by, reason)
    show(decided, deciding.page(decided), as_json=as_json)
