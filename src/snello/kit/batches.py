"""Parquet files that a tap leaves for its target, and the removal of those that a killed run left behind.

A file is whole or absent: it is written under another name and renamed. Its name tells the pipeline, the machine and
the process that wrote it, so that the next run of the pipeline knows which files nobody will come for.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import fsspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from singer_sdk.helpers._batch import BatchConfig

from snello.errors import ConfigError, RetryLater

SAMPLE_ROWS = 5_000
ABANDONED_SECONDS = 24 * 3600

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NAME = re.compile(r"\.(?P<host>[\w-]+)\.(?P<pid>\d+)\.[0-9a-f]+\.\d{6}\.parquet(\.part)?$")


class BatchFolder:
    """Where one pipeline leaves its batch files.

    - ``config``: the SDK's ``batch_config``; the encoding must be Parquet
    - ``plugin``: who writes, as named in messages
    - ``pipeline``: what tells this pipeline from others that share the folder; only its hash is used
    """

    def __init__(self, config: BatchConfig, plugin: str, pipeline: str) -> None:
        if config.encoding.format != "parquet":
            what = f"batch_config.encoding.format is {config.encoding.format!r}"
            raise ConfigError(plugin, what, "set it to 'parquet', the one format there is")
        self.plugin, self.storage = plugin, config.storage
        root = _plain(config.storage.root)
        self.local = "://" not in root
        self.prefix = f"{config.storage.prefix or ''}{plugin}-{hashlib.sha256(pipeline.encode()).hexdigest()[:10]}"
        self._run = f"{_host()}.{os.getpid()}.{time.time_ns():x}"
        self._written = 0
        with self._faults():
            self._files, self._root = fsspec.core.url_to_fs(root, **config.storage.params)
            self._files.makedirs(self._root, exist_ok=True)

    def write(self, table: pa.Table) -> str:
        """Write one file and return its URL."""
        self._written += 1
        name = f"{self.prefix}.{self._run}.{self._written:06d}.parquet"
        path = f"{self._root}/{name}"
        with self._faults(path):
            if self.local:
                _write(table, f"{path}.part")
                os.replace(f"{path}.part", path)
            else:
                with self._files.open(path, "wb") as file:
                    _write(table, file)
        return Path(path).as_uri() if self.local else self.storage.get_url(name)

    def sweep(self) -> int:
        """Remove what killed runs left: files of this pipeline whose process is gone, and files older than a day."""
        removed = 0
        with self._faults():
            for path in self._files.ls(self._root, detail=False):
                if self._left_behind(path):
                    with suppress(FileNotFoundError):
                        self._files.rm_file(path)
                        removed += 1
        return removed

    def _left_behind(self, path: str) -> bool:
        name = path.rsplit("/", 1)[-1]
        found = _NAME.search(name)
        if found is None or not name.startswith(f"{self.prefix.rpartition('-')[0]}-") or f".{self._run}." in name:
            return False
        if name.startswith(f"{self.prefix}.") and found["host"] == _host() and not _alive(int(found["pid"])):
            return True
        with suppress(FileNotFoundError, NotImplementedError):
            age = time.time() - self._files.modified(path).timestamp()
            return bool(age > ABANDONED_SECONDS)
        return False

    @contextmanager
    def _faults(self, path: str | None = None) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if path and self.local:
                with suppress(OSError):
                    os.remove(f"{path}.part")
            where, code = "batch_config.storage.root", _code(error)
            if code in _FULL:
                cure = f"free some space in {where}, then run again: nothing is lost"
                raise RetryLater(self.plugin, f"no space left in {where}", cure) from None
            name = errno.errorcode.get(code, type(error).__name__)
            raise ConfigError(self.plugin, f"{where} cannot be used ({name})", "name a folder to write in") from None


def _write(table: pa.Table, where: Any) -> None:
    """One row group, with dictionaries only where values repeat: elsewhere they cost a third of the writing."""
    sample = table.slice(0, SAMPLE_ROWS)
    flat = [field.name for field in sample.schema if not pa.types.is_nested(field.type)]
    repeating = [
        name for name in flat if pc.count_distinct(sample.column(name), mode="all").as_py() * 4 < sample.num_rows * 3
    ]
    pq.write_table(
        table,
        where,
        compression="zstd",
        compression_level=1,
        use_dictionary=repeating or False,
        row_group_size=max(table.num_rows, 1),
    )


def _code(error: OSError) -> int:
    if error.errno:
        return error.errno
    found = re.search(r"errno (\d+)", str(error))
    return int(found[1]) if found else 0


def _plain(root: str) -> str:
    """The root, as a path when it is a local file URL: fsspec takes percent signs in those literally."""
    return os.path.abspath(unquote(root.removeprefix("file://"))) if root.startswith("file://") else root


def _host() -> str:
    return re.sub(r"[^\w-]", "-", socket.gethostname()) or "host"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
