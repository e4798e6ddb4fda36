"""The cases of the suite, found by their decorator: a case's name is the promise that it proves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from snello.kit.conformance.taps.subject import Ability, Start
from snello.kit.conformance.taps.trial import Trial

Check = Callable[[Trial], None]


@dataclass(frozen=True)
class Case:
    """One promise; ``needs``: abilities of the source without which it says nothing."""

    name: str
    check: Check
    needs: frozenset[Ability]

    def applies_to(self, start: Start) -> bool:
        """Whether the source can do what the case needs."""
        return not self.needs & set(start.lacks)


CASES: list[Case] = []


def case(*needs: Ability, name: str = "") -> Callable[[Check], Check]:
    """Make a function a case, called as the function is, without the underscore in front."""

    def known(check: Check) -> Check:
        CASES.append(Case(name or check.__name__.lstrip("_"), check, frozenset(needs)))
        return check

    return known


def cases_of(starts: Iterable[Start]) -> list[tuple[Start, Case]]:
    """Each case with each source to which it applies."""
    return [(start, case) for start in starts for case in CASES if case.applies_to(start)]
