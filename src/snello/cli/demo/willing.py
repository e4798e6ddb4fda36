"""Somebody whose withdrawal can be seen to arrive: a customer of the CRM whom an e-mail channel holds."""

from __future__ import annotations

from snello.cli.tables import Tables
from snello.errors import ContractError
from snello.lake import Lake

_NAMES = ("customer_sources", "consent_current", "deliveries")
_HELD_AND_WILLING = """
with held as (
    select "key" as customer_id
    from deliveries
    where op = 'upsert' and status = 'delivered' and list_contains($syncs, sync)
),

known as (
    select customer_sources.customer_id, max(customer_sources.record_key) as customer_no
    from customer_sources
    semi join held on customer_sources.customer_id = held.customer_id
    where customer_sources.source = 'crm' and customer_sources.stream = 'customers'
    group by customer_sources.customer_id
    having count(*) = 1
)

select min(known.customer_no::bigint)
from known
semi join consent_current
    on
        known.customer_id = consent_current.customer_id
        and consent_current.purpose = 'email_marketing'
        and consent_current.state = 'yes'
        and consent_current.decided_by_source = 'crm'
"""


def delivered_customer(lake: Lake) -> int | None:
    """Number of a CRM customer whom a channel holds by a consent that the CRM gave; None when nobody is known."""
    manifest = lake.manifest()
    known = manifest.syncs if manifest else {}
    mirrors = [name for name, terms in known.items() if terms.get("mode", "mirror") == "mirror"]
    syncs = [name for name in mirrors if known[name].get("purpose") == "email_marketing"]
    try:
        found = Tables.published(lake, _NAMES).value(_HELD_AND_WILLING, {"syncs": syncs})
    except ContractError:
        return None  # nothing is published yet: the sandbox chooses by its own truth
    return None if found is None else int(found)
