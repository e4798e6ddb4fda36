"""Runs of a connector's command, each in a process of its own that may be killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

PATIENCE = 120  # seconds that a run may take
KILLED = -signal.SIGKILL


@dataclass(frozen=True)
class Outcome:
    """What a run left behind; ``code`` is negative when a signal ended it; ``peak``: memory that it held, in kB."""

    code: int
    out: str
    err: str
    peak: int = 0

    @property
    def states(self) -> list[dict[str, Any]]:
        """The states that were let through."""
        lines = [line for line in self.out.splitlines() if line]
        assert all(line.startswith("{") for line in lines), "something that is no state was written to stdout"
        return [json.loads(line) for line in lines]

    @property
    def last_line(self) -> str:
        """The last line on stderr: of a failed run, the fault."""
        return self.err.strip().rpartition("\n")[2]


class Runs:
    """Runs one command, ``module:function``, again and again, one run at a time; a context manager."""

    def __init__(self, command: str) -> None:
        mine, theirs = socket.socketpair()
        mine.settimeout(PATIENCE)
        # the modules that this process can import, the child can
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "snello.kit.conformance.parent", command, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env=environment,
        )
        theirs.close()
        self._line, self._orders = mine, mine.makefile("rw")
        self._started, self._pid = threading.Event(), 0
        self._read()

    def pid(self) -> int:
        """Process id of the run under way."""
        self._started.wait(PATIENCE)
        return self._pid

    def run(
        self,
        folder: Path,
        given: str,
        config: Mapping[str, Any],
        *arguments: str,
        last_byte: int | None = None,
        pauses: Mapping[str, float] = MappingProxyType({}),
        **environment: str,
    ) -> Outcome:
        """One run with this on stdin and these arguments; its files are left in ``folder``.

        - ``last_byte``: it is killed with SIGKILL when it would write more than so many bytes
        - ``pauses``: values of constants, named as ``module:name``, in this run
        """
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / name for name in ("stdin", "stdout", "stderr", "config.json")]
        files[0].write_text(given)
        files[3].write_text(json.dumps(config))
        order = {
            "files": [str(file) for file in files[:3]],
            "argv": ["connector", "--config", str(files[3]), *arguments],
            "environment": environment,
            "last_byte": last_byte,
            "pauses": dict(pauses),
        }
        self._started.clear()
        self._orders.write(json.dumps(order) + "\n")
        self._orders.flush()
        self._pid = int(self._read())
        self._started.set()
        code, peak = self._read().split()
        return Outcome(int(code), files[1].read_text(errors="replace"), files[2].read_text(), int(peak))

    def _read(self) -> str:
        line = self._orders.readline()
        if not line:
            raise ChildProcessError("the command could not be imported; see stderr")
        return line

    def __enter__(self) -> Runs:
        return self

    def __exit__(self, *_: object) -> None:
        self._orders.close()
        self._line.close()
        self._process.wait(PATIENCE)
