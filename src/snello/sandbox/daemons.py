"""Small servers that go on when the command that started them has ended.

Each holds a lock on its pid file for as long as it lives, so a file that was left behind, and a process id that another
process has got since, fool nobody.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from snello.errors import RetryLater

STOP_SECONDS = 10.0


def claim(path: Path) -> IO[str]:
    """Lock a pid file for this process and write its id there; keep what is returned open."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def running(path: Path) -> int | None:
    """Process id of the daemon that holds the pid file."""
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return int(path.read_text())
    return None


def spawn(arguments: list[str], log: Path) -> int:
    """Start ``python -m …`` in a session of its own; what it says goes to the log. Returns its process id."""
    log.parent.mkdir(parents=True, exist_ok=True)
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", *arguments],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def ended(pid: int) -> bool:
    """Whether a child of this process has ended."""
    return os.waitpid(pid, os.WNOHANG)[0] == pid


def stop(path: Path) -> bool:
    """End the daemon that holds the pid file, and wait until it has; false when there is none."""
    pid = running(path)
    if pid is None:
        path.unlink(missing_ok=True)
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while running(path) is not None:
        if time.monotonic() > deadline:
            raise RetryLater("sandbox", f"{path.stem} does not stop", f"end process {pid}")
        time.sleep(0.02)
    # Whoever started it has to be told of its end, else it stays a zombie.
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)
    path.unlink(missing_ok=True)
    return True
