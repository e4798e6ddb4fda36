"""The file of an erasure under way: what is looked for, in clear, for its owner alone, gone when the work is done."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import msgspec

from snello.cli.subject.holds import Hold
from snello.cli.subject.person import Identifier, Person
from snello.errors import ContractError
from snello.kit.places import state_folder, write_private


@dataclass(frozen=True)
class Case:
    """Whom an erasure is about, and what stays of them."""

    customers: tuple[str, ...]
    identifiers: tuple[Identifier, ...]
    records: tuple[tuple[str, str, str], ...]
    holds: tuple[Hold, ...]

    @property
    def person(self) -> Person:
        """The person."""
        return Person(self.customers, self.identifiers, frozenset(self.records))

    @property
    def kept(self) -> set[tuple[str, str]]:
        """The streams whose rows stay."""
        return {(hold.source, hold.stream) for hold in self.holds}


def open_case(erasure: str, person: Person, holds: tuple[Hold, ...]) -> None:
    """Write the file, before the erasure is begun."""
    case = Case(person.customers, person.identifiers, tuple(sorted(person.records)), holds)
    write_private(_file(erasure), msgspec.json.encode(case))


def read_case(erasure: str) -> Case:
    """The case of an erasure; raises ``ContractError`` when its file is gone."""
    try:
        return msgspec.json.decode(_file(erasure).read_bytes(), type=Case)
    except FileNotFoundError:
        what = "the file that says what to look for is not on this machine"
        cure = "put the state folder (SNELLO_STATE) back, or erase by the identifier again"
        raise ContractError(f"erasure {erasure}", what, cure) from None


def close_case(erasure: str) -> None:
    """Remove the file."""
    _file(erasure).unlink(missing_ok=True)


def sweep_cases(erasures: Collection[str]) -> None:
    """Remove the files of all but these erasures: of one that was killed as it began, or as it ended."""
    for path in state_folder("erasures").glob("*.json"):
        if path.stem not in erasures:
            path.unlink(missing_ok=True)


def _file(erasure: str) -> Path:
    return state_folder("erasures") / f"{erasure}.json"
