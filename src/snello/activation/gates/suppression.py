"""Suppression: bounces, complaints, unsubscriptions and what was suppressed by hand, of a person or of one address.

Two lists are heeded: the published table ``suppressions``, which tells what sources know, and the ledger's, which has
what came back since and what was said by hand. An entry for any channel holds for all. An unsubscription holds for
marketing alone: a bill still comes.
"""

from __future__ import annotations

from snello.activation.audience import quoted
from snello.activation.gates.addresses import address_columns, hashed, odd
from snello.activation.gates.case import Case, Gate
from snello.activation.suppressions import LIFTS, check_salt

TABLE = "suppressions"
CODES = {"complaint": "complaint", "unsubscribed": "unsubscribed", "hard": "hard_bounce", "manual": "suppressed"}
LEDGER = "select kind, value, reason from suppressions where channel in (:sync, 'any')"

# a bounce tells of an address: the person may have another by now
PUBLISHED = """
insert into suppressed
with listed as (
    select
        case when address_hash is null or not {addressed} then 'customer' else 'address' end as kind,
        case when address_hash is null or not {addressed} then customer_id else address_hash end as value,
        customer_id, address_hash, channel, reason, since
    from ({table}) where channel in ($channel, 'any')
)
select listed.kind, listed.value, listed.reason from listed
where not exists (
    select 1 from lifts
    where (lifts.value = listed.customer_id or lifts.value = listed.address_hash)
        and lifts.channel in (listed.channel, 'any')
        and (listed.since is null or lifts.at::timestamptz >= listed.since)
)
"""

CUSTOMERS = """
create temp table suppressed_customers as
select coalesce(aliases.customer, suppressed.value) as customer, min(reason::suppressed_reason) as reason
from suppressed left join aliases on aliases.key = suppressed.value
where kind = 'customer'
group by all
"""


def kept_back(case: Case) -> str | None:
    """Members on a list, by themselves or by an address in the audience."""
    if not (lists(case, "customer") or lists(case, "address")):
        return None
    parts = [f"{_BY_CUSTOMER} inner join unproven using (customer)"]
    if lists(case, "address"):
        columns = address_columns(case)
        parts += [_by_column(case, name, kind) for name, kind in columns.items()]
        parts += [] if columns else _by_owner(case, "unproven")
    return (
        f"select unproven.key, unproven.customer, {_CODE} as code, false as keep from unproven inner join "
        f"(select key, min(reason) as reason from ({' union all '.join(parts)}) group by key) using (key)"
    )


def barred(case: Case) -> str | None:
    """Rows of people on a list; of an address on a list, as far as the published identifiers tell whose it is."""
    if not lists(case, "customer") and not lists(case, "address"):
        return None
    parts = [f"{_BY_CUSTOMER} inner join leavers using (customer)"]
    parts += _by_owner(case, "leavers") if lists(case, "address") else []
    listed = f"select key, min(reason) as reason from ({' union all '.join(parts)}) group by key"
    return f"select key, {_CODE} as code from ({listed})"


_BY_CUSTOMER = "select key, reason from suppressed_customers"
_CODE = "case reason::varchar " + " ".join(f"when '{reason}' then '{code}'" for reason, code in CODES.items()) + " end"


def gather(case: Case) -> None:
    """Leave the entries of the sync's channel: ``suppressed(kind, value, reason)``, and people by whom they are now.

    Raises ``ConfigError`` where addresses were entered under another salt.
    """
    check_salt(case.ledger, case.salt)
    connection, sync = case.connection, case.sync
    reasons = ", ".join(f"'{reason}'" for reason in CODES)
    connection.execute(f"create temp type suppressed_reason as enum ({reasons})")  # of several, the first counts
    connection.execute("create temp table suppressed (kind varchar, value varchar, reason varchar)")
    connection.register("from_ledger", case.told(LEDGER, sync.channel))
    connection.execute("insert into suppressed select kind, value, reason from from_ledger")
    if table := case.published(TABLE):
        connection.register("lifts", case.told(LIFTS, sync.channel))
        addressed = "true" if address_columns(case) else "false"
        connection.execute(PUBLISHED.format(table=table, addressed=addressed), {"channel": sync.channel})
    if sync.purpose == "service":
        connection.execute("delete from suppressed where reason = 'unsubscribed'")
    connection.execute(CUSTOMERS)


def lists(case: Case, kind: str) -> bool:
    """Whether there is an entry of a kind: customer or address."""
    return bool(case.connection.execute("select 1 from suppressed where kind = $1 limit 1", [kind]).fetchall())


def _by_column(case: Case, column: str, kind: str) -> str:
    """The keys whose address in one column is on the list."""
    raw, strange = f"{quoted(column)}::varchar", odd(case, column, kind)
    spelling = f"coalesce(strange.value, lower(trim({raw})))" if kind == "email" else f"coalesce(strange.value, {raw})"
    return (
        f"select listed.key, suppressed.reason::suppressed_reason as reason from "
        f"(select _key as key, {hashed(case, spelling)} as value from judged "
        f"left join {strange} as strange on strange.raw = {raw} where {raw} <> '') as listed "
        "inner join suppressed on suppressed.kind = 'address' and suppressed.value = listed.value"
    )


def _by_owner(case: Case, rows: str) -> list[str]:
    """The keys of people to whom the published identifiers give an address on the list."""
    table = case.published("customer_identifiers")
    if table is None:
        return []
    return [
        f"select {rows}.key, suppressed.reason::suppressed_reason as reason from ({table}) as identifiers "
        f"inner join {rows} on {rows}.customer = identifiers.customer_id::varchar "
        "inner join suppressed on suppressed.kind = 'address' "
        f"and suppressed.value = {hashed(case, 'identifiers.value')} "
        "where identifiers.kind in ('email', 'phone')"
    ]


GATE = Gate("suppression", kept_back, barred)
