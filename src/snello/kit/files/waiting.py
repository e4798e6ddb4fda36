"""Which files a run must read, and in which order.

Rows replace themselves by key, so what is read last stays. A file of changes that arrives late is therefore read
together with all that follow it: then the last word is again the newest file's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from snello.kit.files.drops import is_delta, rank_of
from snello.kit.files.known import KnownFiles
from snello.kit.files.layout import FileSet
from snello.kit.files.places import Found
from snello.kit.files.whole import Whole


class Waiting(NamedTuple):
    """A file to be read.

    - ``again``: also when its content is known, because one before it was read
    - ``missed``: how many files of changes were read, come after it and are there no more
    """

    found: Found
    again: bool = False
    missed: int = 0


class Queue:
    """The files of one layout that a run found.

    - ``files``: all of them; ``settled``: those that nobody writes any more, in the order in which they count
    - ``counts``: the reader's; it tells how many files have been read
    """

    def __init__(
        self, layout: FileSet, known: KnownFiles, files: Sequence[Found], settled: Sequence[Found], counts: Counter[str]
    ) -> None:
        self._layout, self._known, self._counts = layout, known, counts
        self._present = {found.name for found in files}
        self._settled = settled

    def each(self) -> Iterator[Waiting]:
        """Every new or changed file."""
        for found in self._settled:
            if not self._is_known(found):
                yield Waiting(found)

    def full_and_changes(self, whole: Whole) -> Iterator[Waiting]:
        """The newest full file when it is new, then the files of changes after it, from the first new one on."""
        read = self._counts["read"]
        changes = [found for found in self._settled if is_delta(found.name, self._layout)]
        fulls = [found for found in self._settled if not is_delta(found.name, self._layout)]
        for found in fulls[-1:]:
            if not self._is_known(found) and whole.is_newer(found):
                yield Waiting(found)
        after = [found for found in changes if whole.is_after(found)]
        self._counts["superseded"] += max(len(fulls) - 1, 0) + len(changes) - len(after)
        for found in after:
            is_anew = self._counts["read"] > read
            if is_anew or not self._is_known(found):
                yield Waiting(found, is_anew, self._missed(found))

    def _is_known(self, found: Found) -> bool:
        unchanged = self._known.unchanged(found)
        self._counts["unchanged"] += unchanged
        return unchanged

    def _missed(self, found: Found) -> int:
        rank = rank_of(found.name, found.modified, self._layout)
        gone = {name: then for name, then in self._known.names().items() if name not in self._present}
        return sum(
            is_delta(name, self._layout) and rank_of(name, then, self._layout) > rank for name, then in gone.items()
        )
