"""The passage of an audience through the gates, in order.

Reads ``audience``, ``consented``, ``printed`` and ``held(key, customer)``; leaves behind

- ``excluded(key, customer, gate, code, keep)``: members kept back; ``keep``: what the channel holds of them stays
- ``barred(key, code)``: rows that the channel must not go on holding, members or not, and why
- ``leavers(key, customer)``: rows held of whom will not be sent
- ``want(key, customer, fingerprint)``: members whom every gate let through
"""

from __future__ import annotations

from collections.abc import Sequence

from snello.activation.gates import consent, size
from snello.activation.gates.case import Case, Gate
from snello.errors import ConfigError, choices

GATES = (consent.GATE, size.GATE)

GROUND = (
    "create temp table excluded (key varchar, customer varchar, gate varchar, code varchar, keep boolean)",
    "create temp table barred (key varchar, code varchar)",
    "create temp view passing as select key, customer, fingerprint from printed anti join excluded using (key)",
)
WANT = "create temp table want as select key, customer, fingerprint from passing"
LEAVERS = "create temp table leavers as select key, customer from held anti join want using (key)"
BARRED = "insert into barred select key, code from ({rows}) anti join barred using (key)"


def admit(case: Case, gates: Sequence[Gate] = GATES) -> None:
    """Pass the audience through every gate, in order.

    Raises ``ConfigError`` when the sync's settings name a column that the audience does not have.
    """
    _check_columns(case)
    for statement in GROUND:
        case.connection.execute(statement)
    for gate in gates:
        if rows := gate.kept_back(case):
            case.connection.execute(
                f"insert into excluded select key, customer, '{gate.name}', code, keep from ({rows})"
            )
    case.connection.execute(WANT)
    case.connection.execute(LEAVERS)
    case.connection.execute(BARRED.format(rows="select key, code from excluded where not keep"))
    for gate in gates:
        if rows := gate.barred(case):
            case.connection.execute(BARRED.format(rows=rows))


def remember(case: Case) -> None:
    """Write to the ledger what the gates have decided for good; for a run, not for a preview."""
    for gate in GATES:
        gate.remember(case)


def _check_columns(case: Case) -> None:
    sync = case.sync
    named = {
        "required": sync.required,
        "valid": sync.valid,
        "match_keys": sync.match_keys,
        "max_null_share": sync.max_null_share,
    }
    for setting, given in named.items():
        for column in given:
            if column not in case.kinds:
                what = f"setting {setting}: the audience has no column {column!r}"
                raise ConfigError(f"sync {sync.name}", what, choices(column, case.kinds))
