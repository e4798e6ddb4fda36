"""Fingerprints of an audience, kept beside a ledger in SQLite for as long as the published table stays as it is.

To fingerprint a million rows takes most of a run of which nothing comes, and the runs of a day mostly see the table
that the night published. What is kept hangs on everything that a fingerprint is made of: the table's files, which
nothing ever changes, the statement that reads them, the sync's keys and the salt. It is a copy of what can be reckoned
anew, as pseudonymous as the ledger; an erasure drops it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path

import duckdb
from sqlalchemy import Engine

from snello.identifiers import hash_key

_MARK = 32  # hex digits


def forget(engine: Engine) -> None:
    """Drop what is kept beside a ledger."""
    if folder := _folder(engine):
        shutil.rmtree(folder, ignore_errors=True)


class Prints:
    """The fingerprints kept beside a ledger; a ledger in PostgreSQL has no place for them, and none are kept."""

    def __init__(self, engine: Engine, sync: str, salt: str) -> None:
        self.folder, self.sync, self.salt = _folder(engine), sync, salt

    def kept(self, statement: str) -> Path | None:
        """The Parquet file of what the statement gives; None when it is not kept."""
        path = self._path(statement)
        return path if path and path.exists() else None

    def keep(self, connection: duckdb.DuckDBPyConnection, statement: str) -> Path | None:
        """Keep what the statement gives, and no longer what was kept of the sync; None where nothing can be written."""
        path = self._path(statement)
        if path is None:
            return None
        part = path.with_name(f"{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection.execute(f"copy ({statement}) to '{_text(part)}' (format parquet, compression uncompressed)")
            earlier = [one for one in path.parent.iterdir() if one != part]
            part.replace(path)
            for one in earlier:
                if one != path:
                    one.unlink(missing_ok=True)
        except (OSError, duckdb.IOException):  # a disk that is full or not ours is no reason to send nothing
            with suppress(OSError):
                part.unlink(missing_ok=True)
            return None
        return path

    def _path(self, statement: str) -> Path | None:
        if self.folder is None:
            return None
        mark = str(hash_key(f"{duckdb.__version__} {statement}", self.salt))
        return self.folder / hashlib.sha256(self.sync.encode()).hexdigest()[:_MARK] / f"{mark[:_MARK]}.parquet"


def read(path: Path) -> str:
    """A SELECT of a kept file."""
    return f"select * from read_parquet('{_text(path)}')"


def _folder(engine: Engine) -> Path | None:
    at = engine.url.database
    return Path(f"{at}.prints") if at and engine.dialect.name == "sqlite" else None


def _text(path: Path) -> str:
    return str(path).replace("'", "''")
