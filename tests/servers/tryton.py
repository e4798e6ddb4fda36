"""A Tryton server of this test session: an environment of its own from PyPI, a company prepared once, a free port.

Environment and company stay in ``.venv-servers/`` at the root, under a name that tells what they were made of; each
session serves a copy of the company. The lock is made from the packages below:

    uv pip compile --universal --generate-hashes --python-version 3.11 --no-header --no-annotate - -o tryton.lock
"""

from __future__ import annotations

import fcntl
import hashlib
import inspect
import os
import shutil
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".venv-servers"
PACKAGES = ("account", "account-invoice", "account-payment", "party", "product", "sale")  # trytond-…, trytond, proteus
MODULES = ("account_invoice", "account_payment", "party", "product", "sale")
DATABASE, ADMIN = "tryton", "admin-sesame-open"
PASSWORD = "open-sesame-open"  # of the users reader (reads everything) and clerk (parties and products only)
CANARY = "canary.bird@example.org"  # an e-mail address that no log may show
TIED = 400  # parties written in one transaction
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HERE)}  # where the server finds its middleware
LOCK, DATA = HERE / "tryton.lock", HERE / "tryton_data.py"


class Tryton:
    """A server over a copy of the prepared company.

    - ``url``: its address; the database is ``tryton``
    """

    def __init__(self, prepared: Path, folder: Path) -> None:
        self.folder, self._programs = folder, prepared / "venv" / "bin"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        shutil.copy(prepared / "db" / f"{DATABASE}.sqlite", folder)
        self._configuration = configuration(folder, folder, f"127.0.0.1:{self.port}")
        self._process: subprocess.Popen[bytes] | None = None
        self._sessions: dict[str, str] = {}

    def start(self) -> None:
        """Start, and return once it answers."""
        words = [str(self._programs / "trytond"), "-c", str(self._configuration), "-d", DATABASE]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log, env=ENVIRONMENT)
        with requests.Session() as session:
            session.mount("http://", HTTPAdapter(max_retries=Retry(300, backoff_factor=0.1, backoff_max=0.2)))
            question = {"id": 0, "method": "common.server.version", "params": []}
            session.post(f"{self.url}/rpc/", json=question, timeout=60).raise_for_status()

    def stop(self) -> None:
        """Stop this server, by its own process."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=60)
            self._process = None

    def call(self, method: str, *params: Any, user: str = "admin") -> Any:
        """The result of one method, as a user; an error of the server fails the test."""
        if user not in self._sessions:
            password = ADMIN if user == "admin" else PASSWORD
            number, key, _ = self._post("common.db.login", [user, {"password": password}, "en"])
            self._sessions[user] = b64encode(f"{user}:{number}:{key}".encode()).decode()
        return self._post(method, list(params), {"Authorization": f"Session {self._sessions[user]}"})

    def _post(self, method: str, params: list[Any], headers: dict[str, str] | None = None) -> Any:
        question = {"id": 0, "method": method, "params": params}
        answer = requests.post(f"{self.url}/{DATABASE}/rpc/", json=question, headers=headers, timeout=60)
        answer.raise_for_status()
        assert "result" in answer.json(), answer.json()
        return answer.json()["result"]


def configuration(folder: Path, databases: Path, listen: str = "127.0.0.1:0") -> Path:
    """A configuration file for SQLite databases in a folder."""
    path = folder / "trytond.conf"
    web = f"[web]\nlisten = {listen}\n[wsgi middleware]\nhonest = tryton_middleware.Honest\n"
    path.write_text(f"[database]\nuri = sqlite://\npath = {databases}\n{web}")
    return path


def prepared() -> Path:
    """The folder with environment and company, made on the first call; a test process that comes at once waits."""
    made_of = LOCK.read_bytes() + DATA.read_bytes() + inspect.getsource(_make).encode()
    folder = CACHE / f"tryton-{hashlib.sha256(made_of).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "making").open("w") as making:
        fcntl.flock(making, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            _make(folder)
            (folder / "ready").touch()
    return folder


def _make(folder: Path) -> None:
    uv, python = Path(sys.executable).with_name("uv"), folder / "venv" / "bin" / "python"
    environment = {**ENVIRONMENT, "UV_LINK_MODE": "copy", "TRYTONPASSFILE": str(folder / "password")}

    def run(*words: object) -> None:
        done = subprocess.run([str(word) for word in words], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder / "venv")
    run(uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, "--require-hashes", "-r", LOCK)
    (folder / "password").write_text(ADMIN)
    databases = folder / "db"
    shutil.rmtree(databases, ignore_errors=True)
    databases.mkdir()
    (databases / f"{DATABASE}.sqlite").touch()
    admin = [python.with_name("trytond-admin"), "-c", configuration(folder, databases), "-d", DATABASE]
    run(*admin, "--all", "--no-indexes", "--email", "admin@example.org")
    run(*admin, "--no-indexes", "--activate-dependencies", "-u", *MODULES)
    run(python, DATA, DATABASE, folder / "trytond.conf")


@pytest.fixture(scope="session")
def tryton_prepared() -> Path:
    """Environment and company, made when they are not there yet."""
    return prepared()


@pytest.fixture
def tryton(tryton_prepared: Path) -> Iterator[Tryton]:
    """A running server over a fresh copy of the company."""
    folder = Path(mkdtemp(prefix="snello-tryton-"))
    server = Tryton(tryton_prepared, folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
