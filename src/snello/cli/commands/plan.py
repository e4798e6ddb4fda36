"""``snello plan``: what would change, before anything is published."""

from __future__ import annotations

from typing import Annotated

import typer

from snello.cli.screen import Json, show, working

CHANGES = 7


def command(
    at_most: Annotated[
        list[str] | None,
        typer.Option(help="Refuse (exit code 6) when more would change: NAME=NUMBER, such as merged=50; repeatable."),
    ] = None,
    detailed_exit_code: Annotated[
        bool, typer.Option(help="Leave with exit code 7 when anything would change.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Build every model beside the warehouse in use, and tell what publishing it would change.

    After an edit of a rule, a policy or a segment: people new, merged and split, golden values, audiences.
    """
    from snello import settings
    from snello.cli.plan import page, plan

    limits = plan.limits_of(at_most or [])
    with working("building every model beside the warehouse in use"):
        made = plan.make(settings.load(), settings.project_root(), limits)
    show(made, page.page(made), as_json=as_json)
    made.judge("plan")
    if detailed_exit_code and any(made.counts().values()):
        raise typer.Exit(CHANGES)
