"""Open questions whose answer is known: to make one of the two customers would be to join a contradiction."""

from snello.identity.contradictions import Contradictions
from snello.identity.review import conflicting


def model(dbt, session):
    """One row a couple of customers that contradict each other, and reason."""
    dbt.config(materialized="table")
    tables = {
        "pairs": dbt.ref("open_pairs"),
        "customers": dbt.ref("customer_ids"),
        "persons": dbt.ref("person_marks"),
        "identifiers": dbt.ref("usable_identifiers"),
    }
    rows = dbt.ref("identity_contradictions").project("kind, how").fetchall()
    return conflicting(session, tables, Contradictions.of(rows))
