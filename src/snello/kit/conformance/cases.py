"""The cases of a suite, found by their decorator: a case's name is the promise that it proves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

Trial = TypeVar("Trial")
Ability = TypeVar("Ability", bound=str)


class Beginning(Protocol):
    """What brings up the other side, with what that cannot do."""

    @property
    def lacks(self) -> Mapping[Any, str]:
        """Abilities that are missing, each with the reason."""


Start = TypeVar("Start", bound=Beginning)


@dataclass(frozen=True)
class Case(Generic[Trial]):
    """One promise; ``needs``: abilities of the other side without which it says nothing."""

    name: str
    check: Callable[[Trial], None]
    needs: frozenset[str]

    def applies_to(self, start: Beginning) -> bool:
        """Whether the other side can do what the case needs."""
        return not self.needs & set(start.lacks)


@dataclass
class Suite(Generic[Trial, Ability]):
    """The cases of one suite, in the order in which they were written."""

    cases: list[Case[Trial]] = field(default_factory=list)

    def case(self, *needs: Ability, name: str = "") -> Callable[[Callable[[Trial], None]], Callable[[Trial], None]]:
        """Make a function a case, called as the function is, without the underscore in front."""

        def known(check: Callable[[Trial], None]) -> Callable[[Trial], None]:
            self.cases.append(Case(name or check.__name__.lstrip("_"), check, frozenset(needs)))
            return check

        return known

    def cases_of(self, starts: Iterable[Start]) -> list[tuple[Start, Case[Trial]]]:
        """Each case with each start to which it applies."""
        return [(start, case) for start in starts for case in self.cases if case.applies_to(start)]
