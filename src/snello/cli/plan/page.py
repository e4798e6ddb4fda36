"""A plan as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator

from snello.cli.plan.plan import Plan
from snello.cli.screen import Block, Grid, Line


def page(plan: Plan) -> Iterator[Block]:
    """People, golden values, audiences, what to look at first, and what to do next."""
    people = plan.people
    if not any(plan.counts().values()):
        yield Line(f"nothing would change: {people['people']:,} people as published", "ok")
        return
    yield Grid("People", tuple(people), [list(people.values())])
    if plan.values:
        yield Line("")
        rows = [[row["attribute"], row["changed"]] for row in plan.values]
        yield Grid("Golden values, customers that have another one", ("attribute", "changed"), rows)
    if plan.audiences:
        yield Line("")
        columns = ("sync", "members", "adds", "removes", "updates")
        yield Grid("Audiences", columns, [[row[name] for name in columns] for row in plan.audiences])
    if plan.examples:
        yield Line("")
        told = ("what", "customer_id", "why")
        yield Grid("To look at first", told, [[row[name] for name in told] for row in plan.examples])
    if plan.over():
        return
    yield Line("")
    yield Line("Next: snello apply publishes exactly this; meltano run unify builds it anew and publishes that")
