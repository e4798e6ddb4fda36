"""A MariaDB server of this test session, private to it: own folder, own user, a free port of 127.0.0.1."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import pymysql
import pytest

PACKAGES = "mariadb-server"
START_SECONDS = 60
OWNER = "mysql"  # whom Debian's package makes: the server refuses to run as root

_SETTINGS = (
    "--no-defaults",
    "--skip-log-bin",
    "--bind-address=127.0.0.1",
    "--innodb-buffer-pool-size=64M",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-use-native-aio=0",
    "--max-allowed-packet=64M",
    "--default-time-zone=+05:00",  # so that a reader who forgets the time zone of its session is found out
    "--sql-mode=NO_ENGINE_SUBSTITUTION",  # as old servers have it: zero dates pass
)


def _program(*names: str) -> str | None:
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    return next((found for name in names if (found := shutil.which(name, path=path))), None)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class MariaDb:
    """A server in a folder of its own.

    - ``url``: as SQLAlchemy takes it, of user ``root`` (no password) over TCP, without a database
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"mysql+pymysql://root@127.0.0.1:{self.port}/"
        self._process: subprocess.Popen[bytes] | None = None

    def install(self) -> None:
        """Make the folder's system tables."""
        program = _program("mariadb-install-db", "mysql_install_db")
        owner = [f"--user={OWNER}"] if os.getuid() == 0 else []
        if owner:
            shutil.chown(self.folder, OWNER)
        words = [str(program), "--no-defaults", f"--datadir={self.folder / 'data'}", *owner]
        words += ["--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self, *more: str) -> None:
        """Start, and return once it answers."""
        words = [str(_program("mariadbd", "mysqld")), *_SETTINGS, f"--datadir={self.folder / 'data'}"]
        words += [f"--port={self.port}", f"--socket={self.folder / 'mariadb.sock'}"]
        words += [f"--pid-file={self.folder / 'mariadb.pid'}", *([f"--user={OWNER}"] if os.getuid() == 0 else [])]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen([*words, *more], stdout=log, stderr=log)
        ping = [str(_program("mariadb-admin", "mysqladmin")), "--no-defaults", "--user=root", "--host=127.0.0.1"]
        ping += [f"--port={self.port}", f"--wait={START_SECONDS}", "--silent", "ping"]
        subprocess.run(ping, check=True, stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        """Stop this server, by its own process."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=60)
            self._process = None

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=60)
            self._process = None

    def run(self, *statements: str, database: str | None = None) -> None:
        """Run statements as root."""
        with pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", database=database, autocommit=True, charset="utf8mb4"
        ) as connection:
            for statement in statements:
                connection.cursor().execute(statement)


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDb]:
    """A MariaDB server of this test session; without the program its tests are skipped."""
    if _program("mariadbd", "mysqld") is None or _program("mariadb-install-db", "mysql_install_db") is None:
        pytest.skip(f"MariaDB is not installed. Next: install Debian's package {PACKAGES}")
    folder = Path(mkdtemp(prefix="snello-mariadb-"))
    server = MariaDb(folder)
    try:
        server.install()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def mariadb(mariadb_server: MariaDb) -> Iterator[str]:
    """URL of a fresh, empty database, dropped after the test."""
    name = f"test_{os.getpid()}_{uuid4().hex[:8]}"
    mariadb_server.run(f"create database {name} character set utf8mb4")
    yield f"{mariadb_server.url}{name}"
    mariadb_server.run(f"drop database {name}")
