"""Checksums that come with files: in a file of their own beside each, or in a list in the same folder.

A digest is known by its length, so ``md5sum``'s lines, a bare digest and any JSON that names files and digests are read
alike.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from typing import Any

from snello.errors import ContractError
from snello.kit.files.faults import faults_of_store
from snello.kit.files.layout import FileSet
from snello.kit.files.places import READ_BYTES, Copy, Found

SUFFIXES = (".sha512", ".sha256", ".sha1", ".md5")
LARGEST_LIST = 64 << 20

_BY_LENGTH: dict[int, Callable[..., Any]] = {
    32: hashlib.md5,
    40: hashlib.sha1,
    64: hashlib.sha256,
    128: hashlib.sha512,
}
_DIGEST = re.compile(r"\b(?:[0-9a-fA-F]{128}|[0-9a-fA-F]{64}|[0-9a-fA-F]{40}|[0-9a-fA-F]{32})\b")

_KIND = re.compile(r"^\s*(?:MD5|SHA-?[0-9]+)\s*(?=\()", re.IGNORECASE)


def is_companion(name: str, layout: FileSet) -> bool:
    """Whether a file speaks of other files and holds no rows."""
    plain = name.rpartition("/")[2]
    match layout.checksum:
        case "beside":
            return plain.lower().endswith(SUFFIXES)
        case "manifest":
            return fnmatch(plain.lower(), layout.manifest.lower())
        case _:
            return False


def check(found: Found, copy: Copy, layout: FileSet, where: str) -> None:
    """Compare a file at hand with its checksum. Raises ``ContractError`` when that is absent or another."""
    if layout.checksum == "none":
        return
    with faults_of_store(where, "its checksum cannot be read"):
        expected = _beside(found) if layout.checksum == "beside" else _listed(found, layout)
    if expected is None:
        what = "its checksum is not there, so the file is left alone"
        raise ContractError(where, what, "let the checksum be sent, or set checksum to none")
    if _digest(copy.path, len(expected)) != expected.lower():
        raise ContractError(where, "its checksum is that of another content", "let the file be sent again")


def _beside(found: Found) -> str | None:
    for suffix in SUFFIXES:
        text = _text(found.fs, f"{found.path}{suffix}")
        digest = _DIGEST.search(text) if text is not None else None
        if digest:
            return digest[0]
    return None


def _listed(found: Found, layout: FileSet) -> str | None:
    """The digest that a list in the file's folder gives it; of several lists the last by name counts."""
    folder, _, name = found.path.rpartition("/")
    lists = [path for path in found.fs.ls(folder or "/", detail=False) if is_companion(str(path), layout)]
    for path in sorted(lists, reverse=True):
        for named, digest in _entries(_text(found.fs, str(path)) or ""):
            if named.rpartition("/")[2].lstrip("*") == name:
                return digest
    return None


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """File names with their digests, of JSON or of lines as ``md5sum`` writes them."""
    try:
        yield from _in_json(json.loads(text))
    except ValueError:
        for line in text.splitlines():
            if digest := _DIGEST.search(line):
                rest = _KIND.sub("", line[: digest.start()] + line[digest.end() :])
                yield rest.strip(" \t,;:=()\"'"), digest[0]


def _in_json(value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case list():
            for each in value:
                yield from _in_json(each)
        case dict():
            texts = [text for text in value.values() if isinstance(text, str)]
            digests = [text for text in texts if _DIGEST.fullmatch(text)]
            for name, held in value.items():
                if isinstance(held, str) and _DIGEST.fullmatch(held):
                    yield name, held
                else:
                    yield from _in_json(held)
            for text in texts:
                if digests and text not in digests:
                    yield text, max(digests, key=len)


def _text(fs: Any, path: str) -> str | None:
    try:
        content = fs.cat_file(path, end=LARGEST_LIST)
    except FileNotFoundError:
        return None
    return bytes(content).decode("utf-8-sig", "replace")


def _digest(path: str, length: int) -> str:
    digest = _BY_LENGTH[length](usedforsecurity=False)
    with open(path, "rb") as stream:
        while block := stream.read(READ_BYTES):
            digest.update(block)
    return str(digest.hexdigest())
