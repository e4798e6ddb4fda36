"""Why two records, or two customers, are one person or are two: what joins them, and what stands between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from snello.cli.identity.desk import said
from snello.cli.identity.judging import conflicts
from snello.cli.identity.queue import name
from snello.cli.tables import Row, Tables
from snello.cli.why import finding
from snello.errors import ConfigError
from snello.identifiers import name_key, street_key
from snello.identity.contradictions import BIRTH_DATES, NAMES, SEXES, TAX_CODES
from snello.identity.decisions import in_force

NEEDED = ("customer_identifiers", "customer_values", "identity_cuts", "identity_edges")
_ATTRIBUTES = {TAX_CODES: "tax_code", BIRTH_DATES: "birth_date", NAMES: "first_name", SEXES: "sex"}
_KEYS = {"first_name": name_key, "last_name": name_key, "street": street_key}
_COMPARED = ("first_name", "last_name", "birth_date", "sex", "tax_code", "street")

_RECORDS = """
select customer_id, source || '/' || stream || '/' || record_key as record from customer_sources
where customer_id = $one or customer_id = $other
"""

_EDGES = """
select left_record, right_record, rule, strength from identity_edges
where kept and list_contains($records::varchar[], left_record) and list_contains($records::varchar[], right_record)
order by rule = 'likelihood', strength desc, rule
"""

_BETWEEN = """
select * from {table}
where
    (list_contains($one::varchar[], left_record) and list_contains($other::varchar[], right_record))
    or (list_contains($one::varchar[], right_record) and list_contains($other::varchar[], left_record))
