"""Paths, files and locks of one lake, on a local folder or an object store."""

from __future__ import annotations

import fcntl
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlparse

import pyarrow as pa
import pyarrow.fs as pa_fs

_PLAIN = re.compile(r"[A-Za-z0-9_.-]")


def is_remote(uri: str) -> bool:
    """Whether ``uri`` names an object store rather than a folder."""
    return urlparse(uri).scheme not in ("", "file")


def local_path(uri: str) -> Path:
    """The folder that a local ``uri`` names."""
    return Path(unquote(urlparse(uri).path) if uri.startswith("file://") else uri)


def join(uri: str, *parts: str) -> str:
    """``uri`` with ``parts`` below it."""
    return "/".join([uri.rstrip("/"), *parts])


def folder_name(name: str) -> str:
    """``name`` as one safe path segment; ``stream_name`` is the way back."""
    if name in (".", ".."):
        return name.replace(".", "@2e")
    return "".join(char if _PLAIN.match(char) else "".join(f"@{byte:02x}" for byte in char.encode()) for char in name)


def stream_name(folder: str) -> str:
    """The name whose path segment is ``folder``."""
    return unquote(folder.replace("%", "%25").replace("@", "%"))


def filesystem(uri: str) -> pa_fs.FileSystem:
    """A file system rooted at ``uri``, with delta-rs' credentials for object stores."""
    if not is_remote(uri):
        return pa_fs.SubTreeFileSystem(str(local_path(uri)), pa_fs.LocalFileSystem())
    from deltalake.fs import DeltaStorageHandler

    return pa_fs.PyFileSystem(DeltaStorageHandler(uri))


def folders(uri: str, below: str) -> list[str]:
    """Names of the folders directly under ``below``; none when it does not exist."""
    found = filesystem(uri).get_file_info(pa_fs.FileSelector(below, allow_not_found=True))
    return sorted(info.base_name for info in found if info.type == pa_fs.FileType.Directory)


def read_bytes(uri: str, name: str) -> bytes | None:
    """Content of the file ``name`` under ``uri``; None when there is none."""
    try:
        with filesystem(uri).open_input_stream(name) as stream:
            content: bytes = stream.read()
    except FileNotFoundError:
        return None
    return content


def replace_bytes(uri: str, name: str, content: bytes) -> None:
    """Replace the file ``name`` under ``uri`` in one step: readers see the old or the new content, never a part."""
    if is_remote(uri):
        with pa.BufferedOutputStream(filesystem(uri).open_output_stream(name), len(content) + 1) as stream:
            stream.write(content)
        return
    folder = local_path(uri)
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{name}.{uuid.uuid4().hex}"
    try:
        with draft.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(folder / name)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def exclusive(uri: str, name: str) -> Iterator[None]:
    """Hold the lock file ``name`` under a local ``uri``; the kernel frees it when the holder dies.

    Object stores have no such lock: there, writers of one name must be serialised by whoever schedules them.
    """
    if is_remote(uri):
        yield
        return
    folder = local_path(uri)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
