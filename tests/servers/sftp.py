"""A private OpenSSH server: own host key, own known_hosts, the current user by key, SFTP alone, a free port."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import pytest

PACKAGES = "openssh-server openssh-client"
START_SECONDS = 20


def _program(name: str) -> str | None:
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    return shutil.which(name, path=path)


@dataclass
class Sftp:
    """A running server.

    - ``folder``: keys and settings of the server; ``drop``: the folder that tests serve files from
    """

    folder: Path
    drop: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def key_file(self) -> Path:
        """Private key of the one user that may log in."""
        return self.folder / "user_key"

    @property
    def known_hosts(self) -> Path:
        """The server's host key, as a client should know it."""
        return self.folder / "known_hosts"

    @property
    def options(self) -> dict[str, str]:
        """``storage_options`` that are right."""
        return {"key_file": str(self.key_file), "known_hosts": str(self.known_hosts)}

    def url(self, pattern: str) -> str:
        """URL of files in ``drop``."""
        return f"sftp://{getpass.getuser()}@127.0.0.1:{self.port}{self.drop}/{pattern}"

    def cut(self) -> None:
        """End the connections that are open, as a network that breaks; the server stays."""
        for child in _children(self.process.pid):
            for pid in (*_children(child), child):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue

    def stop(self) -> None:
        """End the server."""
        self.cut()
        self.process.terminate()
        self.process.wait(timeout=START_SECONDS)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def key(file: Path, passphrase: str = "") -> None:
    """Make a key pair."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "snello-test", "-f", str(file)]
    subprocess.run(command, check=True)


def start(folder: Path) -> Sftp:
    """A server with new keys in the folder, up and answering."""
    for name in ("host_key", "user_key"):
        key(folder / name)
    drop = folder / "drop"
    drop.mkdir()
    shutil.copy(folder / "user_key.pub", folder / "authorized_keys")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    public = (folder / "host_key.pub").read_text().split()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {public[0]} {public[1]}\n")
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{port}\n"
        f"HostKey {folder}/host_key\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\n"
        f"PidFile {folder}/pid\n"
        "AuthenticationMethods publickey\n"
        "PermitRootLogin prohibit-password\n"
        "StrictModes no\n"
        "UsePAM no\n"
        "Subsystem sftp internal-sftp\n"
        "ForceCommand internal-sftp\n"
        "AllowTcpForwarding no\n"
    )
    if os.getuid() == 0:
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # where the server locks itself up before a login
    command = [str(_program("sshd")), "-D", "-e", "-f", str(folder / "sshd_config")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    _await(folder / "log", process)
    return Sftp(folder, drop, port, process)


def _await(log: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait for the server to say that it listens."""
    command = ["tail", "-n", "+1", "-f", f"--pid={process.pid}", str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as tail:
        assert tail.stdout is not None
        listens = any("Server listening" in line for line in iter(tail.stdout.readline, ""))
        tail.kill()
    if not listens:
        raise RuntimeError(f"sshd did not start: {log.read_text()}")


@pytest.fixture
def sftp() -> Iterator[Sftp]:
    """An SFTP server of this test; without OpenSSH's programs the test is skipped."""
    if _program("sshd") is None or _program("ssh-keygen") is None:
        pytest.skip(f"OpenSSH is not installed. Next: install Debian's packages {PACKAGES}")
    folder = Path(mkdtemp(prefix="snello-sftp-"))
    server = start(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
