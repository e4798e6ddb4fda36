"""What joined the records of one customer, grouped by what did, the strongest first and nothing twice."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from snello import settings
from snello.cli.tables import Row

_OURS = {
    "decision": "a person's decision",
    "likelihood": "names, dates, homes and contacts taken together",
}


def told(rule: str) -> str:
    """A rule as the project describes it, with its name; the name alone where it is described nowhere."""
    words = _OURS.get(rule) or _described(settings.project_root()).get(rule)
    return f"{words} ({rule})" if words and rule not in words else words or rule


@cache
def _described(root: Path) -> dict[str, str]:
    seed = root / "transform" / "seeds" / "identity_rules.csv"
    if not seed.exists():
        return {}
    with seed.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    return {row.get("rule", ""): (row.get("description") or "").partition(";")[0] for row in rows}


def groups(joins: Iterable[Row]) -> Iterator[tuple[str, list[list[str]], str]]:
    """For each rule that joins records not yet together: its name, the records that it joins, and how strongly.

    What only says again what stronger rules said is left out; see ``confirmed``.
    """
    together: dict[str, str] = {}
    for rule, rows in _by_rule(joins).items():
        new = [row for row in rows if _top(together, row["left_record"]) != _top(together, row["right_record"])]
        if not new:
            continue
        own: dict[str, str] = {}
        for row in rows:
            for parents in (own, together):
                parents[_top(parents, row["left_record"])] = _top(parents, row["right_record"])
        members: dict[str, list[str]] = {}
        for record in sorted({row[side] for row in rows for side in ("left_record", "right_record")}):
            members.setdefault(_top(own, record), []).append(record)
        strengths = sorted({f"{row['strength']:.2f}" for row in rows})
        yield rule, sorted(members.values()), " to ".join(dict.fromkeys((strengths[0], strengths[-1])))


def confirmed(joins: Iterable[Row]) -> list[str]:
    """The rules that join nobody whom a stronger one had not joined."""
    rows = list(joins)
    needed = {rule for rule, _, _ in groups(rows)}
    return [rule for rule in _by_rule(rows) if rule not in needed]


def _by_rule(joins: Iterable[Row]) -> dict[str, list[Row]]:
    """The joins of each rule, the rule with the strongest of all first; likelihood last, since rules say more."""
    found: dict[str, list[Row]] = {}
    for row in sorted(joins, key=lambda row: (row["rule"] == "likelihood", -row["strength"], row["rule"])):
        found.setdefault(row["rule"], []).append(row)
    return found


def _top(parents: dict[str, str], record: str) -> str:
    while parents.get(record, record) != record:
        record = parents[record]
    return record
