"""Records of people who were erased: known by the hash of their key, and left out as they arrive."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from snello.errors import ConfigError
from snello.identifiers import hash_key
from snello.lake import Lake
from snello.lake.scan import open_table
from snello.lake.tombstones import MARK, STREAM, key_text
from snello.settings import load


@dataclass(frozen=True)
class Buried:
    """The hashes of one stream's erased records."""

    name: str
    hashes: frozenset[str]
    salt: str

    def kept(self, table: pa.Table, keys: Sequence[str]) -> pa.Table:
        """The rows whose key has no tombstone; the same table when that is all of them."""
        texts = [table.column(key).cast(pa.string()).to_pylist() for key in keys]
        mask = [not self.holds(row) for row in zip(*texts, strict=True)]
        return table if all(mask) else table.filter(pa.array(mask, pa.bool_()))

    def holds(self, key: Sequence[object]) -> bool:
        """Whether the record of a key has a tombstone."""
        return hash_key(f"{self.name}/{key_text(key)}", self.salt) in self.hashes

    def tells_of(self, record: bytes, properties: Sequence[str]) -> bool:
        """Whether a record that fits no column is that of an erased person, as far as its key can be read."""
        try:
            read: Any = msgspec.json.decode(record)
        except (msgspec.DecodeError, UnicodeError):
            return False
        return isinstance(read, dict) and self.holds([read.get(name) for name in properties])


class Graveyard:
    """The tombstones of one source, read once a run; a source without any costs nothing."""

    def __init__(self, lake: Lake, source: str) -> None:
        self.source = source
        uri = lake.raw_tables().get(STREAM) if source != STREAM[0] else None
        self._streams = _read(uri, source) if uri else {}
        self._salt = _salt(self._streams.values()) if self._streams else ""

    def of(self, stream: str) -> Buried | None:
        """The erased records of a stream; None when there are none."""
        found = self._streams.get(stream)
        if found is None:
            return None
        return Buried(f"{self.source}/{stream}", frozenset(found.column("hash").to_pylist()), self._salt)


def _read(uri: str, source: str) -> dict[str, pa.Table]:
    found = open_table(uri).to_pyarrow_table(columns=["kind", "source", "stream", "hash", "salt_mark"])
    # not by delta-rs: where files tell the bounds of some columns only, its filters lose rows
    found = found.filter((pc.field("kind") == "record") & (pc.field("source") == source))
    streams = found.column("stream")
    return {name: found.filter(pc.equal(streams, name)) for name in streams.unique().to_pylist()}


def _salt(found: Iterable[pa.Table]) -> str:
    """The salt in force; raises ``ConfigError`` where it is not the one that keyed the tombstones."""
    try:
        salt = load().salt.get_secret_value()
    except ConfigError:
        salt = os.environ.get("SNELLO_SALT", "")  # a loader outside of a project still knows the variable
    mark = hash_key(MARK, salt) if salt else None
    if any(other != mark for table in found for other in table.column("salt_mark").unique().to_pylist()):
        what = "people were erased under another salt: their records would come back"
        raise ConfigError("setting salt", what, "set SNELLO_SALT to what it was")
    return salt
