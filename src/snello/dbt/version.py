"""What identity and golden values hang on and is no record: rules, models and functions, as one short text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import duckdb

import snello.identifiers
import snello.identity

NAME, READERS = "identity_version", "readers_version"
_SEEDS = ("identity_rules.csv", "identity_contradictions.csv", "blocklist.csv")


def register_version(connection: duckdb.DuckDBPyConnection, project: Path) -> None:
    """Make texts known that differ when results of earlier runs may no longer be kept.

    - ``identity_version()`` speaks for all of who is who, ``readers_version()`` for how one value is read
    """
    known = "select 1 from duckdb_functions() where function_name = ?"
    if connection.execute(known, [NAME]).fetchall():
        return
    whole, readers = identity_version(project), readers_version(project)
    connection.create_function(NAME, lambda: whole, [], "VARCHAR")
    connection.create_function(READERS, lambda: readers, [], "VARCHAR")


def identity_version(project: Path) -> str:
    """A hash over the rules and models of the dbt project in ``project``, the functions they call, and the engine."""
    return _digest(_files(project))


def readers_version(project: Path) -> str:
    """A hash over the functions that read an e-mail, a telephone, a name, a place or a tax code, and their models."""
    values = (project / "models" / "identity").glob("*_values.sql")
    return _digest((*_all(_package(snello.identifiers)), *((project, path) for path in sorted(values))))


def _digest(files: Iterable[tuple[Path, Path]]) -> str:
    digest = hashlib.sha256(duckdb.__version__.encode())
    for root, path in files:
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _package(module: ModuleType) -> Path:
    return Path(module.__file__ or "").parent


def _all(root: Path) -> Iterator[tuple[Path, Path]]:
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield root, path


def _files(project: Path) -> Iterator[tuple[Path, Path]]:
    models = project / "models"
    ours = (models / "identity", models / "figures", models / "marts" / "customers", project / "macros")
    for root in (_package(snello.identifiers), _package(snello.identity), *ours):
        yield from _all(root)
    for name in _SEEDS:
        if (project / "seeds" / name).exists():
            yield project, project / "seeds" / name