order by all
"""

_EVENTS = """
select event, happened_at, customer_id, from_customer_id, cause from identity_events
where customer_id in ($one, $other) and from_customer_id in ($one, $other)
order by happened_at
"""

_KINDS = """
select source || '/' || stream || '/' || record_key as record, attribute, kind, rule
from customer_values
where list_contains($records::varchar[], source || '/' || stream || '/' || record_key)
order by record, attribute, kind = 'derived'
"""

_SAID = """
select distinct customer_id, attribute as what, value from customer_values
where customer_id in ($one, $other) and list_contains($compared::varchar[], attribute)
union
select distinct customer_id, kind, value from customer_identifiers where customer_id in ($one, $other)
order by all
"""


@dataclass(frozen=True)
class Two:
    """Two that were named, and what is between them.

    - ``one``, ``other``: ``given``, ``customer_id`` and, where a record was named, ``record``
    - ``path``: the chain of joins from record to record, where they are one; ``events``: merges and splits of the two
    - ``decisions``: what people decided; ``contradictions``: pairs of records that cannot be one person, with the
      ``kinds`` of what they say; ``cuts``: evidence that was refused; ``reviews``: what waits for a decision
    - ``compared``: what agrees, what differs, what only one of them has said
    """

    one: Row
    other: Row
    is_one: bool
    path: list[Row]
    events: list[Row]
    decisions: list[Row]
    contradictions: list[Row]
    cuts: list[Row]
    reviews: list[Row]
    compared: dict[str, list[str]]


def read(tables: Tables, one: str, other: str) -> Two:
    """What is between the two; raises ``ConfigError`` where a word names several customers."""
    left, right = _named(tables, one), _named(tables, other)
    ids = {"one": left["customer_id"], "other": right["customer_id"]}
    records: dict[str, list[str]] = {customer: [] for customer in ids.values()}
    for row in tables.rows(_RECORDS, ids):
        records[row["customer_id"]].append(row["record"])
    sides = {side: records[customer] for side, customer in ids.items()}
    is_one = left["customer_id"] == right["customer_id"]
    ends = (left["record"], right["record"])
    if one.strip() == other.strip():
        raise ConfigError("why", "both words name one and the same", f"`snello why {left['given']}` tells all of it")
    formerly = {"one": one.strip(), "other": other.strip()} if is_one else ids
    return Two(
        one=left,
        other=right,
        is_one=is_one,
        path=_path(tables.rows(_EDGES, {"records": sides["one"]}), *ends) if is_one and all(ends) else [],
        events=tables.rows(_EVENTS, formerly),
        decisions=_decided(tables, sides["one"], sides["other"]),
        contradictions=[] if is_one else _contradictions(tables, ids["one"], ids["other"]),
        cuts=[] if is_one else tables.rows(_BETWEEN.format(table="identity_cuts"), sides),
        reviews=[] if is_one else _reviews(tables, sides),
        compared={} if is_one else _compared(tables, ids),
    )


def _named(tables: Tables, given: str) -> Row:
    matches = finding.find(tables, given)
    if len(matches) > 1:
        ids = ", ".join(row["customer_id"] for row in matches[:5])
        raise ConfigError("why", f"{len(matches)} customers have this identifier", f"name one of them: {ids}")
    [found] = matches
    record = given.strip() if "record" in found["matched_by"].split(", ") else None
    return {"given": given.strip() if record else found["customer_id"], "record": record} | found


def _path(edges: list[Row], start: str, end: str) -> list[Row]:
    """The fewest joins from one record to the other, the strongest rule of each; none for a contact with one owner."""
    strongest: dict[frozenset[str], Row] = {}
    near: dict[str, list[str]] = {}
    for edge in edges:
        strongest.setdefault(frozenset((edge["left_record"], edge["right_record"])), edge)
        near.setdefault(edge["left_record"], []).append(edge["right_record"])
        near.setdefault(edge["right_record"], []).append(edge["left_record"])
    ways, open_ = {start: [start]}, [start]
    for place in open_:
        for far in near.get(place, ()):
            if far not in ways:
                ways[far] = [*ways[place], far]
                open_.append(far)
    return [
        {"left_record": left, "right_record": right}
        | {key: strongest[frozenset((left, right))][key] for key in ("rule", "strength")}
        for left, right in pairwise(ways.get(end, ()))
    ]


def _decided(tables: Tables, one: list[str], other: list[str]) -> list[Row]:
    mine, theirs = set(one), set(other)
    found: dict[str, Row] = {}
    for (left, right), word in in_force(said(tables.lake)).items():
        if (left in mine and right in theirs) or (right in mine and left in theirs):
            found.setdefault(word.decision, vars(word))
    return list(found.values())


def _contradictions(tables: Tables, one: str, other: str) -> list[Row]:
    """Each pair with its reason, and of which kind each side's mark is."""
    pairs = list(conflicts(tables, [one], [other]))
    records = sorted({record for left, right, _ in pairs for record in (left, right)})
    kinds: dict[tuple[str, str], str] = {}
    for row in tables.rows(_KINDS, {"records": records}):
        kinds.setdefault((row["record"], row["attribute"]), f"{row['kind']}, {row['rule']}")
    return [
        {"left_record": left, "right_record": right, "reason": why}
        | {f"{side}_kind": _kind(kinds, record, why) for side, record in (("left", left), ("right", right))}
        for left, right, why in pairs
    ]


def _kind(kinds: dict[tuple[str, str], str], record: str, why: str) -> str:
    """Of which kind a mark is; a tax code stands for the birth date and the sex that it holds."""
    held = kinds.get((record, "tax_code")) if why in (BIRTH_DATES, SEXES) else None
    return (held and f"{held}: its tax code") or kinds.get((record, _ATTRIBUTES.get(why, "")), "an identifier")


def _reviews(tables: Tables, sides: dict[str, list[str]]) -> list[Row]:
    found = tables.rows(_BETWEEN.format(table="identity_review"), sides)
    return [row | {"pair": name((row["left_record"], row["right_record"]))} for row in found]


def _compared(tables: Tables, ids: dict[str, str]) -> dict[str, list[str]]:
    said: dict[str, dict[str, set[str]]] = {}
    for row in tables.rows(_SAID, ids | {"compared": list(_COMPARED)}):
        alike = _KEYS.get(row["what"], str.casefold)
        said.setdefault(row["what"], {}).setdefault(row["customer_id"], set()).add(
            alike(row["value"]) or row["value"].casefold()
        )
    found: dict[str, list[str]] = {"agree": [], "differ": [], "not known": []}
    for what, sides in said.items():
        verdict = "not known" if len(sides) == 1 else "agree" if set.intersection(*sides.values()) else "differ"
        found[verdict].append(what.replace("_", " "))
    return {verdict: sorted(names) for verdict, names in found.items()}
