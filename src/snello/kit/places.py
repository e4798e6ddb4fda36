"""Where connectors keep what outlives a run but is no data: limits, tokens, cached answers."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from snello.errors import ConfigError
from snello.settings import project_root, variable


def state_folder(*below: str) -> Path:
    """The folder for state, or one below it, made for its owner alone.

    ``SNELLO_STATE`` of the shell, else of the active environment, else ``state`` in the project, else
    ``~/.local/state/snello``. Raises ``ConfigError`` when it cannot be made.
    """
    folder = _root()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        for name in below:
            folder /= name
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        what = f"the folder cannot be made ({type(error).__name__})"
        raise ConfigError("SNELLO_STATE", what, "set SNELLO_STATE to a folder that can be written to") from None
    return folder


def _root() -> Path:
    try:
        # a relative name is the project's, whatever folder the command runs in
        return project_root() / Path(variable("SNELLO_STATE") or "state").expanduser()
    except ConfigError:
        named = os.environ.get("SNELLO_STATE")
        return Path(named).expanduser() if named else Path.home() / ".local" / "state" / "snello"


def keyed_hash(*parts: str) -> str:
    """A name for values that must not be seen: the same on this machine, and of no use without its key.

    Raises ``ConfigError`` when the key cannot be kept.
    """
    text = "\0".join(str(len(part)) + ":" + part for part in parts)
    return hmac.new(_key(), text.encode(), hashlib.sha256).hexdigest()[:32]


def _key() -> bytes:
    path = state_folder() / "hash.key"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".key-") as fresh:  # made with mode 0600
            fresh.write(secrets.token_bytes(32))
            fresh.flush()
            # a link, unlike a rename, leaves the key of a process that was first
            os.link(fresh.name, path)
    except FileExistsError:
        pass
    except OSError as error:
        what = f"the folder cannot be written to ({type(error).__name__})"
        raise ConfigError("SNELLO_STATE", what, "set SNELLO_STATE to a folder that can be written to") from None
    return path.read_bytes()


def write_private(path: Path, content: bytes) -> None:
    """Replace a file at once, readable by its owner alone, and safe on disk before this returns."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
