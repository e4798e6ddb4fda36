"""Batch files: whole or absent, and none left behind by a killed run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig, StorageTarget

from snello.errors import ConfigError
from snello.kit.batches import ABANDONED_SECONDS, BatchFolder

TABLE = pa.table({"id": [1, 2], "name": ["Anna", None]})


def folder(
    root: Path | str, pipeline: str = "crm", *, encoding: str = "parquet", prefix: str | None = None
) -> BatchFolder:
    url = root.as_uri() if isinstance(root, Path) else root
    config = BatchConfig(BaseBatchFileEncoding(format=encoding), StorageTarget(url, prefix))
    return BatchFolder(config, "tap-sql", pipeline)


def left_by_a_dead_process(root: Path, pipeline: str) -> Path:
    """A file as a killed run of the pipeline leaves it."""
    path = Path(unquote(urlparse(folder(root, pipeline).write(TABLE)).path))
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        pass
    return path.rename(path.with_name(path.name.replace(f".{os.getpid()}.", f".{dead.pid}.")))


@pytest.mark.parametrize("name", ["batches", "a b%20c è", "c# [1]?"])
def test_a_file_is_where_its_url_says_and_holds_the_table(name: str, tmp_path: Path) -> None:
    url = folder(tmp_path / name).write(TABLE)
    path = Path(unquote(urlparse(url).path))
    assert path.parent == tmp_path / name
    assert pq.read_table(path).equals(TABLE)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_plain_path_is_a_root_too(tmp_path: Path) -> None:
    url = folder(str(tmp_path / "batches")).write(TABLE)
    assert pq.read_table(urlparse(url).path).equals(TABLE)


def test_any_file_system_is_a_root(tmp_path: Path) -> None:
    held = folder(f"memory://{tmp_path}/batches")
    url = held.write(TABLE)
    assert url.startswith("memory:")
    [path] = held._files.glob(f"{held._root}/*")
    with held._files.open(path) as file:
        assert pq.read_table(file).equals(TABLE)


def test_what_a_killed_run_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    left = left_by_a_dead_process(tmp_path, "crm")
    half = left.rename(left.with_name(left.name + ".part"))
    left = left_by_a_dead_process(tmp_path, "crm")
    assert folder(tmp_path, "crm").sweep() == 2
    assert not left.exists()
    assert not half.exists()


def test_files_of_others_stay_until_they_are_a_day_old(tmp_path: Path) -> None:
    """Another pipeline's target, or one on another machine, may still come for them."""
    other = left_by_a_dead_process(tmp_path, "aftersales")
    foreign = left_by_a_dead_process(tmp_path, "crm")
    host = foreign.name.split(".")[1]
    foreign = foreign.rename(foreign.with_name(foreign.name.replace(f".{host}.", ".elsewhere.")))
    living = Path(urlparse(folder(tmp_path, "crm").write(TABLE)).path)
    strange = tmp_path / "tap-sql-notes.parquet"
    strange.write_text("not ours")
    assert folder(tmp_path, "crm").sweep() == 0
    long_ago = time.time() - ABANDONED_SECONDS - 60
    for path in (other, foreign, living, strange):
        os.utime(path, (long_ago, long_ago))
    assert folder(tmp_path, "crm").sweep() == 3
    assert list(tmp_path.iterdir()) == [strange]


def test_only_parquet_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"encoding\.format is 'jsonl'\. Next: set it to 'parquet'"):
        folder(tmp_path, encoding="jsonl")


def test_a_root_that_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "batches").write_text("a file")
    with pytest.raises(ConfigError, match=r"tap-sql: batch_config.storage.root cannot be used \(EEXIST\)") as caught:
        folder(tmp_path / "batches")
    assert caught.value.exit_code == 2


def test_a_name_tells_the_pipeline_by_a_hash_alone(tmp_path: Path) -> None:
    secret = "postgresql://user:sesame@host/db"
    held: Any = folder(tmp_path, secret, prefix="one-")
    name = Path(urlparse(held.write(TABLE)).path).name
    assert name.startswith("one-tap-sql-")
    assert "sesame" not in name
    assert held.sweep() == 0
