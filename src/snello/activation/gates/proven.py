"""Who need not be judged again: a row that the channel holds as it is was let through by lists and rules, and these are
still the same.

A mark of lists and rules is kept with each run that left nothing open: every row that the channel held was judged under
it, or is known to be kept back. While the mark is the same, only rows that changed and members kept back are looked at.
"""

from __future__ import annotations

import hashlib
import json

from sqlalchemy import Column, String, Table, delete

from snello.activation.audience import quoted
from snello.activation.engine import told
from snello.activation.gates import suppression
from snello.activation.gates.addresses import address_columns
from snello.activation.gates.case import Case
from snello.activation.tables import metadata
from snello.identifiers.email import STAND_IN_DOMAINS, STAND_INS

gate_marks = Table(
    "gate_marks",
    metadata,
    Column("sync", String, primary_key=True),
    Column("mark", String, nullable=False, comment="hash of the lists and rules that the sync's rows were judged by"),
)

MARK = "select mark from gate_marks where sync = :sync"
LISTS = """
select coalesce(sum(hash(who, reason)), 0)::varchar from (
    select customer as who, reason::varchar as reason from suppressed_customers
    union all
    select value as who, reason from suppressed where kind = 'address'
)
"""
RULES = {"purpose", "channel", "key", "customer", "mode", "holdout", "required", "valid"}
# in other modes a row may be held of somebody who is no member, and who comes back unjudged
MODES = ("mirror", "replace")

FRESH = """
create temp table fresh as
select key from printed anti join settled using (key, fingerprint)
union
select key from known_exclusions
"""
LOOKED_AT = (
    "create temp table looked_at as select key, customer, fingerprint from printed semi join fresh using (key)",
    "create temp view unproven as select key, customer, fingerprint from looked_at anti join excluded using (key)",
    "create temp table judged as select _key{columns} from audience semi join fresh on fresh.key = _key",
)
ALL = (
    "create temp view fresh as select key from printed",
    "create temp view unproven as select key, customer, fingerprint from passing",
    "create temp view judged as select * from audience",
)
LEFT_OPEN = "select 1 from leavers semi join settled using (key) anti join excluded using (key) limit 1"


def find(case: Case) -> None:
    """Leave ``unproven``, of ``passing``, and ``judged``, of ``audience``: the members to be looked at.

    And ``fresh(key)``: all whose row may differ from what is settled.
    """
    known = case.told(MARK, case.sync.name)["mark"].to_pylist() == [_mark(case)]
    named = dict.fromkeys((*address_columns(case), *case.sync.required))
    columns = "".join(f", {quoted(name)}" for name in named)
    for statement in (FRESH, *LOOKED_AT) if known else ALL:
        case.connection.execute(statement.replace("{columns}", columns))


def remember(case: Case) -> None:
    """Keep the mark of this run; none where it leaves a row open that it did not judge."""
    sync = case.sync
    by_owner = suppression.lists(case, "address") and not address_columns(case)
    whole = sync.mode in MODES and not by_owner and not case.connection.execute(LEFT_OPEN).fetchall()
    with told(), case.ledger.engine.begin() as connection:
        connection.execute(delete(gate_marks).where(gate_marks.c.sync == sync.name))
        if whole:
            connection.execute(gate_marks.insert(), {"sync": sync.name, "mark": _mark(case)})


def _mark(case: Case) -> str:
    rules = case.sync.model_dump(mode="json", include=RULES)
    lists = case.connection.execute(LISTS).fetchall()[0][0]
    words = [lists, rules, sorted(case.kinds), sorted(STAND_INS), sorted(STAND_IN_DOMAINS)]
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()
