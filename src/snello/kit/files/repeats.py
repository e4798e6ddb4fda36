"""Rows of one file that have the key of an earlier one and other content: which they are, and whose key it is.

Of each key that is met two hashes and a line are kept, sorted, and a few cells of a filter that says of most keys that
they are new: 32 to 40 bytes a row, whatever is in it. Two keys share a hash in one file of ten million rows out of
370,000; the row is then refused, not lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from snello.kit.files.layout import FILE, LINE

CELLS = 8  # of the filter, a row at least
RUNS = 8  # of about one length become one
LARGEST_RUN = 1 << 20  # no longer ones are made: that would take as much memory again

Hashes = NDArray[np.uint64]


class _Met(NamedTuple):
    """Rows in the order of the hashes of their keys."""

    keys: Hashes
    contents: Hashes
    lines: NDArray[np.int64]

    def at(self, places: NDArray[np.int64] | NDArray[np.bool_]) -> _Met:
        return _Met(self.keys[places], self.contents[places], self.lines[places])


class Repeats:
    """What has been met of one file.

    - ``count``: rows found so far that contradict an earlier one
    """

    def __init__(self, keys: Sequence[str]) -> None:
        import duckdb  # takes long to import, and many a run finds no file to read

        self._keys = tuple(keys)
        self._engine = duckdb.connect(":memory:", config={"threads": 1})
        self._runs: list[_Met] = []
        self._held = 0
        self._cells = np.zeros(1 << 17, bool)
        self.count = 0

    def contradicting(self, table: pa.Table) -> dict[int, int]:
        """Rows whose key came before with other content, each with the line of the row that had it first."""
        if not table.num_rows:
            return {}
        keys, contents = self._hashed(table)
        order = np.argsort(keys, kind="stable")
        rows = _Met(keys, contents, table.column(LINE).to_numpy()).at(order)
        begins = np.concatenate([[True], rows.keys[1:] != rows.keys[:-1]])
        firsts = rows.at(np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0)))
        known = self._recall(rows.keys, firsts)
        self._keep(rows.at(begins & ~known))
        wrong = np.flatnonzero(rows.contents != firsts.contents)
        self.count += len(wrong)
        return dict(sorted(zip(order[wrong].tolist(), firsts.lines[wrong].tolist(), strict=True)))

    def _hashed(self, table: pa.Table) -> tuple[Hashes, Hashes]:
        """Of each row, a hash of its key and one of all the rest but its place."""
        names = {column: f"c{index}" for index, column in enumerate(table.column_names)}
        keys = [names[key] for key in self._keys]
        others = [name for column, name in names.items() if column not in (*self._keys, FILE, LINE)]
        self._engine.register("met", table.rename_columns(list(names.values())))
        query = f"select hash({', '.join(keys)}) as key, hash({', '.join(others)}) as content from met"
        found = self._engine.execute(query).fetchnumpy()
        self._engine.unregister("met")
        return found["key"], found["content"]

    def _recall(self, keys: Hashes, firsts: _Met) -> NDArray[np.bool_]:
        """Which keys came in an earlier table; what was kept of those is put into ``firsts``."""
        known = np.zeros(len(keys), bool)
        likely = np.flatnonzero(self._cells[self._cell(keys)])
        for run in self._runs:
            places = np.minimum(run.keys.searchsorted(keys[likely]), len(run.keys) - 1)
            met = run.keys[places] == keys[likely]
            rows, found = likely[met], run.at(places[met])
            known[rows], firsts.contents[rows], firsts.lines[rows] = True, found.contents, found.lines
        return known

    def _keep(self, new: _Met) -> None:
        if not len(new.keys):
            return
        self._held += len(new.keys)
        unseen = [new]
        if self._held * CELLS > len(self._cells):
            self._cells, unseen = np.zeros(2 * len(self._cells), bool), [*self._runs, new]
        for run in unseen:
            self._cells[self._cell(run.keys)] = True
        self._runs.append(new)
        while len(self._runs) >= RUNS and len(self._runs[-RUNS].keys) <= min(2 * len(new.keys), LARGEST_RUN // RUNS):
            both = _Met(*map(np.concatenate, zip(*self._runs[-RUNS:], strict=True)))
            new = both.at(np.argsort(both.keys))
            self._runs[-RUNS:] = [new]

    def _cell(self, keys: Hashes) -> Hashes:
        return keys & np.uint64(len(self._cells) - 1)
