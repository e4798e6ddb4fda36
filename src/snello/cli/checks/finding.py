"""What a check found: it holds, or a fault with its cure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from snello.errors import SnelloError


@dataclass(frozen=True)
class Finding:
    """One question and its answer; ``exit_code`` 0 means that it holds, and ``told`` is the fault in one sentence."""

    area: str
    subject: str
    told: str = ""
    exit_code: int = 0


@dataclass
class Findings:
    """The answers so far, each one given once; a fault never stops the questions that follow."""

    area: str
    found: list[Finding] = field(default_factory=list)

    @contextmanager
    def ask(self, subject: str) -> Iterator[None]:
        """Record that ``subject`` holds, or the ``SnelloError`` that the block raises."""
        try:
            yield
        except SnelloError as fault:
            self.found.append(Finding(self.area, subject, str(fault), fault.exit_code))
        else:
            self.found.append(Finding(self.area, subject))
