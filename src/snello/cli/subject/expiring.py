"""What waits for its day: old versions of tables, and rows that were kept for a legal reason."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
from sqlalchemy import select

from snello.activation import Ledger
from snello.activation.engine import told
from snello.activation.erasures import Erasure
from snello.activation.tombstones import tombstones
from snello.cli.subject.needles import Needles
from snello.cli.subject.person import Person
from snello.cli.subject.rawrows import keys_of
from snello.errors import ContractError
from snello.identifiers import hash_key
from snello.lake import Lake
from snello.lake.erasure import erase_rows, forget_history
from snello.lake.tombstones import key_text


def forget_versions(lake: Lake, until: datetime) -> int:
    """Delete what only versions from before ``until`` need, in every table; how many files."""
    current = lake.manifest()
    uris = [*lake.raw_tables().values(), *(ref.path for ref in (current.tables if current else {}).values())]
    return sum(forget_history(uri, until) for uri in uris)


def forget_held(ledger: Ledger, lake: Lake, erasure: Erasure, stream: tuple[str, str], salt: str) -> int:
    """Delete the rows of a stream that were kept; they are known by their tombstones alone."""
    uri = lake.raw_tables().get(stream)
    if uri is None:
        return 0
    query = select(tombstones.c.hash).where(tombstones.c.kind == "held", tombstones.c.erasure == erasure.erasure)
    with told(), ledger.engine.connect() as connection:
        hashes = set(connection.execute(query).scalars())
    keys = keys_of(lake, Needles(lake, Person()), *stream, uri)
    if not keys:
        raise ContractError(
            f"raw/{'/'.join(stream)}", "its key is not known", "load it once with `meltano run extract`"
        )

    def without(part: pa.Table) -> pa.Table:
        said = zip(*(part[key].cast(pa.string()).to_pylist() for key in keys), strict=True)
        kept = [hash_key(f"{stream[0]}/{stream[1]}/{key_text(key)}", salt) not in hashes for key in said]
        return part if all(kept) else part.filter(pa.array(kept))

    return erase_rows(uri, erasure.erasure, without, keys)
