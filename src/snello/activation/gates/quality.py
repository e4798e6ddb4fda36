"""Quality: a row without what the channel needs, or with an address that is none, is not sent."""

from __future__ import annotations

from snello.activation.audience import quoted
from snello.activation.gates.addresses import odd
from snello.activation.gates.case import Case, Gate


def kept_back(case: Case) -> str | None:
    """Members with a fault, by the first in the order of the settings: ``missing_<column>``, ``invalid_<column>``."""
    sync = case.sync
    faults = [(_empty(case, column), f"missing_{column}") for column in sync.required]
    for column, kind in sync.valid.items():
        if column not in sync.required:
            faults.append((_empty(case, column), f"missing_{column}"))
        bad = f"select raw from {odd(case, column, kind)} where value is null or is_stand_in"
        faults.append((f"{quoted(column)}::varchar in ({bad})", f"invalid_{column}"))
    if not faults:
        return None
    cases = " ".join(f"when {fault} then '{code}'" for fault, code in faults)
    return (
        "select unproven.key, unproven.customer, faulty.code, false as keep from unproven inner join "
        f"(select _key as key, case {cases} end as code from judged) as faulty "
        "on faulty.key = unproven.key where faulty.code is not null"
    )


def _empty(case: Case, column: str) -> str:
    name = quoted(column)
    return f"coalesce(trim({name}), '') = ''" if case.kinds[column] == "VARCHAR" else f"{name} is null"


GATE = Gate("quality", kept_back)
