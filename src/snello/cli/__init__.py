"""The ``snello`` command: thin commands over the library.

A foreseeable fault is one line on stderr and the exit code that its kind stands for (see ``snello.errors``).
"""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit code."""
    if not sys.stdout.isatty():
        os.environ.setdefault("TYPER_USE_RICH", "0")  # read when typer is imported: help without boxes in a pipe
    from snello.cli.app import run

    sys.exit(run(sys.argv[1:]))
