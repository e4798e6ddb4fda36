"""Errors by what the reader does next.

    SnelloError
    ├── ConfigError      exit 2   the configuration is wrong: mend it, run again
    ├── ContractError    exit 3   two parts disagree on a shape: mend the source or the schema
    ├── RetryLater       exit 4   the other side is down, full or busy: run again, nothing is lost
    ├── RowsRefused      exit 5   the run went through, some rows did not: read the receipts or the quarantine
    └── BreakerOpen      exit 6   nothing was sent: the change is larger than agreed

A message reads ``where: what. Next: cure.`` and carries no record, response body or secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class SnelloError(Exception):
    """A foreseeable fault, told in one sentence.

    - ``where``: the plugin, stream, file or setting at fault
    - ``what``: the fault, without personal data
    - ``cure``: what the reader does next
    """

    exit_code = 1

    def __init__(self, where: str, what: str, cure: str) -> None:
        self.where, self.what, self.cure = where, what.rstrip("."), cure.rstrip(".")
        super().__init__(f"{self.where}: {self.what}. Next: {self.cure}.")


class ConfigError(SnelloError):
    """The configuration is wrong: mend it and run again."""

    exit_code = 2


class ContractError(SnelloError):
    """Two parts disagree on the shape of what passes between them."""

    exit_code = 3


class RetryLater(SnelloError):
    """The other side is down, full or busy; the same command may succeed later."""

    exit_code = 4


class RowsRefused(SnelloError):
    """Everything ran; some rows were refused and say why."""

    exit_code = 5


class BreakerOpen(SnelloError):
    """A sync was stopped before its first call because the change is larger than agreed."""

    exit_code = 6


def choices(given: str, valid: Iterable[str]) -> str:
    """The valid values of a setting as text, the nearest one first in a *did you mean*."""
    names = sorted(valid)
    near = get_close_matches(given, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}valid: {', '.join(names)}"
