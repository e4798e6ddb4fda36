"""Where files are: patterns and URLs to files with a fingerprint, and compressed files to what they hold."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import IO, Any, cast
from xml.etree.ElementTree import ParseError

import fsspec

from snello.errors import ConfigError, ContractError
from snello.kit.files.layout import FileSet

MAGIC = {"gzip": b"\x1f\x8b", "zip": b"PK\x03\x04", "bz2": b"BZh", "xz": b"\xfd7zXZ\x00"}
READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Found:
    """One file: its name relative to the pattern's folder, and what tells whether it changed."""

    name: str
    path: str
    size: int
    modified: float
    tag: str  # the store's own content tag, where it has one
    fs: Any

    def open(self) -> IO[bytes]:
        """The file's bytes."""
        stream: IO[bytes] = self.fs.open(self.path, "rb")
        return stream

    def version(self) -> str:
        """What changes when the content does: the store's tag, else a hash of a local file's content."""
        if self.tag or "file" not in _protocols(self.fs):
            return self.tag
        digest = hashlib.blake2b(digest_size=16)
        with self.open() as stream:
            while block := stream.read(READ_BYTES):
                digest.update(block)
        return digest.hexdigest()

    def again(self) -> Found | None:
        """The file as it is now; none when it is gone."""
        self.fs.invalidate_cache()
        return _found(self.fs, _followed(self.fs.info(self.path)), self.name) if self.fs.exists(self.path) else None


def find(path: str, options: dict[str, Any], where: str) -> list[Found]:
    """The files that match, oldest change first, so that of two rows with one key the newer file's stays.

    Raises ``ConfigError`` when there is no such kind of place, ``ContractError`` when it cannot be listed.
    """
    fs, pattern = _place(path, options, where)
    base = _fixed_part(pattern)
    try:
        fs.invalidate_cache()
        infos = _listed(fs, pattern)
    except OSError as error:
        what = f"the place cannot be listed ({type(error).__name__})"
        raise ContractError(where, what, "check the address, the permissions and storage_options") from None
    found = [
        _found(fs, info, _relative(str(info["name"]), base)) for info in map(_followed, infos) if info["type"] == "file"
    ]
    return sorted(found, key=lambda file: (file.modified, file.name))


def _place(path: str, options: dict[str, Any], where: str) -> tuple[Any, str]:
    try:
        fs, pattern = fsspec.core.url_to_fs(path, **options)
    except ImportError as error:
        package = str(error).rpartition(" ")[2] or "its package"
        raise ConfigError(
            where, f"path needs a package that is missing ({error.name or package})", "install it"
        ) from None
    except ValueError:
        protocol = path.partition("://")[0]
        raise ConfigError(
            where, f"path: no kind of place is called {protocol!r}", "use a URL that fsspec knows"
        ) from None
    return fs, pattern


def _listed(fs: Any, pattern: str) -> list[dict[str, Any]]:
    if re.search(r"[*?\[]", pattern):
        return list(fs.glob(pattern, detail=True).values())
    return [fs.info(pattern)] if fs.exists(pattern) else []


def _followed(info: dict[str, Any]) -> dict[str, Any]:
    """What a link points to, as fsspec tells size and time of the link itself; one to nowhere is a file to fail on."""
    if not info.get("islink"):
        return info
    try:
        there = os.stat(info["name"])
    except OSError:
        return {**info, "type": "file"}
    kind = "file" if stat.S_ISREG(there.st_mode) else "other"
    return {**info, "type": kind, "size": there.st_size, "mtime": there.st_mtime}


def _fixed_part(pattern: str) -> str:
    """The folder in front of the first wildcard."""
    return re.split(r"[*?\[]", pattern)[0].rpartition("/")[0]


def _relative(name: str, base: str) -> str:
    try:
        return str(PurePosixPath(name).relative_to(base))
    except ValueError:
        return PurePosixPath(name).name


def _found(fs: Any, info: dict[str, Any], name: str) -> Found:
    modified: Any = next(
        (info[key] for key in ("mtime", "LastModified", "last_modified", "modified", "updated") if info.get(key)), 0.0
    )
    if isinstance(modified, datetime):
        modified = modified.timestamp()
    tag = next((str(info[key]) for key in ("ETag", "etag", "checksum", "md5Hash") if info.get(key)), "")
    size = int(info.get("size") or 0)
    return Found(name, str(info["name"]), size, _number(modified), tag.strip('"'), fs)


def _number(moment: Any) -> float:
    try:
        return float(moment)
    except ValueError:
        return datetime.fromisoformat(str(moment)).timestamp()


def _protocols(fs: Any) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)


@contextmanager
def faults_of_reading(where: str) -> Iterator[None]:
    """Tell damaged or unreadable bytes as a ``ContractError``."""
    try:
        yield
    except BrokenPipeError:
        raise  # the loader is gone, the file is not at fault
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, lzma.LZMAError, zlib.error, ParseError) as error:
        what = f"the data are damaged or end too early ({type(error).__name__})"
        raise ContractError(where, what, "fetch the file again") from None
    except UnicodeDecodeError:
        raise ContractError(where, "the bytes are not in the declared encoding", "set the encoding") from None
    except OSError as error:
        what = f"the file cannot be read ({type(error).__name__})"
        raise ContractError(where, what, "check that it exists and may be read") from None


def parts(found: Found, layout: FileSet) -> Generator[tuple[str, IO[bytes]]]:
    """What a file holds: itself, what it decompresses to, or each matching member of a zip file."""
    with found.open() as raw:
        match layout.compression if layout.compression != "infer" else _inferred(raw, layout):
            case "gzip":
                with gzip.open(raw) as stream:
                    yield found.name, cast(IO[bytes], stream)
            case "bz2":
                with bz2.open(raw) as stream:
                    yield found.name, stream
            case "xz":
                with lzma.open(raw) as stream:
                    yield found.name, stream
            case "zip":
                with zipfile.ZipFile(raw) as archive:
                    for member in archive.infolist():
                        if not member.is_dir() and fnmatch(member.filename, layout.member):
                            with archive.open(member) as stream:
                                yield f"{found.name}/{member.filename}", stream
            case _:
                yield found.name, raw


def _inferred(raw: IO[bytes], layout: FileSet) -> str:
    start = raw.read(8)
    raw.seek(0)
    if layout.format == "excel" and start.startswith(MAGIC["zip"]):
        return "none"  # a workbook is itself a zip file
    return next((name for name, magic in MAGIC.items() if start.startswith(magic)), "none")
