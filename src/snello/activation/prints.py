"""Fingerprints of an audience, kept beside a ledger in SQLite for as long as the published table stays as it is.

To fingerprint a million rows takes most of a run of which nothing comes, and the runs of a day mostly see the table
that the night published. What is kept hangs on everything that a fingerprint is made of: the table's files, which
nothing ever changes, the statement that reads them, the sync's keys and the salt. It is a copy of what can be reckoned
anew, as pseudonymous as the ledger; an erasure drops it.
"""

from __future__ import annotations

import hashlib
import shutil
import zlib
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import duckdb
from sqlalchemy import Engine

from snello.errors import ConfigError
from snello.identifiers import hash_key

_MARK = 32  # hex digits
_PIECE = 1 << 20  # bytes


def forget(engine: Engine) -> None:
    """Drop what is kept beside a ledger; raises ``ConfigError`` where it cannot be dropped."""
    folder = _folder(engine)
    if folder is None or not folder.exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        what = f"{folder} holds fingerprints that an erasure drops, and cannot be removed"
        raise ConfigError("ledger", what, "remove it by hand, then run `snello subject erase --resume`")


class Prints:
    """The fingerprints kept beside a ledger; a ledger in PostgreSQL has no place for them, and none are kept.

    A file bears its own checksum in its name: one that a disk damaged is not taken.
    """

    def __init__(self, engine: Engine, sync: str, salt: str) -> None:
        folder = _folder(engine)
        self.salt = salt
        self.folder = folder / hashlib.sha256(sync.encode()).hexdigest()[:_MARK] if folder else None

    def kept(self, statement: str) -> Path | None:
        """The Parquet file of what the statement gives; None when it is not kept, or not as it was written."""
        if self.folder is None:
            return None
        mark = self._mark(statement)
        try:
            return next((path for path in self.folder.glob(f"{mark}.*") if path.name == _name(mark, path)), None)
        except OSError:  # another user's, or dropped by another run
            return None

    def keep(self, connection: duckdb.DuckDBPyConnection, statement: str) -> Path | None:
        """Keep what the statement gives, and no longer what was kept of the sync; None where nothing can be written."""
        if self.folder is None:
            return None
        part = self.folder / f"{uuid4().hex}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            earlier = list(self.folder.iterdir())
            connection.execute(f"copy ({statement}) to '{_text(part)}' (format parquet, compression uncompressed)")
            path = part.replace(self.folder / _name(self._mark(statement), part))
            for one in earlier:
                if one != path:
                    one.unlink(missing_ok=True)
        except (OSError, duckdb.IOException):  # a disk that is full or not ours is no reason to send nothing
            with suppress(OSError):
                part.unlink(missing_ok=True)
            return None
        return path

    def _mark(self, statement: str) -> str:
        return str(hash_key(f"{duckdb.__version__} {statement}", self.salt))[:_MARK]


def read(path: Path) -> str:
    """A SELECT of a kept file."""
    return f"select * from read_parquet('{_text(path)}')"


def _name(mark: str, path: Path) -> str:
    checksum = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            checksum = zlib.crc32(piece, checksum)
    return f"{mark}.{checksum:08x}.parquet"


def _folder(engine: Engine) -> Path | None:
    at = engine.url.database
    return Path(f"{at}.prints") if at and engine.dialect.name == "sqlite" else None


def _text(path: Path) -> str:
    return str(path).replace("'", "''")
