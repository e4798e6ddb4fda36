"""``snello new``: a connector from a template, ready to run on an example."""

from __future__ import annotations

from typing import Annotated

import typer

from snello.cli.screen import Json, show, working

Name = Annotated[str, typer.Argument(help="What it connects to, such as my-shop.")]
Install = Annotated[bool, typer.Option("--install/--no-install", help="Put its command into this environment.")]

app = typer.Typer(help="Make a new connector from a template.", no_args_is_help=True)


@app.command()
def tap(
    name: Name,
    kind: Annotated[str, typer.Option(help="What it reads: rest, graphql, sql or files.")] = "rest",
    install: Install = True,
    as_json: Json = False,
) -> None:
    """Make connectors/tap-NAME, install it, and add it to meltano.yml."""
    _create("tap", name, kind, install, as_json)


@app.command()
def target(name: Name, install: Install = True, as_json: Json = False) -> None:
    """Make connectors/target-NAME, install it, and add it to meltano.yml."""
    _create("target", name, "target", install, as_json)


def _create(role: str, name: str, kind: str, install: bool, as_json: bool) -> None:
    from snello.cli.connector import creation
    from snello.settings import project_root

    with working(f"making {role}-{name}"):
        made = creation.create(role, name, kind, project_root(), installing=install)
    show(made, creation.page(made), as_json=as_json)
