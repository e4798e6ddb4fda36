"""dbt without its start-up: a process that has imported dbt forks one for each run of it, with its own environment.

Started by ``Forked``: ``python tests/transform/forked.py <descriptor of a socket>``.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

# What a run imports later than dbt's command does.
LATE = ("dbt.task.build", "dbt.adapters.duckdb.impl", "dbt_snello", "snello.dbt.plugin", "daff", "babel.dates")


class Forked:
    """Runs dbt's command again and again, one run at a time, each in a process of its own."""

    def __init__(self) -> None:
        mine, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
        )
        theirs.close()
        self._line, self._orders, self._turn = mine, mine.makefile("rw"), threading.Lock()

    def run(
        self, arguments: tuple[str, ...], home: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """One run of dbt with these arguments in the folder ``home``."""
        with TemporaryDirectory() as folder, self._turn:
            files = [f"{folder}/out", f"{folder}/err"]
            order = {"argv": arguments, "home": str(home), "environment": dict(environment), "files": files}
            self._orders.write(json.dumps(order) + "\n")
            self._orders.flush()
            code = int(self._orders.readline())
            return subprocess.CompletedProcess(arguments, code, *(Path(file).read_text() for file in files))

    def close(self) -> None:
        """End the process."""
        self._orders.close()
        self._line.close()
        self._process.wait()


def serve(descriptor: int) -> None:
    """Answer each order, a line of JSON, with the exit code of the run."""
    from dbt.cli.main import cli

    for name in LATE:
        importlib.import_module(name)
    with socket.socket(fileno=descriptor) as line, line.makefile("rw") as orders:
        while order := orders.readline():
            child = os.fork()
            if child == 0:
                _become(json.loads(order))
                _end(cli)
            _, status = os.waitpid(child, 0)
            orders.write(f"{os.waitstatus_to_exitcode(status)}\n")
            orders.flush()


def _become(order: dict[str, Any]) -> None:
    for number, path in enumerate(order["files"], start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.chdir(order["home"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = ["dbt", *order["argv"]]


def _end(cli: Any) -> None:
    """Run and leave, without taking down what the parent built."""
    code: Any = 0
    try:
        cli()
    except SystemExit as done:
        code = done.code
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    serve(int(sys.argv[1]))
