"""Which of several customers is known longest: an id that was split off another is never its elder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb

# Ids that began with records of others, and since when.
BRANCHES = """
create table branches as
with splits as (
    select customer_id, from_customer_id, happened_at
    from given_events
    where event = 'split'
)

select customer_id, from_customer_id, happened_at
from splits
where customer_id not in (select given_events.customer_id from given_events where given_events.event = 'birth')
qualify happened_at = min(happened_at) over (partition by customer_id)
"""

_SINCE = """
select branches.customer_id, branches.from_customer_id, epoch_us(branches.happened_at)
from branches
semi join aged on branches.customer_id = aged.customer_id
"""

_ELDERS = """
select customer_id, min((first_seen, record)) as elder
from aged
group by customer_id
"""


@dataclass(frozen=True, order=True)
class Age:
    """Since when a customer is known; the least is the eldest.

    - ``since``: when its eldest record was first seen, or the split that it began with, in microseconds
    - ``branch``: how many splits lie between it and a customer that began with records of its own
    """

    since: int
    branch: int
    eldest: str


def ages(connection: duckdb.DuckDBPyConnection) -> dict[str, Age]:
    """The age of every customer in ``aged`` (``customer_id, record, first_seen``); ``branches`` was made before."""
    own = {customer: Age(since, 0, record) for customer, (since, record) in connection.execute(_ELDERS).fetchall()}
    origins: dict[str, set[str]] = {}
    since: dict[str, int] = {}
    for customer, origin, at in connection.execute(_SINCE).fetchall():
        origins.setdefault(customer, set()).add(origin)
        since[customer] = at
    return {customer: _age(customer, own, origins, since) for customer in own}


def _age(customer: str, own: Mapping[str, Age], origins: Mapping[str, Iterable[str]], since: Mapping[str, int]) -> Age:
    """A branch is known since the split, and never longer than those of its origins that are compared with it."""
    if customer not in since:
        return own[customer]
    before = [
        _age(origin, own, origins, since)
        for origin in origins[customer]
        if origin in own and since.get(origin, -1) < since[customer]
    ]
    at = max([since[customer], *(age.since for age in before)])
    return Age(at, 1 + max((age.branch for age in before), default=0), own[customer].eldest)
