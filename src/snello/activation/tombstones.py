"""Tombstones: keyed hashes of people who were erased, so that no tap brings them back.

- kind ``customer``: a customer_id; ``record``: a row of a source that does not come in again; ``held``: one that stays
  in its raw table for a legal reason and counts for nothing else
- kind ``email``, ``phone``, ``tax_code``: an identifier that was the person's alone, as ``forms`` writes it
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import pyarrow as pa
from sqlalchemy import Column, Connection, DateTime, String, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from snello.activation.columns import keyed
from snello.activation.engine import told
from snello.activation.ledger import Ledger
from snello.activation.tables import metadata
from snello.identifiers import hash_key, tax_code_canonical
from snello.lake import Lake
from snello.lake.tombstones import MARK, SCHEMA, STREAM
from snello.lake.writer import TableWriter

_CHUNK = 5_000

tombstones = Table(
    "tombstones",
    metadata,
    Column("kind", String, primary_key=True),
    Column("hash", String, primary_key=True),
    Column("source", String, nullable=False, default="", comment="of a record"),
    Column("stream", String, nullable=False, default="", comment="of a record"),
    Column("erasure", String, nullable=False),
    Column("erased_at", DateTime(timezone=True), nullable=False),
    Column("salt_mark", String, nullable=False),
)

erased_keys = Table(
    "erased_keys",
    metadata,
    Column("sync", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("erasure", String, nullable=False),
)


@dataclass(frozen=True, order=True)
class Tombstone:
    """A keyed hash; ``source`` and ``stream`` say where a record came from."""

    kind: str
    hash: str
    source: str = ""
    stream: str = ""

    @classmethod
    def of_record(cls, source: str, stream: str, key: str, salt: str, kind: str = "record") -> Tombstone:
        """The tombstone of a source row; ``key`` is what ``key_text`` makes of its key."""
        return cls(kind, str(hash_key(f"{source}/{stream}/{key}", salt)), source, stream)

    @classmethod
    def of_identifier(cls, kind: str, value: str, salt: str) -> Iterator[Tombstone]:
        """The tombstones of an identifier, one a form; none of a kind that no source row is compared by."""
        yield from (cls(kind, str(hash_key(form, salt))) for form in forms(kind, value))


def forms(kind: str, value: str) -> list[str]:
    """How an identifier is written when it is compared: what the dbt macro ``tombstone_form`` makes of any spelling.

    E-mail in lower case; a telephone as digits, with and without the country; a tax code in capitals, both ways of
    writing one whose digits became letters.
    """
    text = value.strip()
    if kind == "email":
        return [text.lower()]
    if kind == "tax_code":
        plain = re.sub(r"\s", "", text).upper()
        return sorted({plain, tax_code_canonical(plain) or plain})
    if kind == "phone":
        digits = re.sub(r"[^0-9]", "", text)
        national = digits.removeprefix("39") if text.startswith("+39") else digits
        return sorted({digits, national, f"00{digits}"})
    return []


def bury(connection: Connection, stones: Iterable[Tombstone], erasure: str, at: datetime, salt: str) -> None:
    """Write tombstones within a transaction; one that is there already takes the later moment."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(tombstones)
    later = {name: statement.excluded[name] for name in ("erasure", "erased_at")}
    statement = statement.on_conflict_do_update(index_elements=["kind", "hash"], set_=later)
    rest = iter(sorted(set(stones)))
    said = {"erasure": erasure, "erased_at": at, "salt_mark": hash_key(MARK, salt)}
    while some := list(islice(rest, _CHUNK)):
        rows = [{"kind": s.kind, "hash": s.hash, "source": s.source, "stream": s.stream, **said} for s in some]
        connection.execute(statement, rows)


def erased(ledger: Ledger, sync: str) -> pa.Table:
    """``key`` of every row of a sync that belongs to somebody who was erased: to be removed in any mode, as erased.

    Rows that the channel no longer holds are among them: they are never to be sent again.
    """
    with told():
        return keyed(ledger.engine, "erased_keys", {}, sync)


def to_lake(ledger: Ledger, lake: Lake, run_id: str, only: str | None = None) -> int:
    """Show the loader and dbt the tombstones, all or those of one erasure; returns how many there are."""
    query = select(tombstones) if only is None else select(tombstones).where(tombstones.c.erasure == only)
    with told(), ledger.engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    if rows:
        table = pa.Table.from_pylist([{**row, "_sdc_extracted_at": row["erased_at"]} for row in rows], SCHEMA)
        writer = TableWriter(lake.raw_uri(*STREAM), run_id, SCHEMA)
        try:
            writer.upsert(table, ("kind", "hash"))
        finally:
            writer.close()
    return len(rows)
