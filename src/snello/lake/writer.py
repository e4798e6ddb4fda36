"""Writing a table: every call is one commit or none, whoever else writes at the same time.

Each commit names the version that it was worked out on. When another writer was first, the work is done again on
theirs: upserts of several processes end as if they had run one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

import snello.lake.storage as storage
from snello.errors import ContractError, RetryLater
from snello.lake.bounds import LiveFile, disjoint, live_files
from snello.lake.datafiles import DataFile, FileWriter, conform, delete, read_batches, read_columns, removed
from snello.lake.evolution import growth
from snello.lake.faults import told
from snello.lake.keysets import KeySet, distinct
from snello.lake.scan import open_table
from snello.lake.trail import Trail

Result = TypeVar("Result")

_ATTEMPTS = 40


class TableWriter:
    """One Delta table as one run writes it, created with ``schema`` when it is not there; close it in any case."""

    def __init__(self, uri: str, run_id: str, schema: pa.Schema) -> None:
        self.uri, self.run_id = uri, run_id
        self.where = "lake table " + "/".join(uri.rsplit("/", 2)[1:])
        with told(self.where):
            if not storage.is_remote(uri):
                storage.local_path(uri).mkdir(parents=True, exist_ok=True)
            if not DeltaTable.is_deltatable(uri):
                DeltaTable.create(uri, Schema.from_arrow(schema), mode="ignore")
            self.table = open_table(uri)
            self.filesystem = storage.filesystem(uri)
            self.trail = Trail(self.table, uri, run_id)
        self._seen_version, self._schema = -1, schema

    @property
    def schema(self) -> pa.Schema:
        """The table's columns and types as of the last commit that this writer saw."""
        if self._seen_version != self.table.version():
            self._schema = pa.schema(self.table.schema().to_arrow())
            self._seen_version = self.table.version()
        return self._schema

    def evolve(self, incoming: pa.Schema) -> None:
        """Let the table hold ``incoming`` too: add columns, widen types.

        Raises ``ContractError`` where a column's old and new type have no type in common.
        """

        def attempt() -> None:
            grown = growth(self.schema, incoming, self.where)
            if grown.added:
                fields = Schema.from_arrow(pa.schema(grown.added)).fields
                self.table.alter.add_columns(fields, commit_properties=self._properties())
                self.table.update_incremental()
            if grown.widened:
                self._rewrite(grown.schema)

        self._retrying(attempt)

    def append(self, batch: pa.Table, keys: Sequence[str] = ()) -> int:
        """Add all rows; returns how many."""

        def attempt() -> int:
            with self._staged([self._conformed(batch)], keys) as staged:
                self._commit(staged, ())
            return int(batch.num_rows)

        return self._retrying(attempt)

    def upsert(self, batch: pa.Table, keys: Sequence[str]) -> int:
        """Add the rows, each in place of the one that has its key; of equal keys in the batch the last counts.

        Keys are not null. Returns how many rows the batch came to.
        """

        def attempt() -> int:
            rows = distinct(self._conformed(batch), keys)
            with self._staged([rows], keys) as staged:
                self._replace(KeySet(rows, keys), staged)
            return int(rows.num_rows)

        return self._retrying(attempt)

    def insert(self, batch: pa.Table, keys: Sequence[str], *, own_are_new: bool = False) -> int:
        """Add the rows whose key the table does not hold; of equal keys in the batch the first counts.

        - ``own_are_new``: files of this run need not be searched, the caller never gives it one key twice
        - returns how many rows were new
        """

        def attempt() -> int:
            rows = self._conformed(batch)
            rows = new = rows if own_are_new else distinct(rows, keys, keep="first")
            for file in self._candidates(KeySet(rows, keys), own_are_new):
                held = KeySet(read_columns(self.filesystem, file.name, new.select(list(keys)).schema), keys)
                new = new.filter(pc.invert(held.held_by(new.select(list(keys)))))
            with self._staged([new], keys) as staged:
                self._commit(staged, ())
            return int(new.num_rows)

        return self._retrying(attempt)

    def adopt(self, file: DataFile, held: KeySet, schema: pa.Schema) -> None:
        """Take in a file that lies in the table's folder already: its rows replace those of the same keys.

        The caller has checked that its columns, ``schema``, are the table's and its keys are unique.
        """

        def attempt() -> None:
            if any(self.schema.field(name).type != schema.field(name).type for name in schema.names):
                raise RetryLater(self.where, "another writer changed the type of a column", "run again")
            self._replace(held, [file])

        self._retrying(attempt)

    def replace_all(self, parts: Iterable[pa.Table], schema: pa.Schema, unless: Callable[[], bool]) -> int | None:
        """Let the table hold exactly the rows of ``parts``, in one commit; returns the version that does.

        ``unless`` is asked after the last part was read: when it says yes, the table stays as it is.
        """
        with told(self.where), self._staged(parts, (), schema) as staged:
            if unless():
                self._drop(staged)
                return None
            return self._retrying(lambda: self._commit(staged, (), mode="overwrite", schema=schema))

    def put(self, files: Sequence[DataFile], schema: pa.Schema) -> None:
        """Let the table hold exactly these files, which lie in its folder already, under ``schema``."""
        self._retrying(lambda: self._commit(files, (), mode="overwrite", schema=schema))

    def close(self) -> None:
        """End the run's work on the table."""
        self.trail.erase()

    def _replace(self, keys: KeySet, staged: Sequence[DataFile]) -> None:
        gone: list[LiveFile] = []
        rewritten: list[DataFile] = []
        try:
            for file in self._candidates(keys, own_are_new=False):
                hit = keys.held_by(read_columns(self.filesystem, file.name, keys.schema))
                if hit.true_count:
                    gone.append(file)
                if 0 < hit.true_count < len(hit):
                    rewritten += self._without(file, hit, keys.keys)
            self._commit([*staged, *rewritten], gone)
        except BaseException:
            self._drop(rewritten)
            raise

    def _candidates(self, keys: KeySet, own_are_new: bool) -> Iterator[LiveFile]:
        """The live files that may hold one of the keys."""
        own = f"snello-{self.run_id}-"
        for file in live_files(self.table, keys.keys):
            if not disjoint(keys.bounds, file.bounds) and not (own_are_new and file.name.startswith(own)):
                yield file

    def _without(self, file: LiveFile, hit: pa.BooleanArray, keys: Sequence[str]) -> list[DataFile]:
        """The file again, without the rows that were hit."""
        return self._write(self._kept(file, pc.invert(hit)), keys, self.schema)

    def _kept(self, file: LiveFile, keep: pa.BooleanArray) -> Iterator[pa.Table]:
        offset = 0
        for part in read_batches(self.filesystem, file.name, self.schema):
            yield part.filter(keep.slice(offset, part.num_rows))
            offset += part.num_rows

    def _rewrite(self, schema: pa.Schema) -> None:
        """Every file again with the types of ``schema``, in one commit."""
        parts = (
            self._conformed(part, schema)
            for file in live_files(self.table, ())
            for part in read_batches(self.filesystem, file.name, self.schema)
        )
        with self._staged(parts, (), schema) as staged:
            self._commit(staged, (), mode="overwrite", schema=schema)

    def _conformed(self, part: pa.Table, schema: pa.Schema | None = None) -> pa.Table:
        try:
            return conform(part, schema or self.schema)
        except pa.ArrowInvalid:
            raise ContractError(
                self.where, "values do not fit the type of their column in the lake", "rename the column in the tap"
            ) from None

    @contextmanager
    def _staged(
        self, parts: Iterable[pa.Table], keys: Sequence[str], schema: pa.Schema | None = None
    ) -> Iterator[list[DataFile]]:
        """Files with the rows, deleted again unless the block commits them."""
        files = self._write(parts, keys, schema or self.schema)
        try:
            yield files
        except BaseException:
            self._drop(files)
            raise

    def _write(self, parts: Iterable[pa.Table], keys: Sequence[str], schema: pa.Schema) -> list[DataFile]:
        writer = FileWriter(self.filesystem, self.run_id, schema, keys)
        try:
            for part in parts:
                writer.write(part)
            file = writer.close()
        except BaseException:
            writer.abandon()
            raise
        return [file] if file else []

    def _drop(self, files: Iterable[DataFile]) -> None:
        for file in files:
            delete(self.filesystem, file.name)

    def _commit(
        self,
        added: Sequence[DataFile],
        gone: Sequence[LiveFile],
        mode: str = "append",
        schema: pa.Schema | None = None,
    ) -> int:
        """One version more; raises ``CommitFailedError`` when another writer made it first."""
        if not added and not gone and mode == "append":
            return self.table.version()
        actions: list[AddAction | RemoveAction] = [file.added() for file in added]
        actions += [removed(file) for file in gone]
        version = self.table.version() + 1
        self.table.create_write_transaction(
            actions,
            mode,
            Schema.from_arrow(schema) if schema is not None else self.table.schema(),
            commit_properties=self._properties(),
        )
        self.table.update_incremental()
        return version

    def _properties(self) -> CommitProperties:
        return CommitProperties(max_commit_retries=0, custom_metadata={"snelloRun": self.run_id})

    def _retrying(self, attempt: Callable[[], Result]) -> Result:
        def on_newest() -> Result:
            self.table.update_incremental()
            return attempt()

        policy = Retrying(
            retry=retry_if_exception_type(CommitFailedError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.01, max=1),
            reraise=True,
        )
        with told(self.where):
            return policy(on_newest)
