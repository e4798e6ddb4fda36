"""A process that imports a command once and forks a child for each run of it: a real process, without the start-up.

Started by ``runs``: ``python -m snello.kit.conformance.parent module:function <descriptor of a socket>``.

What a server asks to wait is waited for. Pauses of the kit's own choice are short: how they grow is proven elsewhere.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from typing import Any, NoReturn
from unittest.mock import patch

from tenacity import wait_exponential_jitter

from snello.kit.http import retry

SHARE = 0.02  # of a pause that no server asked for


def serve(command: str, descriptor: int) -> None:
    """Answer each order, a line of JSON, with the child's process id, then its exit code and peak memory in kB."""
    module, _, name = command.partition(":")
    main = getattr(importlib.import_module(module), name)
    _warm(main)
    _hurry()
    with socket.socket(fileno=descriptor) as line, line.makefile("rw") as orders:
        _say(orders, "ready")
        while order := orders.readline():
            child = os.fork()
            if child == 0:
                _become(json.loads(order))
                _end(main)
            _say(orders, child)
            _, status, used = os.wait4(child, 0)
            _say(orders, f"{os.waitstatus_to_exitcode(status)} {used.ru_maxrss}")


def _warm(main: Callable[[], None]) -> None:
    """Import now what a run imports late, and keep it out of the children's garbage."""
    importlib.import_module("sqlalchemy.dialects.sqlite")
    sys.argv = ["connector", "--version"]
    with suppress(SystemExit), redirect_stdout(io.StringIO()):
        main()
    gc.collect()
    gc.freeze()


def _hurry() -> None:
    """From here on the client pauses for a fiftieth of the time before it asks again unbidden."""

    def short(multiplier: float, max: float, jitter: float) -> wait_exponential_jitter:
        return wait_exponential_jitter(multiplier * SHARE, max=max, jitter=jitter * SHARE)

    patch.object(retry, "wait_exponential_jitter", short).start()


def _end(main: Callable[[], None]) -> NoReturn:
    """Run and leave, without taking down what the parent built."""
    code: Any = 0
    try:
        main()
    except SystemExit as done:
        code = done.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


class _Fatal(io.FileIO):
    """Standard output on which so many bytes can be written: with the next one comes SIGKILL."""

    def __init__(self, most: int) -> None:
        super().__init__(1, "w", closefd=False)
        self._left = most

    def write(self, data: Any) -> int:
        given = memoryview(data)
        if given.nbytes > self._left:
            super().write(given[: self._left])
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= given.nbytes
        return super().write(given)


def _say(orders: Any, word: object) -> None:
    orders.write(f"{word}\n")
    orders.flush()


def _become(order: dict[str, Any]) -> None:
    flags = (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT | os.O_TRUNC] * 2)
    for number, (path, flag) in enumerate(zip(order["files"], flags, strict=True)):
        os.dup2(os.open(path, flag, 0o600), number)
    if order["last_byte"] is not None:
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(_Fatal(order["last_byte"])), encoding="utf-8", newline="\n")
    for constant, seconds in order["pauses"].items():
        module, _, name = constant.partition(":")
        home = importlib.import_module(module)
        assert hasattr(home, name), f"there is no {constant} to shorten"
        setattr(home, name, seconds)
    os.environ.update(order["environment"])
    sys.argv = order["argv"]


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
    os._exit(0)  # what was frozen would be reported as leaked
