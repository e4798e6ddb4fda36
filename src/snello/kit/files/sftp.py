"""SFTP through fsspec and paramiko, with host keys that are verified: fsspec's own store trusts whoever answers."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem
from paramiko.hostkeys import InvalidHostKey

from snello.errors import ConfigError

KNOWN_HOSTS = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")
logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # its faults are told by ours
CONNECT_SECONDS, ANSWER_SECONDS, ALIVE_SECONDS = 15, 60, 30


class UnknownHostKey(paramiko.SSHException):
    """A server whose host key is in no known_hosts file."""


class _Refuse(paramiko.MissingHostKeyPolicy):
    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        raise UnknownHostKey


class SftpStore(SFTPFileSystem):  # type: ignore[misc]
    """One server; ``options`` as in ``snello.kit.files.stores.SftpOptions``."""

    protocol = "sftp", "ssh"
    cachable = False

    def _connect(self) -> None:
        options = self.ssh_kwargs
        self.client = paramiko.SSHClient()
        for file in _known_hosts(options.get("known_hosts")):
            _load(self.client, file)
        accept = options.get("accept_unknown_host")
        self.client.set_missing_host_key_policy(paramiko.AutoAddPolicy() if accept else _Refuse())
        named = bool(options.get("key_file") or options.get("password"))
        try:
            self.client.connect(
                self.host,
                port=int(options.get("port") or 22),
                username=options.get("username"),
                password=options.get("password"),
                key_filename=_key_file(options.get("key_file")),
                passphrase=options.get("passphrase"),
                allow_agent=not named,
                look_for_keys=not named,
                timeout=CONNECT_SECONDS,
                banner_timeout=CONNECT_SECONDS,
                auth_timeout=CONNECT_SECONDS,
            )
            self.ftp = self.client.open_sftp()
            channel = self.ftp.get_channel()
            assert channel is not None
            channel.settimeout(ANSWER_SECONDS)
            channel.get_transport().set_keepalive(ALIVE_SECONDS)
        except BaseException:
            self.client.close()
            raise

    def close(self) -> None:
        """Leave the server."""
        self.client.close()


def _known_hosts(named: str | None) -> list[Path]:
    if named and not Path(named).expanduser().is_file():
        what = "storage_options.known_hosts: there is no such file"
        raise ConfigError("sftp", what, "make it with ssh-keyscan, and check its keys")
    return [
        path for path in (Path(each).expanduser() for each in ([named] if named else KNOWN_HOSTS)) if path.is_file()
    ]


def _load(client: paramiko.SSHClient, file: Path) -> None:
    try:
        client.load_system_host_keys(str(file))
    except (InvalidHostKey, UnicodeDecodeError):
        cure = "mend or remove the line; `ssh-keygen -l -f` on the file names it"
        raise ConfigError("sftp", f"{file}: a line of it holds no host key", cure) from None


def _key_file(named: str | None) -> str | None:
    if named and not Path(named).expanduser().is_file():
        raise ConfigError("sftp", "storage_options.key_file: there is no such file", "name the private key's file")
    return str(Path(named).expanduser()) if named else None
