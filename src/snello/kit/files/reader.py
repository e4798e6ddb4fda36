"""The files of one layout, told apart into new, known and unsettled, and read to typed tables."""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import cached_property
from typing import IO, Any

import pyarrow as pa

from snello.errors import ContractError, SnelloError
from snello.kit.files.checksums import check, is_companion
from snello.kit.files.chunks import Refusal
from snello.kit.files.drift import Drift
from snello.kit.files.drops import in_order, is_delta
from snello.kit.files.faults import faults_of_reading
from snello.kit.files.known import KnownFiles
from snello.kit.files.layout import Column, FileSet
from snello.kit.files.parts import is_compressed, parts
from snello.kit.files.places import Found, find
from snello.kit.files.reading import Source, columns_in, read_part
from snello.kit.files.repeats import Repeats
from snello.kit.files.waiting import Queue, Waiting
from snello.kit.files.whole import Whole

JOINED_BYTES = 256 << 20

Refuse = Callable[[str, list[Refusal]], None]


class LayoutReader:
    """Reads what is new of one layout.

    - ``counts``: rows, refused rows, and files read, unchanged and unsettled
    - ``broken``: faults of files that could not be read; they do not stop the others
    - ``whole``: what compares one full file with the one before, for layouts that ask for it
    """

    whole: Whole | None = None

    def __init__(self, where: str, layout: FileSet, options: dict[str, Any], settle_seconds: int = 0) -> None:
        self.where, self.layout = where, layout
        self._options, self._settle = layout.storage_options or options, settle_seconds
        self._logger = logging.getLogger(where.partition(":")[0])
        self.counts: Counter[str] = Counter()
        self.broken: list[SnelloError] = []
        self.drift = Drift(layout.ignore)

    @cached_property
    def _found(self) -> list[Found]:
        found = find(self.layout.path, self._options, self.where)
        return [each for each in found if not is_companion(each.name, self.layout)]

    @cached_property
    def _settled(self) -> list[Found]:
        """The files that nobody seems to write any more."""
        asked = self.layout.path.rpartition("/")[2]
        now = time.time()
        settled = []
        for found in self._found:
            under_way = found.is_under_way and not Found(asked, "", 0, 0, "", None).is_under_way
            if under_way or now - found.modified < self._settle:
                self.counts["unsettled"] += 1
            else:
                settled.append(found)
        return in_order(settled, self.layout) if self.layout.whole else settled

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The declared columns, else those that the first file names."""
        if self.layout.columns:
            return self.layout.resolved()
        try:
            # of full files the newest decides, of the others the first
            for found in reversed(self._settled) if self.layout.whole else self._settled:
                where = f"{self.where}: {found.name}"
                with (
                    found.fetched(where) as copy,
                    faults_of_reading(where),
                    closing(parts(found.name, copy.path, self.layout)) as pieces,
                ):
                    for name, raw in pieces:
                        return columns_in(raw, self.layout, f"{self.where}: {name}")
        except SnelloError:
            return ()  # the same fault is told when the file's rows are to be read
        return ()

    def tables(self, known: KnownFiles, refuse: Refuse, done: Callable[[], None], rows: int = 1) -> Iterator[pa.Table]:
        """Typed tables of every new or changed file, small ones of a file joined until they hold ``rows`` rows.

        - ``refuse`` is called with the rows that were set apart
        - ``done`` is called when a file was read to its end and is noted as known
        """
        try:
            for waiting in self._waiting(known):
                yield from self._tables_of(waiting, known, refuse, done, rows)
        except SnelloError as fault:
            self._break(fault)

    def _waiting(self, known: KnownFiles) -> Iterator[Waiting]:
        if not self._found:
            what = f"no file matches {self.layout.path}"
            if self.layout.required:
                raise ContractError(self.where, what, "check path, or set required to false")
            self._logger.warning("%s: %s", self.where, what)
        settled = [found for found in self._settled if self._has_place(found)]
        queue = Queue(self.layout, known, self._found, settled, self.counts)
        yield from queue.each() if self.whole is None else queue.full_and_changes(self.whole)

    def _has_place(self, found: Found) -> bool:
        if not self.layout.order or re.search(self.layout.order, found.name.rpartition("/")[2]):
            return True
        what = "its name lacks the part by which files are put in order, so it is left alone"
        self._break(ContractError(f"{self.where}: {found.name}", what, "rename it, or mend order in the settings"))
        return False

    def _tables_of(
        self, waiting: Waiting, known: KnownFiles, refuse: Refuse, done: Callable[[], None], rows: int
    ) -> Iterator[pa.Table]:
        found = waiting.found
        where = f"{self.where}: {found.name}"
        try:
            with found.fetched(where) as copy:
                if known.is_read(found, copy.version) and not waiting.again:
                    self.counts["unchanged"] += 1
                    return
                if waiting.missed:
                    self.counts["late"] += 1
                    what = f"is late, and {waiting.missed} files of changes that come after it are not there any more"
                    cure = "put those back, or send a full file"
                    self._logger.warning("%s: %s %s. Next: %s", self.where, found.name, what, cure)
                    return
                if not self._stands(found, "was still being written; it is left for the next run"):
                    self.counts["unsettled"] += 1
                    return
                check(found, copy, self.layout, where)
                with faults_of_reading(where):
                    if self.whole is not None:
                        self._prove(self.whole, copy.path, found)
                    yield from self._tables_at(copy.path, found, refuse, rows)
                self.counts["read"] += 1
                if found.is_here and not self._stands(found, "changed while it was read; it will be read again"):
                    return
                if self.whole is not None and is_delta(found.name, self.layout):
                    self.whole.changed()
                elif self.whole is not None:
                    yield from self.whole.gone(self.columns, found)
        except SnelloError as fault:
            self._break(fault)
            return
        known.remember(found, copy.version, {file.name for file in self._found})
        done()

    def _stands(self, found: Found, otherwise: str) -> bool:
        """Whether the file is still the one that was found; if not, say so."""
        stands = found.is_same_as(found.again(f"{self.where}: {found.name}"))
        if not stands:
            self._logger.warning("%s: %s %s", self.where, found.name, otherwise)
        return stands

    def _tables_at(self, path: str, found: Found, refuse: Refuse, rows: int) -> Iterator[pa.Table]:
        for name, raw in parts(found.name, path, self.layout):
            is_told_apart = self.layout.is_told_apart and not is_delta(found.name, self.layout)
            yield from _joined(self._tables_of_part(raw, name, refuse, is_told_apart), rows)

    def _prove(self, whole: Whole, path: str, found: Found) -> None:
        """Read a full file to its end before a row of it is sent, and note its keys."""
        whole.begin()
        for name, raw in parts(found.name, path, self.layout):
            source = Source(raw, name, f"{self.where}: {name}")
            for rows in read_part(source, self.layout, self.columns, self.drift):
                whole.note(rows.keys, rows.unread)
        whole.proven(self.layout.checksum != "none" or is_compressed(path, self.layout))

    def _tables_of_part(self, raw: IO[bytes], name: str, refuse: Refuse, is_told_apart: bool) -> Iterator[pa.Table]:
        source = Source(raw, name, f"{self.where}: {name}")
        repeats = Repeats(self.layout.keys) if is_told_apart else None
        for rows in read_part(source, self.layout, self.columns, self.drift, repeats):
            if rows.refused:
                self.counts["refused"] += len(rows.refused)
                refuse(name, rows.refused)
            if rows.table.num_rows:
                self.counts["rows"] += rows.table.num_rows
                yield rows.table
        self.counts["taken"] += repeats.count if repeats is not None else 0

    def _break(self, fault: SnelloError) -> None:
        self._logger.error("%s", fault)
        self.broken.append(fault)

    def tell(self) -> None:
        """Log what was read; warn of refused rows, undeclared columns and files left for the next run."""
        counts = self.counts
        kinds = ("read", "unchanged", "unsettled", "superseded", "late")
        files = [f"{kind}: {counts[kind]}" for kind in kinds if counts[kind]]
        self._logger.info("%s: %s rows; files %s", self.where, counts["rows"], ", ".join(files) or "read: 0")
        if counts["refused"]:
            self._logger.warning("%s: %s rows refused, see stream _quarantine", self.where, counts["refused"])
        if counts["taken"]:
            what = "of them have the key of an earlier row of their file, and other content"
            cure = "mend the file, or name all keys, or set journal"
            self._logger.warning("%s: %s %s. Next: %s", self.where, counts["taken"], what, cure)
        if counts["unsettled"]:
            what = "may still be written and are left for the next run"
            self._logger.warning("%s: %s files %s", self.where, counts["unsettled"], what)
        if self.drift:
            self._logger.warning("%s: %s", self.where, self.drift)


def _joined(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(each.num_rows for each in waiting) >= rows or sum(each.nbytes for each in waiting) >= JOINED_BYTES:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)
