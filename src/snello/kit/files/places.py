"""Where files are: patterns and URLs to files with a fingerprint, and any file to a copy at hand."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from tempfile import NamedTemporaryFile
from typing import IO, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from snello.errors import ContractError
from snello.kit.files.faults import faults_of_reading, faults_of_store
from snello.kit.files.stores import opened

READ_BYTES = 1 << 20
UNDER_WAY = (".part", ".tmp", ".filepart", ".crdownload", ".partial")


class Copy(NamedTuple):
    """A file's content at hand, and its version: the store's own tag, else a hash of the content."""

    path: str
    version: str


@dataclass(frozen=True)
class Found:
    """One file: its name relative to the pattern's folder, and what tells whether it changed."""

    name: str
    path: str
    size: int
    modified: float
    tag: str  # the store's own content tag, where it has one
    fs: Any

    @property
    def is_here(self) -> bool:
        """Whether the file is on this machine."""
        return "file" in _protocols(self.fs)

    @property
    def is_under_way(self) -> bool:
        """Whether the name is one that programs give to files that they still write."""
        name = self.name.rpartition("/")[2]
        return name.startswith(".") or name.lower().endswith(UNDER_WAY)

    @contextmanager
    def fetched(self, where: str) -> Iterator[Copy]:
        """The content at hand: a file elsewhere is fetched whole first, so that its rows are of one version."""
        if self.is_here:
            with faults_of_reading(where), open(self.path, "rb") as stream:
                version = _digest(stream)
            yield Copy(self.path, version)
            return
        with NamedTemporaryFile(prefix="snello-") as file:
            with faults_of_store(where, "the file cannot be fetched"):
                self.fs.get_file(self.path, file.name)
            with open(file.name, "rb") as stream:
                version = self.tag or _digest(stream)
            yield Copy(file.name, version)

    def again(self, where: str) -> Found | None:
        """The file as it is now; none when it is gone."""
        with faults_of_store(where, "the file cannot be looked at"):
            self.fs.invalidate_cache()
            try:
                return _found(self.fs, _followed(self.fs.info(self.path)), self.name)
            except FileNotFoundError:
                return None

    def is_same_as(self, other: Found | None) -> bool:
        """Whether neither size, time nor tag differ."""
        return other is not None and (self.size, self.modified, self.tag) == (other.size, other.modified, other.tag)


def find(path: str, options: dict[str, Any], where: str) -> list[Found]:
    """The files that match, oldest change first, so that of two rows with one key the newer file's stays.

    Raises ``ConfigError`` when there is no such kind of place or it refuses the credentials, ``ContractError`` when it
    cannot be listed, ``RetryLater`` when it does not answer.
    """
    with faults_of_store(where, "the place cannot be listed"):
        fs, pattern = opened(path, options, where)
        fs.invalidate_cache()
        infos = [_followed(info) for info in _listed(fs, pattern, where)]
        base = _fixed_part(pattern)
        found = [_found(fs, info, _relative(str(info["name"]), base)) for info in infos if info["type"] == "file"]
    return sorted(found, key=lambda file: (file.modified, file.name))


def _listed(fs: Any, pattern: str, where: str) -> list[dict[str, Any]]:
    on_web = "http" in _protocols(fs)
    if not re.search(r"[*\[]" if on_web else r"[*?\[]", pattern):
        try:
            return [fs.info(pattern)]
        except FileNotFoundError:
            _probe(fs, pattern, where)
            return []
    found = list(fs.glob(pattern, detail=True).values())
    if not found:
        _probe(fs, pattern, where)
    # a listing on the web tells names alone, links to sort it among them
    return (
        [fs.info(each["name"]) for each in found if each["type"] == "file" and "?" not in each["name"]]
        if on_web
        else found
    )


def _probe(fs: Any, pattern: str, where: str) -> None:
    """Ask for the folder itself: a listing that came back empty may have met a fault that fsspec passes over."""
    folder = _fixed_part(pattern)
    if "http" in _protocols(fs):
        folder = f"{folder}/"
    try:
        fs.ls(folder, detail=False)
    except FileNotFoundError:
        bucket = folder.partition("/")[0]
        if "s3" in _protocols(fs) and not _is_bucket(fs, bucket):
            raise ContractError(where, f"there is no bucket {bucket!r}", "check path and endpoint_url") from None


def _is_bucket(fs: Any, bucket: str) -> bool:
    try:
        fs.call_s3("head_bucket", Bucket=bucket)
    except FileNotFoundError:
        return False
    return True


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
    if "://" in name:  # on the web a name is escaped, and a query may hold a secret
        name, base = (unquote(urlsplit(each).path) for each in (name, base))
    try:
        return str(PurePosixPath(name).relative_to(base))
    except ValueError:
        return PurePosixPath(name).name


_TIMES = ("mtime", "LastModified", "last_modified", "Last-Modified", "modified", "updated")
_TAGS = ("ETag", "etag", "checksum", "md5Hash", "Content-MD5", "Digest")


def _found(fs: Any, info: dict[str, Any], name: str) -> Found:
    modified = next((info[key] for key in _TIMES if info.get(key)), 0.0)
    tag = next((str(info[key]) for key in _TAGS if info.get(key)), "")
    return Found(name, str(info["name"]), int(info.get("size") or 0), _seconds(modified), tag.strip('"'), fs)


def _seconds(moment: Any) -> float:
    """A moment as seconds since 1970, whichever way a store tells it; 0 when it cannot be read."""
    if isinstance(moment, datetime):
        return moment.timestamp()
    for read in (float, lambda text: datetime.fromisoformat(text).timestamp(), _web_time):
        try:
            return float(read(moment))
        except (ValueError, TypeError):
            continue
    return 0.0


def _web_time(text: str) -> float:
    return parsedate_to_datetime(text).timestamp()


def _digest(stream: IO[bytes]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    while block := stream.read(READ_BYTES):
        digest.update(block)
    return digest.hexdigest()


def _protocols(fs: Any) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)
