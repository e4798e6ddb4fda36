"""``snello tap``: look at what a tap reads, write down what it looks like, and keep its settings in meltano.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snello.cli.screen import Json, show, working

Name = Annotated[str, typer.Argument(help="A plugin of meltano.yml, or the folder of a connector.")]
Stream = Annotated[str | None, typer.Option(help="Only this stream.")]
Config = Annotated[Path | None, typer.Option(help="JSON file of settings, in place of the plugin's.")]

app = typer.Typer(help="Look at what a tap reads, write its schemas and its settings.", no_args_is_help=True)


@app.command("try")
def try_(
    name: Name,
    rows: Annotated[int, typer.Option(min=1, max=100, help="Rows of each stream.")] = 10,
    stream: Stream = None,
    config: Config = None,
    values: Annotated[bool, typer.Option("--show", help="Show values, on a terminal only.")] = False,
    as_json: Json = False,
) -> None:
    """Show the first rows of each stream, their types, and the requests that brought them.

    Values that may tell of a person are shown by kind and size, as in text(23). Leaves with the tap's own exit code.
    """
    from snello.cli.connector import trying

    with working(f"reading {name}"):
        tried = trying.tried(name, stream, rows, config, values)
    show(tried, trying.page(tried), as_json=as_json)
    _leave(tried.faults, tried.code)


@app.command()
def infer(
    name: Name,
    stream: Stream = None,
    rows: Annotated[int, typer.Option(min=1, help="Rows of each stream to learn from.")] = 1000,
    config: Config = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write types that changed, too.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove schema files that no stream has.")] = False,
    as_json: Json = False,
) -> None:
    """Write schemas/<stream>.json from the rows that a tap reads; what is there already is only extended.

    Fields that were never filled and fields that sound secret, such as a password's hash, are told and not written.
    Leaves with 3 when a declared field has another type now, else with the tap's own exit code.
    """
    from snello.cli.connector import inferring

    with working(f"reading {name}"):
        found = [*inferring.inferred(name, stream, rows, config, replace), *inferring.leftovers(name, prune=prune)]
    show(found, inferring.page(name, found, replace), as_json=as_json)
    broken = any(each.breaking for each in found) and not replace
    faults = list(dict.fromkeys(each.fault for each in found if each.fault))
    _leave(faults, 3 if broken else next((each.code for each in found if each.code), 0))


@app.command()
def settings(
    name: Annotated[str, typer.Argument(help="A plugin of meltano.yml; one of a target, too.")],
    check: Annotated[bool, typer.Option("--check", help="Tell what differs, and write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Bring a plugin's settings in meltano.yml up to date with its connector.

    Lines of new settings are added, lines of settings that are gone removed, secrets marked as sensitive; everything
    else stays as it is. With --check it leaves with 3 when anything differs.
    """
    from snello.cli.connector import aligning
    from snello.settings import project_root

    with working(f"asking {name}"):
        found = aligning.aligned(name, project_root(), check=check)
    show(found, aligning.page(found), as_json=as_json)
    raise typer.Exit(3 if check and found.differs else 0)


def _leave(faults: list[str], code: int) -> None:
    for fault in faults:
        typer.echo(fault, err=True)
    raise typer.Exit(code)
