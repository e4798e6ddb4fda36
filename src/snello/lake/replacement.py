"""Replacing a whole table: build the new content aside, then put it in place in one commit."""

from __future__ import annotations

import shutil

import pyarrow as pa

import snello.lake.storage as storage
from snello.lake.bounds import live_files
from snello.lake.datafiles import DataFile
from snello.lake.faults import told
from snello.lake.trail import aside
from snello.lake.writer import TableWriter


class Replacement:
    """New content of a table, invisible until ``commit``; ``writer`` takes the rows."""

    def __init__(self, target: TableWriter, schema: pa.Schema) -> None:
        self.target = target
        self._name = aside(target.run_id)
        self.writer = TableWriter(storage.join(target.uri, self._name), target.run_id, schema)

    def commit(self) -> None:
        """Let the table hold exactly what was written here, with this schema."""
        files = live_files(self.writer.table, self.writer.schema.names)
        with told(self.target.where):
            for file in files:
                self.target.filesystem.move(f"{self._name}/{file.name}", file.name)
        self.target.put([DataFile(file.name, file.size, file.rows, file.bounds) for file in files], self.writer.schema)
        self.drop()

    def drop(self) -> None:
        """Forget what was written here and was not committed."""
        self.writer.close()
        if storage.is_remote(self.target.uri):
            self.target.filesystem.delete_dir(self._name)
        else:
            shutil.rmtree(storage.local_path(self.target.uri) / self._name, ignore_errors=True)
