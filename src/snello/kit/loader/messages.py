"""Singer lines, read in chunks: the envelope of a message is decoded in C, its record stays as it came."""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Iterator
from typing import IO, Any

import msgspec

_CHUNK = 1 << 18  # larger ones leave the processor's cache before their values are columns


class Message(msgspec.Struct, gc=False):
    """One line from a tap; the parts that its type does not have are empty."""

    type: str
    stream: str | None = None
    record: msgspec.Raw = msgspec.Raw()
    time_extracted: str | None = None
    schema: msgspec.Raw = msgspec.Raw()
    key_properties: msgspec.Raw = msgspec.Raw()
    value: msgspec.Raw = msgspec.Raw()
    encoding: msgspec.Raw = msgspec.Raw()
    manifest: msgspec.Raw = msgspec.Raw()


_DECODER = msgspec.json.Decoder(Message)


class BrokenLine(msgspec.Struct, gc=False):
    """A line that is no message, and why; its type is empty."""

    line: bytes
    reason: str
    type: str = ""
    stream: str | None = None


def messages(chunk: bytes) -> list[Message | BrokenLine]:
    """The messages of a chunk of whole lines; blank lines are none."""
    try:
        return list(_DECODER.decode_lines(chunk))
    except (msgspec.DecodeError, UnicodeError):
        return [_message(line) for line in chunk.split(b"\n") if line.strip()]


def _message(line: bytes) -> Message | BrokenLine:
    try:
        return _DECODER.decode(line)
    except msgspec.ValidationError:
        return BrokenLine(line, "not a Singer message")
    except UnicodeError:
        return BrokenLine(line, "not valid UTF-8")
    except msgspec.DecodeError:
        return BrokenLine(line, "not valid JSON")


def chunks(source: IO[Any] | None, patience: float) -> Iterator[bytes]:
    """Whole lines as they come, in chunks; an empty chunk when nothing came for ``patience`` seconds.

    The last chunk lacks its newline when the source ended in the middle of a line.
    """
    pending: list[bytes] = []
    for data in _reads(source, patience):
        cut = data.rfind(b"\n") + 1
        if not data:
            yield b""
        if cut:
            yield b"".join((*pending, data[:cut]))
            pending = []
        if cut < len(data):
            pending.append(data[cut:])
    if pending:
        yield b"".join(pending)


def _reads(source: IO[Any] | None, patience: float) -> Iterator[bytes]:
    stream = getattr(source or sys.stdin, "buffer", source or sys.stdin)
    try:
        descriptor = stream.fileno()
    except (OSError, io.UnsupportedOperation):
        yield from _plain_reads(stream)
        return
    while True:
        ready, _, _ = select.select([descriptor], [], [], patience)
        if not ready:
            yield b""
            continue
        data = os.read(descriptor, _CHUNK)
        if not data:
            return
        yield data


def _plain_reads(stream: IO[Any]) -> Iterator[bytes]:
    while data := stream.read(_CHUNK):
        yield data.encode() if isinstance(data, str) else data
