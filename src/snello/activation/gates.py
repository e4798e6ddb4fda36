"""Who of an audience may be sent today: every member passes each gate, or is kept back by the first that says no.

Reads ``audience``, ``consented``, ``printed`` and ``held(key, customer)``, the ledger's rows of the sync; leaves behind

- ``excluded(key, customer, gate, code, keep)``: members kept back; ``keep``: what the channel holds of them stays
- ``barred(key, code)``: rows that the channel must not go on holding, members or not, and why
- ``want(key, customer, fingerprint)``: members whom every gate let through
"""

from __future__ import annotations

import duckdb

CONSENT = """
create temp table excluded as
select _key as key, _customer as customer, 'consent' as gate, 'no_consent' as code, false as keep
from audience
anti join consented on consented.key = _customer
"""

BARRED = """
create temp table barred as
select key, 'no_consent' as code from held anti join consented on consented.key = held.customer
union
select key, code from excluded where not keep
"""

WANT = """
create temp table want as
select key, customer, fingerprint from printed
anti join excluded using (key)
"""


def admit(connection: duckdb.DuckDBPyConnection) -> None:
    """Pass the audience through every gate, in order."""
    for statement in (CONSENT, BARRED, WANT):
        connection.execute(statement)
