"""What a stream held when it was last read whole, so that the next reading finds what is new, changed or gone.

Kept outside of the Singer state, which stays small: the state names a generation, and a generation is one Parquet file
of keys and fingerprints. A run whose state was lost compares with what its state speaks of, or with nothing.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from snello.errors import ConfigError, RetryLater
from snello.kit.places import state_folder

SCHEMA = pa.schema([pa.field("key", pa.string(), nullable=False), pa.field("fingerprint", pa.int64(), nullable=False)])
FINGERPRINT_BYTES = 8
ABANDONED_SECONDS = 24 * 3600

_BEFORE = 2  # generations before the current one that stay, for a state that is set back
_NAME = re.compile(r"[0-9a-f]{16}-[0-9a-f]+")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

log = logging.getLogger(__name__)


def memory_root(named: str | None) -> str:
    """Where memories are kept: as the setting ``memory`` of a connector names it, else in the state folder."""
    return named or str(state_folder("memory"))


class Memory:
    """The generations of one stream of one pipeline.

    - ``root``: a folder or an fsspec URL
    - ``pipeline``: what tells this pipeline, or this account, from others that share the root; only its hash is used
    """

    def __init__(self, root: str, pipeline: str, stream: str) -> None:
        self.stream = stream
        owner = hashlib.sha256(pipeline.encode()).hexdigest()[:16]
        tail = hashlib.sha256(stream.encode()).hexdigest()[:8]
        with self._faults():
            self._files, base = fsspec.core.url_to_fs(root)
            self._folder = f"{base}/{owner}/{re.sub(r'[^A-Za-z0-9_-]', '-', stream)[:80]}-{tail}"
            self._local = "file" in np.atleast_1d(self._files.protocol)

    def recall(self, generation: str | None) -> pa.Table | None:
        """The rows of a generation: ``key`` (compact JSON array of the key values) and ``fingerprint``.

        None when there is no such generation, or none that can be read: then nothing is known of the stream.
        """
        if generation is None or not _NAME.fullmatch(generation):
            return None
        try:
            with self._files.open(self._path(generation), "rb") as file:
                return pq.read_table(file, columns=SCHEMA.names).cast(SCHEMA)
        except FileNotFoundError:
            log.warning("memory: %s: the last reading is gone; everything counts as new", self.stream)
        except (pa.ArrowException, ValueError):
            log.warning("memory: %s: the last reading is damaged; everything counts as new", self.stream)
        except OSError as error:
            raise RetryLater(self._where, f"the memory cannot be read ({_code(error)})", "run again") from None
        return None

    def keep(self) -> Keeper:
        """A new generation to be written."""
        with self._faults():
            if self._local:
                os.makedirs(self._folder, mode=0o700, exist_ok=True)
            name = f"{time.time_ns():016x}-{os.getpid():x}"
            folder = self._folder if self._local else None
            descriptor, draft = tempfile.mkstemp(prefix=f"{name}.", suffix=".part", dir=folder)
            os.close(descriptor)
        return Keeper(self, name, Path(draft))

    def prune(self, current: str | None) -> None:
        """Remove all generations but the current one and the two before it; with None, all but the newest two."""
        with self._faults():
            found = self._files.ls(self._folder, detail=False) if self._files.exists(self._folder) else []
            paths = {path.rsplit("/", 1)[-1].removesuffix(".parquet"): path for path in found}
            names = sorted(name for name in paths if _NAME.fullmatch(name) and (current is None or name <= current))
            kept = names[-(_BEFORE + (current in names)) :]
            for name, path in paths.items():
                with suppress(FileNotFoundError):
                    if (_NAME.fullmatch(name) and name not in kept) or self._abandoned(path):
                        self._files.rm_file(path)

    def _abandoned(self, path: str) -> bool:
        age = time.time() - self._files.modified(path).timestamp() if path.endswith(".part") else 0
        return bool(age > ABANDONED_SECONDS)

    def _path(self, generation: str) -> str:
        return f"{self._folder}/{generation}.parquet"

    def _publish(self, draft: Path, name: str) -> None:
        with self._faults():
            if self._local:
                os.replace(draft, self._path(name))
            else:
                self._files.makedirs(self._folder, exist_ok=True)
                self._files.put_file(str(draft), self._path(name))

    @property
    def _where(self) -> str:
        return f"memory: {self.stream}"

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                cure = "free some space in the folder of setting memory, then run again: nothing is lost"
                raise RetryLater(self._where, "no space left for the memory", cure) from None
            what, cure = f"the memory cannot be used ({_code(error)})", "name a folder to write in as setting memory"
            raise ConfigError(self._where, what, cure) from None
        except (ImportError, ValueError):
            raise ConfigError(self._where, "setting memory names no place", "name a folder or a URL") from None


class Keeper:
    """A generation while it is written; one that is left without ``close`` has never been."""

    def __init__(self, memory: Memory, name: str, draft: Path) -> None:
        self._memory, self._name, self._draft = memory, name, draft
        self._writer: Any = pq.ParquetWriter(draft, SCHEMA, compression="zstd", compression_level=1)
        self.rows = 0

    def add(self, keys: pa.Array, fingerprints: pa.Array) -> None:
        """Append rows; the two arrays are of one length."""
        with self._memory._faults():
            self._writer.write_table(pa.table([keys, fingerprints], schema=SCHEMA))
        self.rows += len(keys)

    def close(self) -> str:
        """Publish the generation, whole, and return its name."""
        with self._memory._faults():
            self._writer.close()
        self._memory._publish(self._draft, self._name)
        self._draft.unlink(missing_ok=True)
        return self._name

    def drop(self) -> None:
        """Forget what was written. After ``close``: nothing."""
        with suppress(OSError):
            self._writer.close()
        self._draft.unlink(missing_ok=True)

    def __enter__(self) -> Keeper:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.drop()


@dataclass(frozen=True)
class Compared:
    """Keys by what became of them, each key once."""

    new: pa.Array
    changed: pa.Array
    gone: pa.Array


def compared(before: pa.Table | None, now: pa.Table) -> Compared:
    """What a reading holds that the one before did not, holds otherwise, or holds no more.

    Without a reading before, everything is new. Where a key comes twice in one reading, it is changed when one of its
    rows differs from the first one of the reading before.
    """
    before = SCHEMA.empty_table() if before is None else before
    keys, known = now.column("key"), before.column("key")
    place = pc.index_in(keys, value_set=known)
    met = place.is_valid()
    earlier = before.column("fingerprint").take(place)
    differs = pc.fill_null(pc.not_equal(now.column("fingerprint"), earlier), False)
    gone = pc.invert(pc.is_in(known, value_set=keys))
    return Compared(
        new=pc.unique(keys.filter(pc.invert(met))),
        changed=pc.unique(keys.filter(differs)),
        gone=pc.unique(known.filter(gone)),
    )


def fingerprints(rows: Sequence[bytes]) -> pa.Array:
    """One 64-bit BLAKE2b a row, of its encoded record; not keyed, as it never leaves the memory."""
    digests = b"".join([hashlib.blake2b(row, digest_size=FINGERPRINT_BYTES).digest() for row in rows])
    return pa.array(np.frombuffer(digests, dtype="<i8"))


def _code(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, type(error).__name__)
