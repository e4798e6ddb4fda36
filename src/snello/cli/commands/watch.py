"""``snello watch``: what somebody must know of the last runs, told once to whom it concerns."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snello.cli.screen import Json, show


def command(
    quiet: Annotated[bool, typer.Option("--quiet", help="Judge and print, but tell nobody.")] = False,
    metrics: Annotated[
        Path | None, typer.Option(help="Write the figures to this file too, as Prometheus reads them.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge the last runs, and tell what is new by webhook and mail (SNELLO_ALERT_WEBHOOK, SNELLO_ALERT_MAIL).

    Exit code 0 when nothing stands; else that of the gravest alert: 6 breaker, 3 orphaned, 4 failed or late, 5 refused
    or given up.
    """
    from snello import settings
    from snello.cli.watching import page, watch

    seen = watch(settings.load(), quiet=quiet, metrics_file=metrics)
    show(seen, page(seen), as_json=as_json)
    if seen.alerts:
        raise typer.Exit(seen.alerts[0].exit_code)
