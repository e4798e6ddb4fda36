"""The chain of one customer as a tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from snello.cli.screen import Block, Branch, Grid, Line, Mark, figure
from snello.cli.tables import Row
from snello.cli.why import joined
from snello.cli.why.chain import Chain

SHOWN = 10


def several(matches: list[Row]) -> Iterator[Block]:
    """The customers that one identifier names, to choose from."""
    yield Line(f"{len(matches)} customers have this identifier:", "title")
    names = ("customer_id", "first_name", "last_name", "matched_by")
    yield Grid("", names, [[row[name] for name in names] for row in matches])
    yield Line("Next: snello why CUSTOMER_ID")


def page(chain: Chain) -> Iterator[Block]:
    """The tree, from the customer down to the receipts."""
    customer = chain.customer
    name = " ".join(part for part in (customer["first_name"], customer["last_name"]) if part) or "(no name)"
    facts = (
        f"customer {customer['customer_id']}",
        f"household {figure(customer['household_id'])}",
        f"lifecycle {figure(customer['lifecycle_stage'])}",
    )
    yield Branch(
        f"{name} · {' · '.join(facts)}",
        (
            Branch(f"records ({len(chain.records)})", _some(map(_record, chain.records)), "title"),
            Branch("joined by", tuple(_joins(chain)), "title"),
            Branch("ids", tuple(map(_event, chain.events)) or _none("one id since its birth"), "title"),
            Branch("identifiers", tuple(map(_identifier, chain.identifiers)), "title"),
            Branch("values", tuple(_values(chain)), "title"),
            Branch("roles", tuple(map(_role, chain.roles)) or _none("no role known"), "title"),
            Branch(f"timeline ({len(chain.timeline)})", _some(map(_happened, chain.timeline)), "title"),
            Branch("segments", tuple(map(_segment, chain.segments)) or _none("in no segment"), "title"),
            Branch("consent", tuple(map(_consent, chain.consents)) or _none("none known, which means no"), "title"),
            Branch("syncs", tuple(map(_sync, chain.syncs)) or _none("no sync is published"), "title"),
        ),
        "title",
    )


def _none(text: str) -> tuple[Branch, ...]:
    return (Branch(text, mark="dim"),)


def _some(branches: Iterable[Branch]) -> tuple[Branch, ...]:
    every = list(branches)
    rest = len(every) - SHOWN
    return (*every[:SHOWN], *((Branch(f"and {rest} more (--json has all)", mark="dim"),) if rest > 0 else ()))


def _reference(row: Row) -> str:
    return f"{row['source']}/{row['stream']}/{row['record_key']}"


def _record(row: Row) -> Branch:
    seen = f"  seen {row['observed_at']:%Y-%m-%d}" if row["observed_at"] else ""
    return Branch(f"{_reference(row)}{seen}")


def _joins(chain: Chain) -> Iterator[Branch]:
    if len(chain.records) == 1:
        yield Branch("a single record: nothing to join", mark="dim")
    for rule, together, strength in joined.groups(chain.joins):
        held = [Branch(" = ".join(records)) for records in together]
        yield Branch(f"{joined.told(rule)}, strength {strength}", _some(held))
    if also := joined.confirmed(chain.joins):
        yield Branch(f"confirmed by {', '.join(also)}", mark="dim")
    alone = _without_edge(chain)
    if len(chain.records) > 1 and alone:
        yield Branch("contact with one owner", _some(map(Branch, alone)))
    apart: dict[tuple[str, str, str], list[str]] = {}
    for row in chain.cuts:
        apart.setdefault((row["left_record"], row["right_record"], row["reason"]), []).append(row["rule"])
    for (left, right, reason), rules in apart.items():
        yield Branch(f"kept apart: {left} is not {right}, though {', '.join(rules)}: {reason}", mark="warn")
    yield from _some(map(_review, chain.reviews))
    if chain.bridges:
        purposes = ", ".join(row["purpose"] for row in chain.bridges)
        yield Branch(f"one person only through records that these may not know: {purposes}", mark="warn")


def _review(row: Row) -> Branch:
    pair = f"{row['left_record']} and {row['right_record']}"
    evidence = f": {row['evidence']}" if row["evidence"] else ""
    return Branch(f"undecided: {pair}: {row['reason']} ({row['probability']:.2f}){evidence}", mark="warn")


def _without_edge(chain: Chain) -> list[str]:
    touched = {row[side] for row in chain.joins for side in ("left_record", "right_record")}
    return [reference for reference in map(_reference, chain.records) if reference not in touched]


def _event(row: Row) -> Branch:
    other = f" with {row['from_customer_id']}" if row["from_customer_id"] else ""
    cause = f": {row['cause']}" if row["cause"] else ""
    return Branch(f"{figure(row['happened_at'])} {row['event']} of {row['customer_id']}{other}{cause}")


def _identifier(row: Row) -> Branch:
    return Branch(f"{row['kind']} {row['value']} (records: {row['records']})")


def _values(chain: Chain) -> Iterator[Branch]:
    for attribute, rows in groupby(chain.values, key=lambda row: row["attribute"]):
        said = list(rows)
        winner = next((row for row in said if row["is_winner"]), said[0])
        losers = [row for row in said if row is not winner and row["value"] != winner["value"]]
        agree = len(said) - len(losers) - 1
        also = f", and {agree} more {'says' if agree == 1 else 'say'} so" if agree else ""
        yield Branch(
            f"{attribute} = {winner['value']}  {_witness(winner)}{also}",
            _some(Branch(f"lost: {row['value']}  {_witness(row)}{_by(row)}", mark="dim") for row in losers),
        )


def _witness(row: Row) -> str:
    return f"[{_reference(row)}, {row['kind']}, {row['rule']}]"


def _by(row: Row) -> str:
    return f"  by {row['lost_to']}" if row["lost_to"] else ""


def _role(row: Row) -> Branch:
    marks: dict[str, Mark] = {"yes": "ok", "unknown": "warn"}
    holding = f" of {row['holding']}" if row["holding"] else ""
    return Branch(f"{row['role']}{holding}: {row['state']}  [{_reference(row)}]", mark=marks.get(row["state"]))


def _happened(row: Row) -> Branch:
    at = f"{row['occurred_at']:%Y-%m-%d %H:%M}" if row["occurred_at"] else "at a time that nobody tells"
    what = f"segment {row['detail']}" if row["kind"] == "segment" else row["kind"]
    return Branch(f"{at} {what}  [{_reference(row)}]")


def _segment(row: Row) -> Branch:
    return Branch(f"{row['segment']}: {row['reason']}" if row["member"] else f"not in {row['segment']}")


def _consent(row: Row) -> Branch:
    decided = f"[{row['decided_by_source']}/{row['record_key']}, {row['rule']}, {figure(row['observed_at'])}]"
    return Branch(
        f"{row['purpose']} by {row['channel']}: {row['state']}  {decided}",
        mark="ok" if row["state"] == "yes" else "bad",
    )


def _sync(row: Row) -> Branch:
    audience = {True: "in the audience", False: "not in the audience", None: "audience not published"}
    held = row["held"]
    state = f"{held['op']} {held['status']} {figure(held['updated_at'])}" if held else "nothing sent"
    if kept := row["kept_back"]:
        state = f"{state}, kept back by {kept['gate']}: {kept['code']}"
    return Branch(
        f"{row['sync']}: {audience[row['in_audience']]}, consent {row['consent']}, {state}",
        _some(map(_receipt, row["receipts"])),
        "ok" if held and held["status"] == "delivered" and held["op"] == "upsert" else None,
    )


def _receipt(row: Row) -> Branch:
    because = ", ".join(str(part) for part in (row["code"], row["reason"]) if part)
    return Branch(f"{figure(row['at'])} {row['op']} {row['status']}{f': {because}' if because else ''}")
