"""``snello check``: what is wrong, before anything runs."""

from __future__ import annotations

import typer

from snello.cli.screen import Json, show, working


def command(as_json: Json = False) -> None:
    """Check settings, meltano.yml, syncs, contracts and connections, before anything runs.

    Tells all faults at once and leaves with 2 for a wrong configuration, else 3 for a broken contract, else 4 for
    someone who does not answer.
    """
    from snello.cli.checks import run

    with working("checking"):
        found = run.findings()
    show(found, run.page(found), as_json=as_json)
    raise typer.Exit(run.worst(found))
