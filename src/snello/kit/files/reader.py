"""The files of one layout, told apart into new, known and unsettled, and read to typed tables."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import cached_property
from typing import IO, Any

import pyarrow as pa

from snello.errors import ContractError
from snello.kit.files.chunks import Refusal
from snello.kit.files.known import KnownFiles
from snello.kit.files.layout import Column, FileSet
from snello.kit.files.places import Found, faults_of_reading, find, parts
from snello.kit.files.reading import columns_in, read_part

Refuse = Callable[[str, list[Refusal]], None]


class LayoutReader:
    """Reads what is new of one layout.

    - ``counts``: rows, refused rows, and files read, unchanged and unsettled
    - ``broken``: faults of files that could not be read; they do not stop the others
    """

    def __init__(self, where: str, layout: FileSet, options: dict[str, Any], settle_seconds: int = 0) -> None:
        self.where, self.layout = where, layout
        self._options, self._settle = options, settle_seconds
        self._logger = logging.getLogger(where.partition(":")[0])
        self.counts: Counter[str] = Counter()
        self.broken: list[ContractError] = []

    @cached_property
    def _found(self) -> list[Found]:
        return find(self.layout.path, self._options, self.where)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The declared columns, else those that the first file names."""
        if self.layout.columns:
            return self.layout.resolved()
        try:
            for found in self._found:
                with faults_of_reading(self.where), closing(parts(found, self.layout)) as pieces:
                    for name, raw in pieces:
                        return columns_in(raw, self.layout, f"{self.where}: {name}")
        except ContractError:
            return ()  # the same fault is told when the file's rows are to be read
        return ()

    def tables(self, known: KnownFiles, refuse: Refuse, done: Callable[[], None], rows: int = 1) -> Iterator[pa.Table]:
        """Typed tables of every new or changed file, small ones of a file joined until they hold ``rows`` rows.

        - ``refuse`` is called with the rows that were set apart
        - ``done`` is called when a file was read to its end and is noted as known
        """
        try:
            for found in self._waiting(known):
                yield from self._tables_of(found, known, refuse, done, rows)
        except ContractError as fault:
            self._break(fault)

    def _waiting(self, known: KnownFiles) -> Iterator[Found]:
        if not self._found:
            what = f"no file matches {self.layout.path}"
            if self.layout.required:
                raise ContractError(self.where, what, "check path, or set required to false")
            self._logger.warning("%s: %s", self.where, what)
        now = time.time()
        for found in self._found:
            if now - found.modified < self._settle:
                self.counts["unsettled"] += 1
            elif known.unchanged(found):
                self.counts["unchanged"] += 1
            else:
                yield found

    def _tables_of(
        self, found: Found, known: KnownFiles, refuse: Refuse, done: Callable[[], None], rows: int
    ) -> Iterator[pa.Table]:
        try:
            with faults_of_reading(f"{self.where}: {found.name}"):
                version = found.version()
                for name, raw in parts(found, self.layout):
                    yield from _joined(self._tables_of_part(raw, name, refuse), rows)
                now = found.again()
        except ContractError as fault:
            self._break(fault)
            return
        self.counts["read"] += 1
        if now is None or (now.size, now.modified) != (found.size, found.modified):
            self._logger.warning("%s: %s changed while it was read; it will be read again", self.where, found.name)
            return
        known.remember(found, version, {file.name for file in self._found})
        done()

    def _tables_of_part(self, raw: IO[bytes], name: str, refuse: Refuse) -> Iterator[pa.Table]:
        for table, refused in read_part(raw, self.layout, self.columns, f"{self.where}: {name}", name):
            if refused:
                self.counts["refused"] += len(refused)
                refuse(name, refused)
            if table.num_rows:
                self.counts["rows"] += table.num_rows
                yield table

    def _break(self, fault: ContractError) -> None:
        self._logger.error("%s", fault)
        self.broken.append(fault)

    def tell(self) -> None:
        """Log what was read, and warn of refused rows."""
        counts = self.counts
        files = [f"{kind}: {counts[kind]}" for kind in ("read", "unchanged", "unsettled") if counts[kind]]
        self._logger.info("%s: %s rows; files %s", self.where, counts["rows"], ", ".join(files) or "read: 0")
        if counts["refused"]:
            self._logger.warning("%s: %s rows refused, see stream _quarantine", self.where, counts["refused"])


def _joined(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(each.num_rows for each in waiting) >= rows:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)
