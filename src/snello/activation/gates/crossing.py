"""Crossing the gates: each keeps back some of those whom the gates before it let pass."""

from __future__ import annotations

from collections.abc import Sequence

from snello.activation.gates import proven, suppression
from snello.activation.gates.case import Case, Gate

GROUND = (
    "create temp table excluded (key varchar, customer varchar, gate varchar, code varchar, keep boolean)",
    "create temp view passing as select key, customer, fingerprint from printed anti join excluded using (key)",
)


def cross(case: Case, gates: Sequence[Gate]) -> None:
    """Leave ``excluded(key, customer, gate, code, keep)`` and ``passing(key, customer, fingerprint)`` behind."""
    for statement in GROUND:
        case.connection.execute(statement)
    suppression.gather(case)
    proven.find(case)
    for gate in gates:
        if rows := gate.kept_back(case):
            case.connection.execute(
                f"insert into excluded select key, customer, '{gate.name}', code, keep from ({rows})"
            )
