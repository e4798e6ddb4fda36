"""The ledger's tables. No personal data: a key is a customer_id, a fingerprint a salted hash.

- ``deliveries``, one row a sync and key: what the channel holds and how the last attempt ended
- ``marks``, one row an identifier by which a channel alone knows a member, as a keyed hash
- ``receipts``, one row a change and outcome, append only
- ``runs``, one row a run and sync
- ``exclusions``, one row a member whom a gate keeps back, or kept back until some time
- ``contacts``, one row a contact with a person, append only
- ``reservations``, one row a contact that a run under way is about to make
- ``suppressions``, one row a person or address that a channel must not be sent
- ``measurements``, one row a look at what the platform says of an audience, append only
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, MetaData, String, Table

metadata = MetaData()
_serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows only in an INTEGER key
_moment = DateTime(timezone=True)  # UTC, in both engines

deliveries = Table(
    "deliveries",
    metadata,
    Column("sync", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("fingerprint", String, comment="what the channel holds; null: nothing; ?: something, we do not know what"),
    Column("tried", String, comment="fingerprint of the last attempt"),
    Column("status", String, nullable=False, comment="delivered refused retrying dead dropped in_doubt"),
    Column("op", String, nullable=False, comment="upsert or remove"),
    Column("code", String, nullable=False, default=""),
    Column("attempt", Integer, nullable=False, default=0, comment="attempts since the last success"),
    Column("batch", String, comment="idempotency key of an attempt without a final outcome"),
    Column("remote_id", String, comment="the channel's own number of the row, where it gave one"),
    Column("handles", String, comment="sealed: what the channel may know the row by, where that is not its key"),
    Column("run_id", String, nullable=False),
    Column("customer", String, comment="the customer, where the key names another thing"),
    Column("updated_at", _moment, nullable=False),
    sqlite_with_rowid=False,  # read in key order, a million rows at a time
)

marks = Table(
    "marks",
    metadata,
    Column("sync", String, primary_key=True),
    Column("mark", String, primary_key=True, comment="keyed hash of an identifier"),
    Column("key", String, primary_key=True),
    Column("state", String, nullable=False, comment="held; kept: held, and left there by another for it; leaving"),
    sqlite_with_rowid=False,
)

receipts = Table(
    "receipts",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("run_id", String, nullable=False),
    Column("sync", String, nullable=False),
    Column("key", String, nullable=False),
    Column("op", String, nullable=False),
    Column("status", String, nullable=False),
    Column("code", String, nullable=False, default=""),
    Column("reason", String, nullable=False, default=""),
    Column("attempt", Integer, nullable=False, default=0),
    Column("fingerprint", String),
    Column("customer", String, comment="the customer, where the key names another thing"),
    Column("at", _moment, nullable=False),
    Index("receipts_of_a_key", "sync", "key"),
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("sync", String, primary_key=True),
    Column("started_at", _moment, nullable=False),
    Column("finished_at", _moment),
    Column("outcome", String, nullable=False),
    Column("upserts", Integer, nullable=False, default=0),
    Column("removals", Integer, nullable=False, default=0),
    Column("unchanged", Integer, nullable=False, default=0),
    Column("suppressed", Integer, nullable=False, default=0),
    Column("refused", Integer, nullable=False, default=0),
    Column("message", String, nullable=False, default=""),
    Column("publication", String, comment="the publication that the run compared with the ledger"),
    Column("mode", String, comment="of the sync; null: of an older hub"),
    Column("version", Integer, comment="the audience's version in the lake, in that publication"),
    Column("columns", String, comment="the audience's columns and their types, as JSON"),
    Column("members", Integer, comment="members whom every gate let through"),
    Column("held", Integer, comment="rows that the channel held before the run"),
)

exclusions = Table(
    "exclusions",
    metadata,
    Column("sync", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("customer", String, nullable=False),
    Column("gate", String, nullable=False, comment="consent suppression holdout pressure quality size"),
    Column("code", String, nullable=False),
    Column("since", _moment, nullable=False),
    Column("until", _moment, comment="when the gate let the member through, or the member left; null: kept back now"),
    Column("run_id", String, nullable=False),
    sqlite_with_rowid=False,
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("customer", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("sync", String, nullable=False),
    Column("key", String, nullable=False),
    Column("at", _moment, nullable=False),
    Index("contacts_of_a_time", "at", "customer"),
)

reservations = Table(
    "reservations",
    metadata,
    Column("sync", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("customer", String, nullable=False),
    Column("run_id", String, nullable=False),
    sqlite_with_rowid=False,
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("kind", String, primary_key=True, comment="customer or address"),
    Column("value", String, primary_key=True, comment="a customer_id, or the salted hash of an address"),
    Column("channel", String, primary_key=True, comment="any: all of them"),
    Column("reason", String, nullable=False, comment="hard complaint unsubscribed manual"),
    Column("source", String, nullable=False, comment="the sync that it came back to, or who said so"),
    Column("at", _moment, nullable=False),
    Column("salt_mark", String, comment="of an address: hash of a known word under the salt that keyed it"),
)

measurements = Table(
    "measurements",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("sync", String, nullable=False),
    Column("run_id", String, nullable=False),
    Column("at", _moment, nullable=False),
    Column("sent", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("matched", Integer, comment="as the platform reports it; null: it does not say"),
    Column("size", Integer, comment="as the platform reports it; null: it does not say"),
    Column("held", Integer, comment="rows that the platform holds after the run"),
    Column("forecast", Integer, comment="how many it was expected to find; null: it had said nothing before"),
    Index("measurements_of_a_sync", "sync", "at"),
)
