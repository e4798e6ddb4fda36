"""A folder, here or elsewhere, into which files come whole or not at all."""

from __future__ import annotations

import errno
import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from snello.errors import ConfigError, ContractError, RetryLater, SnelloError
from snello.kit.files.faults import faults_of_store
from snello.kit.files.stores import opened

Result = TypeVar("Result")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FIRST_WAIT = 0.2
READ_ONLY = ("http", "https")


class Place:
    """One folder; ``tries`` of a file within a run, ``longest`` seconds between two.

    Raises ``ConfigError`` for a place that is not there or denies access, ``RetryLater`` for one that is full, busy or
    away; then no part of the file is there under its name.
    """

    def __init__(self, path: str, options: dict[str, Any], where: str, *, tries: int, longest: float) -> None:
        self.path, self.options, self.where = path.rstrip("/") or "/", options, where
        self.tries, self.longest = tries, longest
        self._store: tuple[Any, str] | None = None
        if path.partition("://")[0] in READ_ONLY:
            raise ConfigError(where, "path: nothing is written to the web", "name a folder, sftp:// or s3://")

    def put(self, name: str, content: bytes) -> None:
        """A file, whole and safe before this returns; one of that name is replaced."""

        def write(fs: Any, folder: str) -> None:
            if _is(fs, "file"):
                _put_here(Path(folder), name, content)
            elif _is(fs, "sftp"):
                _put_by_sftp(fs, folder, name, content)
            else:
                fs.pipe_file(f"{folder}/{name}", content)  # an object is there when all of it is

        self._tried(write, "the file cannot be written")

    def get(self, name: str) -> bytes | None:
        """The content of a file, None when there is none."""

        def read(fs: Any, folder: str) -> bytes | None:
            fs.invalidate_cache()
            try:
                found: bytes = fs.cat_file(f"{folder}/{name}")
            except FileNotFoundError:
                return None
            return found

        return self._tried(read, "the file cannot be read")

    def delete(self, name: str) -> None:
        """Take a file away, and what was left of one that was never whole; there may be none."""

        def drop(fs: Any, folder: str) -> None:
            for each in (name, _under_way(name)):
                with suppress(FileNotFoundError):
                    fs.rm_file(f"{folder}/{each}")

        self._tried(drop, "the file cannot be deleted")

    def close(self) -> None:
        """Let go of the connection."""
        store, self._store = self._store, None
        if store is not None and hasattr(store[0], "close"):
            with suppress(Exception):  # it may be the connection that broke
                store[0].close()

    def _tried(self, do: Callable[[Any, str], Result], otherwise: str) -> Result:
        for attempt in range(1, self.tries + 1):
            try:
                return self._once(do, otherwise)
            except RetryLater:
                self.close()
                if attempt == self.tries:
                    raise
                time.sleep(random.uniform(0.5, 1) * min(self.longest, FIRST_WAIT * 2**attempt))
        raise AssertionError("at least one try is made")

    def _once(self, do: Callable[[Any, str], Result], otherwise: str) -> Result:
        try:
            with faults_of_store(self.where, otherwise):
                if self._store is None:
                    self._store = opened(self.path, self.options, self.where)
                    fs, folder = self._store
                    if _is(fs, "file") or _is(fs, "sftp"):
                        fs.makedirs(folder, exist_ok=True)
                try:
                    return do(*self._store)
                except OSError as error:
                    raise _fault(error, self.where, otherwise) or error from None
        except ContractError as fault:  # of a file that is read it means: mend it; of one that is written: not now
            raise RetryLater(self.where, fault.what, "look at the place, then run again: nothing is lost") from None


def _fault(error: OSError, where: str, otherwise: str) -> SnelloError | None:
    if error.errno in FULL:
        return RetryLater(where, "the place has no room left", "make room there, then run again: nothing is lost")
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return ConfigError(where, f"{otherwise}: there is no such folder or bucket", "check path, or make it")
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return ConfigError(where, "the place may not be written to", "let this user write there, or check path")
    return None


def _is(fs: Any, kind: str) -> bool:
    return kind in ((fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol))


def _under_way(name: str) -> str:
    return f".{name}.part"


def _put_here(folder: Path, name: str, content: bytes) -> None:
    temporary = folder / _under_way(name)
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, folder / name)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)  # the name, too, is safe on disk
    finally:
        os.close(handle)


def _put_by_sftp(fs: Any, folder: str, name: str, content: bytes) -> None:
    temporary = f"{folder}/{_under_way(name)}"
    try:
        with fs.ftp.open(temporary, "wb") as file:
            file.set_pipelined(True)
            file.write(content)
        fs.ftp.posix_rename(temporary, f"{folder}/{name}")
    except OSError:
        with suppress(Exception):  # the connection may be gone; the next run takes it away
            fs.ftp.remove(temporary)
        raise
