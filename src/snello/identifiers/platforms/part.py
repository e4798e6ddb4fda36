"""One column at a time: what a platform is sent of it, as its rules say of each value alone, at a third of the cost.

What many people share is read once and kept; of what nobody shares the plain values are read as columns are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from snello.identifiers.platforms.columns import COLUMNS
from snello.identifiers.platforms.rule import Rule

Sent: TypeAlias = "list[str | None]"
_KEPT = 100_000  # some 20 MB


class Kept(dict[Any, Any]):
    """What came of values: each is read when first asked for, and all are forgotten when they are too many."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, key: Any) -> Any:
        """Read it, and keep what came of it."""
        if len(self) >= _KEPT:
            self.clear()
        found = self[key] = self._read(key)
        return found


@dataclass(frozen=True)
class Part:
    """The rules of one column, alike but for what they read and its field: three for the birthday at Meta."""

    rules: tuple[Rule, ...]

    @cached_property
    def kept(self) -> Kept:
        """What came of values that many people share; of a pair with the country, where that matters.

        The answers of several rules are kept together: looking up is what costs.
        """
        reads = [_of_pairs(rule) if rule.by_country else rule.sent for rule in self.rules]
        if len(reads) == 1:
            return Kept(reads[0])
        return Kept(lambda key: tuple(read(key) for read in reads))

    def sent_of_one(self, text: str, country: str) -> Sequence[str | None]:
        """What each rule sends of one value."""
        first = self.rules[0]
        if not first.shared:
            return [rule.sent(text, country) for rule in self.rules]
        found = self.kept[(text, country) if first.by_country else text]
        return (found,) if len(self.rules) == 1 else found

    def sent(self, values: Sequence[str | None], countries: Sequence[str]) -> Sequence[Sequence[str | None]]:
        """For each rule, what it sends of each value."""
        first = self.rules[0]
        if not first.shared:
            return [_one_by_one(rule, values, countries) for rule in self.rules]
        keys = zip(values, countries, strict=True) if first.by_country else values
        found = list(map(self.kept.__getitem__, keys))
        return [found] if len(self.rules) == 1 else list(zip(*found, strict=True))


def _of_pairs(rule: Rule) -> Callable[[tuple[str | None, str]], str | None]:
    return lambda pair: rule.sent(*pair)


def _one_by_one(rule: Rule, values: Sequence[str | None], countries: Sequence[str]) -> Sent:
    plain = COLUMNS.get(rule.read)
    if plain is None or rule.clear:
        return list(map(rule.sent, values, countries))
    found = _hashes(plain([value or "" for value in values]))
    if all(found):
        return found
    return [one or rule.sent(value, at) for one, value, at in zip(found, values, countries, strict=True)]


def _hashes(texts: Sequence[str | None]) -> Sent:
    """``sha256`` of each plain text, and nothing of nothing."""
    new = hashlib.sha256
    return [new(text.encode()).hexdigest() if text else None for text in texts]
