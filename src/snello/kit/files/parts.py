"""What a file at hand holds: itself, what it decompresses to, or the members of a zip file."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Generator
from fnmatch import fnmatch
from typing import IO, cast

from snello.kit.files.layout import FileSet

MAGIC = {"gzip": b"\x1f\x8b", "zip": b"PK\x03\x04", "bz2": b"BZh", "xz": b"\xfd7zXZ\x00"}


def parts(name: str, path: str, layout: FileSet) -> Generator[tuple[str, IO[bytes]]]:
    """The file itself, what it decompresses to, or each matching member of a zip file; each with its name."""
    with open(path, "rb") as raw:
        match _compression(raw, layout):
            case "gzip":
                with gzip.open(raw) as stream:
                    yield name, cast(IO[bytes], stream)
            case "bz2":
                with bz2.open(raw) as stream:
                    yield name, stream
            case "xz":
                with lzma.open(raw) as stream:
                    yield name, stream
            case "zip":
                with zipfile.ZipFile(raw) as archive:
                    for member in archive.infolist():
                        if not member.is_dir() and fnmatch(member.filename, layout.member):
                            with archive.open(member) as stream:
                                yield f"{name}/{member.filename}", stream
            case _:
                yield name, raw


def is_compressed(path: str, layout: FileSet) -> bool:
    """Whether the file is compressed: then a cut or a wrong byte is noticed by who reads it to its end."""
    with open(path, "rb") as raw:
        return _compression(raw, layout) != "none"


def _compression(raw: IO[bytes], layout: FileSet) -> str:
    return layout.compression if layout.compression != "infer" else _inferred(raw, layout)


def _inferred(raw: IO[bytes], layout: FileSet) -> str:
    start = raw.read(8)
    raw.seek(0)
    if layout.format == "excel" and start.startswith(MAGIC["zip"]):
        return "none"  # a workbook is itself a zip file
    return next((name for name, magic in MAGIC.items() if start.startswith(magic)), "none")
