"""Crossing the gates: each keeps back some of those whom the gates before it let pass."""

from __future__ import annotations

from collections.abc import Sequence

from snello.activation.gates import holdout, proven, suppression
from snello.activation.gates.case import Case, Gate

# a million rows are compared once, and everything else asks the few that are not in both
COMPARED = """
create temp table unlike as
select p.key, p.customer, p.fingerprint, s.key as settled, s.fingerprint as held from printed as p
full join settled as s on s.key = p.key and s.fingerprint = p.fingerprint
where p.key is null or s.key is null
"""
GROUND = (
    "create temp table excluded (key varchar, customer varchar, gate varchar, code varchar, keep boolean)",
    "create temp view passing as select key, customer, fingerprint from printed anti join excluded using (key)",
    COMPARED,
    "create temp view unheld as select key, customer, fingerprint from unlike where key is not null",
    "create temp view unmatched as select settled as key, held as fingerprint from unlike where key is null",
)


def cross(case: Case, gates: Sequence[Gate]) -> None:
    """Leave ``excluded(key, customer, gate, code, keep)`` and ``passing(key, customer, fingerprint)`` behind.

    And ``unheld(key, customer, fingerprint)``, of ``printed``, and ``unmatched(key, fingerprint)``, of ``settled``: the
    rows that the other does not have so.
    """
    for statement in GROUND:
        case.connection.execute(statement)
    suppression.gather(case)
    holdout.gather(case)
    proven.find(case)
    for gate in gates:
        if rows := gate.kept_back(case):
            case.connection.execute(
                f"insert into excluded select key, customer, '{gate.name}', code, keep from ({rows})"
            )
