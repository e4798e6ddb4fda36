"""Customers whom a purpose would know as one only through records that it may not know."""

from snello.identity.bridges import bridges


def model(dbt, session):
    """One row a customer and purpose, where what the purpose may know falls into several parts."""
    dbt.config(materialized="table")
    clusters = dbt.ref("record_clusters").project("record, source").set_alias("clusters")
    customers = dbt.ref("customer_ids").project("record, customer_id").set_alias("customers")
    evidence = dbt.ref("usable_evidence").project("record, share as kind, value")
    contacts = dbt.ref("contact_identifiers").project("record, 'contact' as kind, contact as value")
    identifiers = dbt.ref("usable_identifiers").project("record, kind, value")
    tables = {
        "records": customers.join(clusters, "record"),
        "permissions": dbt.ref("source_purposes").project("source, purpose"),
        "evidence": evidence.union(identifiers).union(contacts),
        "scopes": dbt.ref("customer_scopes").project("customer_id, purpose, records"),
        # of two records of one customer no edge was refused
        "edges": dbt.ref("person_edges").project("left_record, right_record"),
    }
    return bridges(session, tables)
