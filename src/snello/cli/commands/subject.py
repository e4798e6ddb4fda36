"""``snello subject``: show a person all that is held of them, or forget them everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snello.cli.screen import Json, show, working

_WHO = "A customer_id, e-mail, phone, tax code, card number, or source/stream/key."
Who = Annotated[str, typer.Argument(metavar="IDENTIFIER", help=_WHO)]
Author = Annotated[str | None, typer.Option(help="Who asks, for the audit log. Default: the user of the system.")]

app = typer.Typer(help="Show a person all that is held of them, or forget them everywhere.", no_args_is_help=True)


@app.command()
def export(
    identifier: Who,
    out: Annotated[Path, typer.Option(help="Folder for the two files, JSON and HTML.")],
    author: Author = None,
    as_json: Json = False,
) -> None:
    """Write everything known of a person, with its sources, to files that only you can read.

    Values, source rows, refused rows, consents, segments, deliveries and receipts. The audit log tells who asked.
    """
    from snello import settings
    from snello.cli.subject import export as exports
    from snello.cli.subject import page

    with working("reading every table"):
        done = exports.export(settings.load(), identifier, out, author)
    show(done, page.exported(done), as_json=as_json)


@app.command()
def erase(
    identifier: Annotated[str | None, typer.Argument(metavar="[IDENTIFIER]", help=_WHO)] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without it the plan is shown and nothing happens.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, for the audit log: a ticket's number, never a name.")] = "",
    hold: Annotated[
        list[str] | None, typer.Option(help="Keep a stream's rows, as SOURCE/STREAM=BASIS; repeatable.")
    ] = None,
    history_days: Annotated[int, typer.Option(min=0, help="Days for which old versions of the tables stay.")] = 30,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with every erasure that is not finished.")] = False,
    as_json: Json = False,
) -> None:
    """Forget a person: in every channel that ever received them, in the lake and in the warehouse, with a receipt each.

    Tombstones, keyed hashes, keep any tap from bringing them back. What fails is tried again by --resume.
    """
    from snello.cli.subject import commanding

    asked = commanding.Asked(identifier, yes, reason, tuple(hold or ()), history_days, resume)
    commanding.erase(asked, lambda data, blocks: show(data, blocks, as_json=as_json))


@app.command()
def status(as_json: Json = False) -> None:
    """Show the erasures that are not finished, step by step; exit code 4 when a step failed."""
    from snello import settings
    from snello.cli.subject import erasing, page
    from snello.cli.subject.request import judge

    ledger, erasures = erasing.ledger_of(settings.load())
    left = erasures.all(unfinished=True)
    ledger.close()
    show(left, page.status(left), as_json=as_json)
    judge(left)
