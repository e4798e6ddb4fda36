"""Two that were named, as a tree: one person and how, or two and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from snello.cli.screen import Block, Branch, Line, figure
from snello.cli.tables import Row
from snello.cli.why.joined import told
from snello.cli.why.two import Two

SHOWN = 5


def page(two: Two) -> Iterator[Block]:
    """The tree, what decides first."""
    one, other = two.one["given"], two.other["given"]
    if two.is_one:
        yield Branch(f"one person: {one} and {other} are customer {two.one['customer_id']}", tuple(_one(two)), "title")
        return
    yield Branch(f"two people: {_who(two.one)} and {_who(two.other)}", tuple(_several(two)), "title")
    if two.reviews:
        yield Line(f"Next: snello review --accept {two.reviews[0]['pair']}, or --reject")
    elif not two.contradictions and not any(row["verb"] == "apart" for row in two.decisions):
        yield Line(f"Next: if they are one person, snello link {one} {other} --reason ...")


def _who(side: Row) -> str:
    return f"{side['given']} of customer {side['customer_id']}" if side["record"] else f"customer {side['customer_id']}"


def _one(two: Two) -> Iterator[Branch]:
    yield from _decisions(two)
    for row in two.path:
        yield Branch(f"{row['left_record']} = {row['right_record']}: {told(row['rule'])} ({figure(row['strength'])})")
    yield from _events(two)
    if not two.path and two.one["record"] and two.other["record"] and two.one["record"] != two.other["record"]:
        yield Branch("by an address of which the customer is the only owner", mark="dim")


def _several(two: Two) -> Iterator[Branch]:
    yield from _decisions(two)
    reasons: dict[str, list[Row]] = {}
    for row in two.contradictions:
        reasons.setdefault(row["reason"], []).append(row)
    for reason, rows in reasons.items():
        held = (
            f"{row['left_record']} ({row['left_kind']}) and {row['right_record']} ({row['right_kind']})" for row in rows
        )
        yield Branch(f"cannot be one person: {reason}", _some(held), "bad")
    yield from _refused(two.cuts)
    for row in two.reviews:
        yield Branch(f"waits for a decision ({row['pair']}): {row['reason']}", mark="warn")
    if not two.cuts and not two.reviews:
        yield Branch("no rule reaches from one to the other, and likelihood does not", mark="dim")
    yield from _events(two)
    for verdict, facts in two.compared.items():
        if facts:
            yield Branch(f"{verdict}: {', '.join(facts)}", mark="dim" if verdict == "not known" else None)


def _decisions(two: Two) -> Iterator[Branch]:
    verbs = {"apart": "kept apart", "link": "linked"}
    for row in two.decisions:
        applied = (row["verb"] == "link") == two.is_one
        waits = "" if applied else "; the next run applies it"
        text = f"{verbs[row['verb']]} by decision {row['decision']} of {row['author']}, {figure(row['decided_at'])}"
        yield Branch(f"{text}: {row['reason']}{waits}", mark="ok" if row["verb"] == "link" else "bad")


def _refused(cuts: list[Row]) -> Iterator[Branch]:
    reasons: dict[str, dict[tuple[str, str], list[str]]] = {}
    for row in cuts:
        pairs = reasons.setdefault(row["reason"], {})
        pairs.setdefault((row["left_record"], row["right_record"]), []).append(row["rule"])
    for reason, pairs in reasons.items():
        held = (f"{left} and {right}: {', '.join(rules)}" for (left, right), rules in pairs.items())
        yield Branch(f"evidence that did not join them: {reason}", _some(held), "warn")


def _events(two: Two) -> Iterator[Branch]:
    for row in two.events:
        cause = f": {row['cause']}" if row["cause"] else ""
        yield Branch(
            f"{figure(row['happened_at'])} {row['event']} of {row['customer_id']} with {row['from_customer_id']}{cause}"
        )


def _some(texts: Iterable[str]) -> tuple[Branch, ...]:
    every = [Branch(text) for text in texts]
    rest = len(every) - SHOWN
    return (*every[:SHOWN], *((Branch(f"and {rest} more (--json has all)", mark="dim"),) if rest > 0 else ()))
