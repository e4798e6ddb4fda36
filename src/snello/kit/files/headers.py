"""Where the declared columns stand in a file that names its columns."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from snello.errors import ContractError
from snello.kit.files.layout import Column

ABSENT = -1


def positions(header: Sequence[str], columns: tuple[Column, ...], where: str) -> list[int]:
    """Index of each column in the header; ``ABSENT`` for one that may be and is.

    Raises ``ContractError`` naming the first column that is missing or there twice. The header itself is not told: in
    a file without one it would be somebody's data; only a name close to the missing one is.
    """
    names = [name.strip() for name in header]
    found: list[int] = []
    for column in columns:
        count = names.count(column.header)
        if count == 0 and column.optional:
            found.append(ABSENT)
            continue
        if count == 0:
            raise ContractError(where, f"the header has no column {column.header!r}", _cure(column.header, names))
        if count > 1:
            raise ContractError(where, f"the header names {column.header!r} {count} times", "give each column one name")
        found.append(names.index(column.header))
    return found


def undeclared(header: Sequence[str], picked: Sequence[int]) -> dict[str, int]:
    """Name and index of the columns that no declared column took; a number, where the name is absent or there twice."""
    names = [name.strip() for name in header]
    left = [index for index in range(len(names)) if index not in picked]
    return {
        names[index] if names[index] and names.count(names[index]) == 1 else f"column {index + 1}": index
        for index in left
    }


def _cure(missing: str, names: list[str]) -> str:
    near = get_close_matches(missing, names, n=1, cutoff=0.7)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}mend the file, or columns, delimiter and encoding in the settings"
