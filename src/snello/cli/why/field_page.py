"""One golden value as a tree: the winner, who lost and by which criterion, and what each purpose sees."""

from __future__ import annotations

from collections.abc import Iterator

from snello.cli.screen import Block, Branch, figure
from snello.cli.tables import Row
from snello.cli.why.field import Field


def page(field: Field) -> Iterator[Block]:
    """The tree of one field, the winner first."""
    customer = field.customer
    name = " ".join(part for part in (customer["first_name"], customer["last_name"]) if part) or "(no name)"
    view = f" as {field.purpose} may know it" if field.purpose else ""
    yield Branch(
        f"{field.field} of {name} · customer {customer['customer_id']}{view}: {figure(field.value)}",
        tuple(_branches(field)),
        "title",
    )


def _branches(field: Field) -> Iterator[Branch]:
    if field.candidates:
        yield Branch(f"decided by {', '.join(field.criteria)}, in this order", mark="dim")
        yield Branch(f"candidates ({len(field.candidates)})", tuple(map(_candidate, field.candidates)), "title")
    else:
        yield Branch("counted from the rows that a purpose may know, or said by nobody", mark="dim")
    seen = (Branch(f"{purpose}: {figure(value)}") for purpose, value in field.by_purpose.items())
    yield Branch("seen by purpose", tuple(seen) or (Branch("no purpose may know this customer", mark="dim"),), "title")


def _candidate(row: Row) -> Branch:
    seen = f", seen {row['observed_at']:%Y-%m-%d}" if row["observed_at"] else ""
    witness = f"[{row['source']}/{row['stream']}/{row['record_key']}, {row['kind']}, {row['rule']}{seen}]"
    if row["won"]:
        return Branch(f"won: {row['value']}  {witness}  for {_purposes(row)}", mark="ok")
    return Branch(f"lost: {row['value']}  {witness}  by {row['lost_to']}; for {_purposes(row)}", mark="dim")


def _purposes(row: Row) -> str:
    return str(row["purposes"] or "no purpose").replace(",", ", ")
