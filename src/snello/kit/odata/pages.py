"""The ways through an entity set of OData, as paging values: behind the last row, by numbers, or by links.

Section numbers are those of OData Protocol 4.01; see docs/contracts/odata.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from snello.kit.http import Answer
from snello.kit.odata.edm import literal
from snello.kit.rest.asking import Ask, Row, Token, number

COUNT = "$['@odata.count']"
_NULLS = "#nulls"  # after a link: the walk is still among the rows whose first value is null


def linked(answer: Answer, name: str = "nextLink") -> str | None:
    """The address in a link of the answer, absolute: relative ones stand under its context (JSON format, 4.3)."""
    document = answer.document if isinstance(answer.document, dict) else {}
    link = document.get(f"@odata.{name}") or document.get(f"@{name}")
    if not isinstance(link, str) or not link:
        return None
    context = document.get("@odata.context") or document.get("@context") or ""
    return urljoin(urljoin(answer.url, context if isinstance(context, str) else ""), link)


@dataclass(frozen=True)
class Keyset:
    """Pages of ``size`` rows in the order of ``by``, each asked for behind the last row of the one before.

    Neither rows that are changed while pages are read nor more rows of one moment than a page holds make this skip
    anything, and a walk that was cut off goes on where it was. The last page is an empty one: a service that hands out
    less than was asked for is thus read to its end, whether it links a next page or not.

    - ``by``: properties and their types, the last ones the keys
    - ``nulls``: the first property may be null; such rows are read first, and in every run
    """

    by: Mapping[str, str]
    size: int
    nulls: bool = False
    first: Token = None

    @property
    def start(self) -> str:
        """The filter of the first page that is not of nulls, before a moment to begin with takes its place."""
        return f"{next(iter(self.by))} ne null" if self.nulls else ""

    def ask(self, token: Token) -> Ask:
        """Nothing for the start of the walk, ``["nulls", ..]``, ``["behind", ..]``, or a link out of an empty page."""
        if isinstance(token, str):
            return Ask(url=token.removesuffix(_NULLS))
        names = list(self.by)
        values = token[1:] if token else []
        if self._phase(token) == "nulls":
            parts = [f"{names[0]} eq null", *([self._behind(names[1:], values)] if values else [])]
            return Ask({"$filter": " and ".join(parts), "$orderby": ",".join(names[1:]), "$top": self.size})
        behind = self._behind(names, values) if values else self.start
        return Ask({**({"$filter": behind} if behind else {}), "$orderby": ",".join(names), "$top": self.size})

    def following(self, answer: Answer, rows: Sequence[Row], token: Token) -> Token:
        """Behind the last row; after the last one with a null the others."""
        among_nulls = self._phase(token) == "nulls"
        if rows:
            last = answer.document["value"][-1]  # as it was written: a moment may be finer than a microsecond
            values = [last.get(name) for name in self.by]
            return ["nulls", *values[1:]] if among_nulls else ["behind", *values]
        link = linked(answer)
        if link:
            return link + _NULLS if among_nulls else link
        return ["start"] if among_nulls else None

    def ahead(self, answer: Answer, rows: Sequence[Row], token: Token) -> Iterator[Token] | None:
        """None: each page needs the row before it."""
        return None

    def total(self, answer: Answer) -> int | None:
        """None: counting costs the service a search of its own."""
        return None

    def _phase(self, token: Token) -> str:
        if isinstance(token, str):
            return "nulls" if token.endswith(_NULLS) else "behind"
        return str(token[0]) if token else ("nulls" if self.nulls else "start")

    def _behind(self, names: Sequence[str], values: Sequence[Any]) -> str:
        """The rows behind these values in the order of the names (there are no tuples to compare)."""
        written = [literal(self.by[name], value) for name, value in zip(names, values, strict=True)]
        same = [f"{name} eq {value}" for name, value in zip(names, written, strict=True)]
        steps = [[*same[:at], f"{names[at]} gt {written[at]}"] for at in range(len(names))]
        found = " or ".join(f"({' and '.join(step)})" if len(step) > 1 else step[0] for step in steps)
        return f"({found})" if len(steps) > 1 else found


@dataclass(frozen=True)
class Skip:
    """Pages of ``size`` rows by the number of rows before them, several at once when there is a total (11.2.6.4).

    - ``order``: what they are ordered by; without it the service orders by something of its own
    """

    order: tuple[str, ...]
    size: int
    first: Token = 0

    def ask(self, token: Token) -> Ask:
        """The page after so many rows; the first one asks for the total too."""
        place = {"$skip": token} if token else {"$count": "true"}
        return Ask({**({"$orderby": ",".join(self.order)} if self.order else {}), "$top": self.size, **place})

    def following(self, answer: Answer, rows: Sequence[Row], token: Token) -> Token:
        """None after a page that is not full."""
        return token + self.size if len(rows) >= self.size else None

    def ahead(self, answer: Answer, rows: Sequence[Row], token: Token) -> Iterator[Token] | None:
        """All other pages, once the total is known."""
        total = self.total(answer)
        return None if total is None else iter(range(token + self.size, total, self.size))

    def total(self, answer: Answer) -> int | None:
        """Rows in all."""
        return number(answer, COUNT)


@dataclass(frozen=True)
class Links:
    """Pages as the service hands them out, each naming the next (11.2.6.7)."""

    first: Token = None

    def ask(self, token: Token) -> Ask:
        """A link is followed as it is."""
        return Ask(url=token)

    def following(self, answer: Answer, rows: Sequence[Row], token: Token) -> Token:
        """The link; None after the last page."""
        return linked(answer)

    def ahead(self, answer: Answer, rows: Sequence[Row], token: Token) -> Iterator[Token] | None:
        """None: each page needs the link of the one before."""
        return None

    def total(self, answer: Answer) -> int | None:
        """None: it is not asked for."""
        return None
