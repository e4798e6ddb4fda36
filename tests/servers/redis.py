"""A Redis server of one test, private to it: own folder, a free port of 127.0.0.1, stopped by its own process."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import redis

PACKAGE = "redis-server"
START_SECONDS = 30


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def redis_server(*more: str) -> Iterator[str]:
    """A server as long as the block lasts; yields its URL. Without the program the test is skipped."""
    if not shutil.which("redis-server"):
        pytest.skip(f"Redis is not installed. Next: install Debian's package {PACKAGE}")
    with TemporaryDirectory(prefix="snello-redis-") as folder:
        port, log = free_port(), Path(folder) / "log"
        words = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
        words += ["--appendonly", "no", "--logfile", str(log), *more]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        try:
            _ready(port, process)
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=30)
            assert process.stdout
            process.stdout.close()


def _ready(port: int, process: subprocess.Popen[str]) -> None:
    """Return once it answers, be it that it asks for a password."""
    retry = redis.retry.Retry(redis.backoff.ConstantBackoff(0.05), START_SECONDS * 20)
    with redis.Redis(port=port, retry=retry, retry_on_error=[redis.ConnectionError]) as client:
        with suppress(redis.AuthenticationError):
            client.ping()
        assert process.poll() is None, "the server has ended"
