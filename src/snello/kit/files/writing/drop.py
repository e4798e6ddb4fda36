"""A run's files and the manifest that comes last; a run that was cut off is gone on with, under its own name.

    .sync.open.json             {"run": …, "parts": [{"batch": …, "files": […]}], "pending": "…0002.csv"}
    sync_<run>_upsert_0001.csv  whole, but not yet said to be
    sync_<run>.manifest.json    from now on readers may take what it names

Between two parts the journal knows all that is there. What it calls pending may be there or not: it is written again
under the same number, or taken away.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from snello.errors import ContractError
from snello.kit.files.writing.names import Names
from snello.kit.files.writing.place import Place


@dataclass(frozen=True)
class Kept:
    """One file that is there."""

    name: str
    op: str
    rows: int
    bytes: int
    sha256: str


@dataclass
class _Journal:
    run: str
    parts: dict[str, Kept | None] = field(default_factory=dict)
    pending: str | None = None

    def written(self) -> bytes:
        parts = [{"batch": batch, "file": asdict(kept) if kept else None} for batch, kept in self.parts.items()]
        return json.dumps({"run": self.run, "parts": parts, "pending": self.pending}, indent=1).encode()

    @classmethod
    def read(cls, content: bytes, where: str) -> _Journal:
        try:
            found = json.loads(content)
            parts = {each["batch"]: Kept(**each["file"]) if each["file"] else None for each in found["parts"]}
            return cls(found["run"], parts, found["pending"])
        except (ValueError, KeyError, TypeError):
            what = "the journal of a run that was cut off cannot be read"
            raise ContractError(where, what, "look at the files of that run, then delete the journal") from None


class Drop:
    """The files of one sync at one place; ``about``: what the manifest says beside them."""

    def __init__(self, place: Place, names: Names, about: Mapping[str, Any], *, checksums: bool) -> None:
        self.place, self.names, self.about, self.checksums = place, names, about, checksums
        self._journal: _Journal | None = None
        self._looked = False

    def has(self, batch: str) -> bool:
        """Whether an earlier try wrote this batch."""
        journal = self._open()
        return journal is not None and batch in journal.parts

    def write(self, run: str, op: str, batch: str, content: bytes, rows: int) -> None:
        """One part, whole; ``batch`` names its rows: the same one is written once, an empty one not at all."""
        journal = self._open() or _Journal(run)
        self._journal = journal
        if batch in journal.parts:
            return
        kept = None
        if rows:
            number = 1 + sum(1 for each in journal.parts.values() if each)
            kept = Kept(
                self.names.file(journal.run, op, number), op, rows, len(content), hashlib.sha256(content).hexdigest()
            )
            self._settle_pending(journal, kept.name)
            self.place.put(kept.name, content)
            if self.checksums:
                self.place.put(f"{kept.name}.sha256", f"{kept.sha256}  {kept.name}\n".encode())
        journal.parts[batch], journal.pending = kept, None
        self._save(journal)

    def restart(self, run: str) -> None:
        """Take away what a whole that was cut off left, and begin anew under its name; removals stay."""
        self._journal = self._emptied(self._open() or _Journal(run))
        self._save(self._journal)

    def abandon(self) -> None:
        """Take away what there is of the whole; removals, which count as delivered, wait for their manifest."""
        if (journal := self._open()) is not None:
            kept = self._emptied(journal)
            self._journal = kept if kept.parts else None
            if kept.parts:
                self._save(kept)
            else:
                self.place.delete(self.names.journal)

    def finish(self, *, whole: bool = False) -> None:
        """The manifest, and the end of the journal; nothing where no file was written.

        ``whole``: what is upserted is all that the reader shall hold.
        """
        journal = self._open()
        if journal is None:
            return
        if journal.pending:
            self._delete(journal.pending)
        files = [kept for kept in journal.parts.values() if kept]
        if files:
            rows = sum(kept.rows for kept in files)
            told = {
                **self.about,
                "run": journal.run,
                "whole": whole,
                "rows": rows,
                "files": [asdict(kept) for kept in files],
            }
            self.place.put(self.names.manifest(journal.run), json.dumps(told, indent=1, ensure_ascii=False).encode())
        self.place.delete(self.names.journal)
        self._journal = None

    def _open(self) -> _Journal | None:
        """The journal of the run under way, or of one that was cut off before its manifest."""
        if not self._looked:
            content = self.place.get(self.names.journal)
            if content is not None:
                journal = _Journal.read(content, self.place.where)
                if self.place.get(self.names.manifest(journal.run)) is None:
                    self._journal = journal
                else:
                    self.place.delete(self.names.journal)
            self._looked = True
        return self._journal

    def _settle_pending(self, journal: _Journal, name: str) -> None:
        """Say what is about to be written; what was about to be, under another name, is no part of the run."""
        if journal.pending and journal.pending != name:
            self._delete(journal.pending)
        journal.pending = name
        self._save(journal)

    def _save(self, journal: _Journal) -> None:
        self.place.put(self.names.journal, journal.written())

    def _emptied(self, journal: _Journal) -> _Journal:
        """The journal without the rows of a whole, whose files are taken away."""
        kept = {batch: file for batch, file in journal.parts.items() if file and file.op == "remove"}
        gone = [file.name for batch, file in journal.parts.items() if file and batch not in kept]
        for name in [*gone, *([journal.pending] if journal.pending else [])]:
            self._delete(name)
        return _Journal(journal.run, dict(kept))

    def _delete(self, name: str) -> None:
        self.place.delete(name)
        if self.checksums:
            self.place.delete(f"{name}.sha256")
