"""What identity and golden values hang on and is no record: rules, models and functions, as one short text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import duckdb

import snello.identifiers
import snello.identity

NAME = "identity_version"
_SEEDS = ("identity_rules.csv", "identity_contradictions.csv", "blocklist.csv")


def register_version(connection: duckdb.DuckDBPyConnection, project: Path) -> None:
    """Make ``identity_version()`` known: a text that differs when results of earlier runs may no longer be kept."""
    known = "select 1 from duckdb_functions() where function_name = ?"
    if connection.execute(known, [NAME]).fetchall():
        return
    version = identity_version(project)
    connection.create_function(NAME, lambda: version, [], "VARCHAR")


def identity_version(project: Path) -> str:
    """A hash over the rules and models of the dbt project in ``project``, the functions they call, and the engine."""
    digest = hashlib.sha256(duckdb.__version__.encode())
    for root, path in _files(project):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _files(project: Path) -> Iterator[tuple[Path, Path]]:
    packages = [Path(module.__file__ or "").parent for module in (snello.identifiers, snello.identity)]
    models = project / "models"
    ours = (models / "identity", models / "figures", models / "marts" / "customers", project / "macros")
    for root in (*packages, *ours):
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield root, path
    for name in _SEEDS:
        if (project / "seeds" / name).exists():
            yield project, project / "seeds" / name
