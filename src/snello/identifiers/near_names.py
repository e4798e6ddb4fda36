"""Which known given names and short forms a word may have been meant to be: those one slip of the keyboard away."""

from __future__ import annotations

from collections import defaultdict
from functools import cache, lru_cache

from snello.identifiers import tables


def less(word: str) -> set[str]:
    """The word, and what is left of it without any one of its letters; two words a slip apart have one in common."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


@cache
def _known() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name in sorted(tables.given_names() | tables.nicknames().keys()):
        for rest in less(name):
            found[rest].append(name)
    return dict(found)


@lru_cache(maxsize=65_536)
def near(word: str) -> frozenset[str]:
    """Known names that ``word`` may be a slip of, all of four letters or more, and some that are further."""
    known = _known() if len(word) >= 4 else {}
    return frozenset(name for rest in less(word) for name in known.get(rest, ()) if len(name) >= 4)
