"""The application: every module of ``snello.cli.commands`` is a command or a group of commands."""

from __future__ import annotations

import io
import pkgutil
import sys
from collections.abc import Sequence
from importlib import import_module, metadata
from typing import Annotated

import typer

from snello.cli import commands
from snello.errors import SnelloError

INTERRUPTED = 130


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"snello {metadata.version('snello')}")
        raise typer.Exit


def _top(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Who is who, with whose consent, and what was delivered.

    Whoever knows Meltano runs the hub with `meltano run loop`; these commands add what Meltano has no word for.
    """


def build() -> typer.Typer:
    """The application with every command found in ``snello.cli.commands``.

    A module holds either ``app``, a group of its own, or ``command``, a function named after the module.
    """
    app = typer.Typer(
        name="snello",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_top)
    for found in pkgutil.iter_modules(commands.__path__):
        module = import_module(f"{commands.__name__}.{found.name}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=found.name)
        else:
            app.command(found.name)(module.command)
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code.

    - a ``SnelloError`` becomes its sentence on stderr and its own exit code
    - Ctrl-C becomes 130, without a traceback
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name outside the terminal's alphabet is no reason to fail
    try:
        build()(list(arguments), prog_name="snello")
    except SnelloError as fault:
        typer.echo(str(fault), err=True)
        return fault.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 1
    return 0
