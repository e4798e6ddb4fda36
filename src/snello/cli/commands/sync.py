"""``snello sync``: one sync by its name: what it would send, sending it, now or again, and what the channel holds."""

from __future__ import annotations

from typing import Annotated

import typer

from snello.cli.screen import Json, show

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="One sync by its name: what it would send, and sending it.",
)

Name = Annotated[str, typer.Argument(help="Name of the sync, such as brevo__long_absent.")]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the published syncs: where each goes, on what terms, and how its last run ended."""
    from snello.cli.sync import listing

    rows = listing.listed()
    show(rows, listing.page(rows), as_json=as_json)


@app.command()
def plan(
    name: Name,
    samples: Annotated[int, typer.Option(min=0, help="Examples of each kind of change; values are masked.")] = 3,
    as_json: Json = False,
) -> None:
    """Tell what a run would send: adds, changes, removals, who is kept back and why, calls and time.

    Nothing is sent and nothing is written. Exit code 6 when the breaker would stop the run.
    """
    from snello import settings
    from snello.cli.sync import page, preview
    from snello.errors import BreakerOpen

    found = preview.preview(settings.load(), name, samples)
    show(found, page.page(found), as_json=as_json)
    if found.breaker:
        raise typer.Exit(BreakerOpen.exit_code)


@app.command()
def run(
    names: Annotated[list[str] | None, typer.Argument(help="Names of the syncs, such as brevo__long_absent.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every published sync.")] = False,
    at_once: Annotated[int, typer.Option(min=1, help="Syncs under way at a time.")] = 4,
    limit: Annotated[int | None, typer.Option(min=1, help="Send the first so many changes of each only.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing: the same as `snello sync plan`.")] = False,
) -> None:
    """Deliver what syncs have to deliver now, as their Meltano jobs would, several of them at a time.

    A slow channel holds no other up, and one that fails stops none. The exit code is the first that is not 0.
    """
    from snello.cli.sync.run import chosen, run_syncs

    named = chosen(names or [], every=every)
    if dry_run:
        for name in named:
            plan(name)
        return
    codes = run_syncs(named, at_once=at_once, limit=limit)
    raise typer.Exit(next((code for code in codes.values() if code), 0))


@app.command()
def check(name: Name, as_json: Json = False) -> None:
    """Compare what the channel holds with what the ledger says, and list what differs; exit code 5 when anything does.

    Of a platform that lists nobody, as those of advertising, its own figures are shown beside ours, and kept as a look:
    5 when it has more people than it was ever sent, or finds nobody after two days. Nothing is sent. A channel that can
    say neither is told with exit code 2.
    """
    from snello.cli.sync import checking
    from snello.errors import RowsRefused

    found = checking.checked(name)
    show(found.said(), checking.page(found), as_json=as_json)
    if found:
        raise typer.Exit(RowsRefused.exit_code)


@app.command()
def resend(
    name: Name,
    reason: Annotated[str, typer.Option(help="Why; it is kept in the audit log.")] = "",
    author: Annotated[str | None, typer.Option(help="Who decides. Default: the user of the system.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count the rows; nothing is written.")] = False,
    as_json: Json = False,
) -> None:
    """Have the next run send every member again, after the list or audience was deleted in the channel and made anew.

    Nothing is sent yet. Who is no member any more is not sent, and removals stay owed; what was refused goes on
    waiting. Letters, events and syncs whose rows count as contacts are refused with exit code 2: people would be
    reached twice. A reason is needed, unless nothing is written.
    """
    from snello import settings
    from snello.activation.resending import Resending
    from snello.cli.sync import resending

    found = resending.ask(settings.load(), name, Resending(reason, author or ""), dry_run=dry_run)
    show(found, resending.page(found), as_json=as_json)
