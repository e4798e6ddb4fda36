"""A published audience as sets: who is in it, who of them consented, and a keyed fingerprint of each payload."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime

import duckdb
import pyarrow as pa
from sqlalchemy import Engine

from snello.activation.prints import Prints, read
from snello.activation.sync import Sync
from snello.errors import ConfigError, ContractError
from snello.lake import Lake, Manifest
from snello.lake.sessions import session

CONSENTS = "consent_current"
CONSENTED = (
    "create temp view answers as select customer_id::varchar as key, coalesce(state = 'yes' and {holds}, false) as yes "
    "from consents where purpose = {purpose} and channel in ({channel}, 'any')",
    "create temp view consented as select key from answers "
    "anti join (select key from answers where not yes) as refused using (key) where yes",
)
# where an answer is nobody's, `in` says null of whoever gave none
PRINTED = (
    "create temp table prints as "
    "select *, coalesce({customer} in (select key from consented), false) as consents from ({every})",
    "create temp view members as select key, {customer} as customer, fingerprint, consents from prints",
    "create temp view printed as select key, customer, fingerprint from members where consents",
)


class Audience:
    """The audience of a sync, read from the lake at the manifest's version into an in-memory DuckDB.

    Leaves these relations behind in ``connection``:

    - ``audience``: the published columns, with the key as text in ``_key`` and the customer in ``_customer``
    - ``consented``: customers with a yes for the sync's purpose and channel that holds today, and no refusal; whoever
      said it twice stands there twice
    - ``members``: ``key, customer, fingerprint, consents`` of everybody; ``printed``: of those who consented
    """

    def __init__(self, lake: Lake, sync: Sync, salt: str, ledger: Engine) -> None:
        if not salt:
            raise ConfigError("setting salt", "it is empty: anybody could recompute a fingerprint", "set SNELLO_SALT")
        self.sync = sync
        self._customer = "key" if sync.key == sync.customer else "customer"
        self.connection = session()
        self.connection.execute("set TimeZone = 'UTC'")  # a moment has one text, wherever the run takes place
        self.connection.execute("set variable salt = $1", [salt])
        published = lake.published_sql(sync.table)
        self.connection.execute(f"create temp view published as {published}")
        self.connection.execute(f"create temp view consents as {lake.published_sql(CONSENTS)}")
        self.schema = checked_schema(self.connection.sql("select * from published limit 0"), sync)
        key = f"{quoted(sync.key)}::varchar"
        customer = f"{quoted(sync.customer)}::varchar"
        self.connection.execute(
            f"create temp view audience as select {key} as _key, {customer} as _customer, * from published"
        )
        self._consent()
        self._fingerprint(published, Prints(ledger, sync.name, salt))

    def _consent(self) -> None:
        """Unknown is no, a yes that ran out is none, and one refusal outweighs a yes on a wider or narrower channel."""
        dated = "valid_until" in self.connection.sql("select * from consents limit 0").columns
        holds = "coalesce(valid_until >= getvariable('today'), true)" if dated else "true"
        self.connection.execute("set variable today = $1", [_today()])
        asked = {"purpose": _literal(self.sync.purpose), "channel": _literal(self.sync.channel), "holds": holds}
        for statement in CONSENTED:
            self.connection.execute(statement.format(**asked))

    def _fingerprint(self, published: str, prints: Prints) -> None:
        """By name, so that the order of the columns plays no part; as JSON, so that null differs from empty."""
        named = ", ".join(f"{_literal(name)}: {quoted(name)}" for name in sorted(self.schema.names))
        ids = {"key": self.sync.key, self._customer: self.sync.customer}  # one column where both are one
        shown = ", ".join(f"{quoted(column)}::varchar as {name}" for name, column in ids.items())
        statement = (
            f"select {shown}, left(sha256(getvariable('salt') || to_json({{{named}}})), 32) as fingerprint "
            f"from ({published})"
        )
        kept = prints.kept(statement)
        if kept is None:  # else the keys were found in order as well
            self._check_keys()
            kept = prints.keep(self.connection, statement)
        try:
            self._print(read(kept) if kept else statement)
        except duckdb.Error:
            if kept is None:
                raise
            self._print(statement)  # another run dropped it meanwhile

    def _print(self, every: str) -> None:
        for statement in PRINTED:
            self.connection.execute(statement.format(every=every, customer=self._customer))

    def _check_keys(self) -> None:
        own = sorted({self.sync.key, self.sync.customer})
        texts = [quoted(name) for name in own if not pa.types.is_primitive(self.schema.field(name).type)]
        marred = " or ".join(f"contains({name}::varchar, chr(0))" for name in texts) or "false"
        cut = f"count(*) filter (where {marred})"
        query = f"select count(*), count(_key), count(distinct {{}}), count(_customer), {cut} from audience"
        rows, named, distinct, known, cut_off = self.connection.execute(query.format("hash(_key)")).fetchall()[0]
        if distinct < rows:  # of two keys that only hash alike there is no fault
            distinct = self.connection.execute(query.format("_key")).fetchall()[0][2]
        if named < rows:
            what = f"{rows - named:,} rows have no {self.sync.key}"
            raise ContractError(self.sync.table, what, "add a not_null test to the model and mend it")
        if distinct < rows:
            what = f"{rows - distinct:,} rows repeat a {self.sync.key}"
            raise ContractError(self.sync.table, what, "add a unique test to the model and mend it")
        if cut_off:
            what = f"{cut_off:,} rows have a NUL character in {self.sync.key} or {self.sync.customer}"
            raise ContractError(self.sync.table, what, "no database keeps it whole: mend the key at its source")
        if known < rows:
            what = f"{rows - known:,} rows have no {self.sync.customer}"
            raise ContractError(self.sync.table, what, "name the customer in each row: consent is asked of them")


def _today() -> date:
    """The day of sending: the one that dbt reckons from where it is given, else that of the clock, in UTC."""
    given = os.environ.get("SNELLO_TODAY")
    try:
        return date.fromisoformat(given) if given else datetime.now(UTC).date()
    except ValueError:
        raise ConfigError("SNELLO_TODAY", f"{given!r} is no day", "write it as YYYY-MM-DD, or leave it out") from None


def published_sync(lake: Lake, name: str) -> tuple[Sync, Manifest]:
    """A published sync and the manifest that holds it. Raises ``ContractError`` before the first publication."""
    manifest = lake.manifest()
    if manifest is None:
        raise ContractError(f"lake {lake.root}", "nothing is published yet", "run `meltano run unify`")
    return Sync.find(name, manifest.syncs), manifest


def checked_schema(relation: duckdb.DuckDBPyRelation, sync: Sync) -> pa.Schema:
    """The columns of an audience. Raises ``ContractError`` when it lacks the key or takes a name of ours."""
    schema: pa.Schema = relation.to_arrow_table().schema
    taken = [name for name in schema.names if name.startswith("_")]
    if sync.key not in schema.names:
        raise ContractError(sync.table, f"it has no column {sync.key}", "publish the sync's key column")
    if sync.customer not in schema.names:
        cure = "publish the column, or name in `customer` the one that holds the customer_id"
        raise ContractError(sync.table, f"it has no column {sync.customer}", cure)
    if taken:
        raise ContractError(sync.table, f"column {taken[0]} begins with _", "rename it in the model")
    return schema


def published_schema(lake: Lake, name: str) -> tuple[Sync, pa.Schema]:
    """A published sync and the columns of its audience, without reading a row."""
    sync, _ = published_sync(lake, name)
    with session() as connection:
        return sync, checked_schema(connection.sql(f"select * from ({lake.published_sql(sync.table)}) limit 0"), sync)


def quoted(name: str) -> str:
    """A column's name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
