"""Minimum size: a platform refuses small audiences, or makes nothing of them."""

from __future__ import annotations

from snello.activation.gates.case import Case, Gate

CODE = "below_minimum"
# a million keys need not be compared to count them: each gate names a member once
COUNT = """
select (select count(*) from members) - (select count(*) from excluded)
    + (select count(*) from excluded semi join held using (key) where keep)
"""


def kept_back(case: Case) -> str | None:
    """Below the minimum nobody is added; what is held goes on being kept up to date, unless the mode sends all anew."""
    sync = case.sync
    if not sync.min_size or case.connection.execute(COUNT).fetchall()[0][0] >= sync.min_size:
        return None
    everybody = f"select key, customer, '{CODE}' as code, true as keep from passing"
    return everybody if sync.mode == "replace" else f"{everybody} anti join held using (key)"


GATE = Gate("size", kept_back)
