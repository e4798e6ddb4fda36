"""The passage of an audience through the gates, in order.

Reads the relations of the audience and the ledger's ``held``, ``settled`` and ``unsettled``; leaves behind

- ``excluded(key, customer, gate, code, keep)``: members kept back; ``keep``: what the channel holds of them stays
- ``barred(key, code)``: rows that the channel must not go on holding, members or not, and why
- ``leavers(key, customer)``: rows held of whom will not be sent
- ``want(key, customer, fingerprint)``: members whom every gate let through; ``unsent``: those of whom no such row is
  settled
- ``unmatched(key, fingerprint)``: settled rows that no member who consented has so
"""

from __future__ import annotations

from snello.activation.gates import consent, holdout, pressure, proven, quality, size, suppression
from snello.activation.gates.case import Case
from snello.activation.gates.crossing import cross
from snello.errors import ConfigError, choices

GATES = (consent.GATE, suppression.GATE, holdout.GATE, pressure.GATE, quality.GATE, size.GATE)

WANT = "create temp view want as select key, customer, fingerprint from passing"
UNSENT = "create temp view unsent as select key, customer, fingerprint from unheld anti join excluded using (key)"
# who is wanted and not among these is settled as wanted; what is sent while the ledger is read may be in both relations
LEAVERS = """
create temp table leavers as
with perhaps as (
    select key from unmatched
    union all
    select key from unsettled anti join settled using (key)
    union all
    select key from excluded
)
select key, customer from held semi join perhaps using (key) anti join unsent using (key)
"""
KEPT_BACK = "create temp table barred as select key, code from excluded where not keep"
BARRED = "insert into barred select key, code from ({rows}) anti join barred using (key)"


def admit(case: Case) -> None:
    """Pass the audience through every gate, in order.

    Raises ``ConfigError`` when the sync's settings name a column that the audience does not have.
    """
    _check_columns(case)
    cross(case, GATES)
    for statement in (WANT, UNSENT, LEAVERS, KEPT_BACK):
        case.connection.execute(statement)
    for gate in GATES:
        if rows := gate.barred(case):
            case.connection.execute(BARRED.format(rows=rows))


def remember(case: Case) -> None:
    """Write to the ledger what the gates have decided for good; for a run, not for a preview."""
    for gate in GATES:
        gate.remember(case)
    proven.remember(case)


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
