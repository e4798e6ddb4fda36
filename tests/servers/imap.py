"""A private Dovecot: one mailbox in a Maildir, by IMAP with and without TLS, on free ports."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import pytest
import trustme

PACKAGE = "dovecot-imapd"
USER, PASSWORD = "bounces", "open-sesame"
START_SECONDS = 20


@dataclass
class Imap:
    """A running server; ``maildir`` is the mailbox, in which a test may put a message."""

    folder: Path
    port: int
    tls_port: int
    process: subprocess.Popen[bytes]

    @property
    def maildir(self) -> Path:
        return self.folder / "mail"

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    def stop(self) -> None:
        """End the server."""
        self.process.terminate()
        self.process.wait(timeout=START_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(folder: Path) -> Imap:
    """A server in the folder, up and answering."""
    folder.chmod(0o755)
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    owner = pwd.getpwnam("mail")
    for name in ("", "cur", "new", "tmp"):
        (folder / "mail" / name).mkdir()
        os.chown(folder / "mail" / name, owner.pw_uid, owner.pw_gid)
    port, tls_port = _free_port(), _free_port()
    (folder / "dovecot.conf").write_text(
        "protocols = imap\n"
        "listen = 127.0.0.1\n"
        f"base_dir = {folder}/run\n"
        f"log_path = {folder}/log\n"
        f"mail_location = maildir:{folder}/mail\n"
        "disable_plaintext_auth = no\n"
        "auth_failure_delay = 0\n"
        "first_valid_uid = 1\n"
        f"ssl_cert = <{folder}/server.pem\n"
        f"ssl_key = <{folder}/server.pem\n"
        f"passdb {{\n driver = static\n args = password={PASSWORD}\n}}\n"
        f"userdb {{\n driver = static\n args = uid=mail gid=mail home={folder}/mail\n}}\n"
        "service imap-login {\n"
        f" inet_listener imap {{\n  port = {port}\n }}\n"
        f" inet_listener imaps {{\n  port = {tls_port}\n  ssl = yes\n }}\n}}\n"
    )
    command = [str(shutil.which("dovecot", path=_path())), "-F", "-c", str(folder / "dovecot.conf")]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    _await(folder / "log", process)
    return Imap(folder, port, tls_port, process)


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def _await(log: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait for the server to say that it is up: its ports are bound before."""
    log.touch()
    command = ["tail", "-n", "+1", "-f", "-s", "0.05", f"--pid={process.pid}", str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as tail:
        assert tail.stdout is not None
        up = any("starting up" in line for line in iter(tail.stdout.readline, ""))
        tail.kill()
    if not up:
        raise RuntimeError("dovecot did not start")


@pytest.fixture
def imap() -> Iterator[Imap]:
    """An IMAP server of this test; without Dovecot, or without the right to be its users, the test is skipped."""
    if shutil.which("dovecot", path=_path()) is None or os.getuid() != 0:
        pytest.skip(f"Dovecot is not installed, or not for this user. Next: install Debian's package {PACKAGE}")
    folder = Path(mkdtemp(prefix="snello-imap-"))
    server = start(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
