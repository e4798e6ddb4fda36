"""The file of an erasure under way: what is looked for, sealed under the hub's salt, gone when the work is done."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import msgspec

from snello.cli.subject.holds import Hold
from snello.cli.subject.person import Identifier, Person
from snello.errors import ConfigError, ContractError
from snello.kit.channel.sealing import Seal
from snello.kit.places import state_folder, write_private

SEALED, CLEAR = ".sealed", ".json"
"""Endings: of the file, and of one of an older hub, which wrote it in clear."""


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


def open_case(erasure: str, person: Person, holds: tuple[Hold, ...], salt: str) -> None:
    """Write the file, before the erasure is begun."""
    _write(erasure, Case(person.customers, person.identifiers, tuple(sorted(person.records)), holds), salt)


def read_case(erasure: str, salt: str) -> Case:
    """The case of an erasure; one that an older hub left in clear is sealed first.

    Raises ``ContractError`` when its file is gone, ``ConfigError`` when it was sealed under another salt.
    """
    clear = _file(erasure, CLEAR)
    if clear.exists():
        _write(erasure, msgspec.json.decode(clear.read_bytes(), type=Case), salt)
        clear.unlink()
    try:
        [told] = Seal(salt).open(_file(erasure).read_text())
    except FileNotFoundError:
        what = "the file that says what to look for is not on this machine"
        cure = "put the state folder (SNELLO_STATE) back, or erase by the identifier again"
        raise ContractError(f"erasure {erasure}", what, cure) from None
    except ConfigError:
        what = "the file that says what to look for was sealed under another salt"
        raise ConfigError(f"erasure {erasure}", what, "give SNELLO_SALT its old value") from None
    return msgspec.json.decode(told, type=Case)


def close_case(erasure: str) -> None:
    """Remove the file."""
    for ending in (SEALED, CLEAR):
        _file(erasure, ending).unlink(missing_ok=True)


def sweep_cases(erasures: Collection[str]) -> None:
    """Remove the files of all but these erasures: of one that was killed as it began, or as it ended."""
    for path in state_folder("erasures").iterdir():
        if path.suffix in (SEALED, CLEAR) and path.stem not in erasures:
            path.unlink(missing_ok=True)


def _write(erasure: str, case: Case, salt: str) -> None:
    sealed = Seal(salt).shut((msgspec.json.encode(case).decode(),))
    write_private(_file(erasure), sealed.encode())


def _file(erasure: str, ending: str = SEALED) -> Path:
    return state_folder("erasures") / f"{erasure}{ending}"
