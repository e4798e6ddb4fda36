"""Full files and files of changes: which is which, and in which order they count."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatch

from snello.kit.files.layout import FileSet
from snello.kit.files.places import Found

Rank = tuple[float, str]


def rank_of(name: str, modified: float, layout: FileSet) -> Rank:
    """The place of a file among the others: by its name where the layout says so, else by its time of change.

    A name without the part that counts stands before all others.
    """
    plain = name.rpartition("/")[2]
    if layout.order is None:
        return modified, plain
    met = re.search(layout.order, plain)
    return 0.0, re.sub(r"[^0-9A-Za-z]", "", met[1] or "") if met else ""


def is_delta(name: str, layout: FileSet) -> bool:
    """Whether a file holds only changes."""
    return layout.deltas is not None and fnmatch(name.rpartition("/")[2], layout.deltas)


def in_order(files: Sequence[Found], layout: FileSet) -> list[Found]:
    """The files as they count, oldest first."""
    return sorted(files, key=lambda found: (*rank_of(found.name, found.modified, layout), found.name))
