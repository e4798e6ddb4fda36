"""Who need not be judged again: a row that the channel holds as it is was let through by lists and rules, and these are
still the same.

A mark of lists and rules is kept with each run that left nothing open: every row that the channel held was judged under
it, or is known to be kept back. While the mark is the same, only rows that changed and members kept back are looked at.

Of the members kept back those whom a list or a holdout names stay so while the published table, too, is the same, and
the ledger knows of nobody else kept back or drawn than it did after that run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from sqlalchemy import Column, String, Table, delete

from snello.activation.audience import quoted
from snello.activation.engine import told
from snello.activation.gates import suppression
from snello.activation.gates.addresses import address_columns
from snello.activation.gates.case import Case
from snello.activation.tables import metadata
from snello.identifiers import hash_key
from snello.identifiers.email import STAND_IN_DOMAINS, STAND_INS

gate_marks = Table(
    "gate_marks",
    metadata,
    Column("sync", String, primary_key=True),
    Column("mark", String, nullable=False, comment="hash of the lists and rules that the sync's rows were judged by"),
    Column("kept_back", String, comment="hash of the audience, of whom the run kept back, and of who is held out"),
)

MARKS = "select mark, coalesce(kept_back, '') as kept_back from gate_marks where sync = :sync"
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

# what these gates say of a row hangs on the row, the lists and the record alone
STANDING = """
insert into excluded
select p.key, p.customer, k.gate, k.code, false from printed as p
inner join known_exclusions as k on k.key = p.key and k.gate in ('suppression', 'holdout')
"""
# how many, and of them all a number that does not depend on their order
DIGEST = "select count(*) || ' ' || coalesce(bit_xor(md5_number(one)), 0) from ({rows})"
LOOKED_AT = (
    """
    create temp table looked_at as
    select key, customer, fingerprint from unheld anti join excluded using (key)
    union all
    select key, customer, fingerprint from printed
    semi join (select key from known_exclusions anti join excluded using (key)) as others using (key)
    anti join unheld using (key)
    """,
    "create temp view unproven as select key, customer, fingerprint from looked_at anti join excluded using (key)",
    "create temp table judged as select _key{columns} from audience semi join looked_at on looked_at.key = _key",
)
ALL = (
    "create temp view unproven as select key, customer, fingerprint from passing",
    "create temp view judged as select * from audience",
)
LEFT_OPEN = "select 1 from leavers semi join unmatched using (key) anti join excluded using (key) limit 1"


def find(case: Case) -> None:
    """Leave ``unproven``, of ``passing``, and ``judged``, of ``audience``: the members to be looked at."""
    marks, mark = case.told(MARKS, case.sync.name).to_pylist(), _mark(case)
    known = [one["mark"] for one in marks] == [mark]
    if known and marks[0]["kept_back"] == _kept_back(case, "known_exclusions", ("recorded",)):
        case.connection.execute(STANDING)
    named = dict.fromkeys((*address_columns(case), *case.sync.required))
    columns = "".join(f", {quoted(name)}" for name in named)
    for statement in LOOKED_AT if known else ALL:
        case.connection.execute(statement.replace("{columns}", columns))


def remember(case: Case) -> None:
    """Keep the mark of this run; none where it leaves a row open that it did not judge."""
    sync = case.sync
    by_owner = suppression.lists(case, "address") and not address_columns(case)
    whole = sync.mode in MODES and not by_owner and not case.connection.execute(LEFT_OPEN).fetchall()
    mark = _mark(case)
    kept_back = _kept_back(case, "excluded", ("recorded", "drawn where is_new"))
    with told(), case.ledger.engine.begin() as connection:
        connection.execute(delete(gate_marks).where(gate_marks.c.sync == sync.name))
        if whole:
            connection.execute(gate_marks.insert(), {"sync": sync.name, "mark": mark, "kept_back": kept_back})


def _kept_back(case: Case, excluded: str, drawn: Sequence[str]) -> str:
    """What it hangs on beside the mark who is kept back, by the relations that name them and whom a holdout drew."""
    asked = [f"select concat_ws(' ', key, gate, code) as one from {excluded}"]
    if case.sync.holdout is not None:
        held_out = (f"select concat_ws(' ', customer, held_out) as one from {rows}" for rows in drawn)
        asked.append(" union all ".join(held_out))
    found = [case.connection.execute(DIGEST.format(rows=rows)).fetchall()[0][0] for rows in asked]
    return str(hash_key(json.dumps([case.published(case.sync.table), *found]), case.salt))


def _mark(case: Case) -> str:
    rules = case.sync.model_dump(mode="json", include=RULES)
    lists = case.connection.execute(LISTS).fetchall()[0][0]
    words = [lists, rules, sorted(case.kinds), sorted(STAND_INS), sorted(STAND_IN_DOMAINS)]
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()
