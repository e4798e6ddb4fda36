"""Do the hub's own settings hold, and can it write where they point?"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import inspect

from snello.activation.engine import open_engine, told
from snello.cli.checks.finding import Finding, Findings
from snello.cli.checks.ground import Ground
from snello.errors import ConfigError, RetryLater, SnelloError
from snello.lake import Lake


def check(ground: Ground) -> Iterator[Finding]:
    """Settings, lake, ledger, warehouse."""
    findings = Findings("hub")
    with findings.ask("settings"):
        _salted(ground)
    with findings.ask("lake"):
        _lake(ground)
    with findings.ask("ledger"):
        _ledger(ground)
    with findings.ask("warehouse"):
        _writable(ground.hub.warehouse.parent, "warehouse", "SNELLO_WAREHOUSE")
    yield from findings.found
    yield from _suppressions(ground)


def _suppressions(ground: Ground) -> Iterator[Finding]:
    """A hub may do without the sources' list of whom nobody writes to; it should know that it does."""
    try:
        published = Lake(ground.hub.lake).manifest()
    except (SnelloError, OSError):
        return  # told above
    if published and published.syncs and "suppressions" not in published.tables:
        what = "no table suppressions is published: of bounces and complaints the ledger's own count alone"
        told = f"hub: {what}. Next: publish the model, or leave it so if no source tells of them."
        yield Finding("hub", "suppressions", told)


def _salted(ground: Ground) -> None:
    if not ground.hub.salt.get_secret_value():
        raise ConfigError("settings", "SNELLO_SALT is empty", "set it to a long random text, once, and keep it")


def _lake(ground: Ground) -> None:
    root = ground.hub.lake
    if "://" not in root:
        _writable(Path(root), "lake", "SNELLO_LAKE")
        return
    from pyarrow.fs import FileSystem

    try:
        store, path = FileSystem.from_uri(root)
        store.get_file_info(path)
    except (OSError, ValueError):
        raise RetryLater("lake", "the object store does not answer", "check SNELLO_LAKE and its credentials") from None


def _ledger(ground: Ground) -> None:
    url = ground.hub.ledger
    file = url.removeprefix("sqlite:///")
    if file != url:
        _writable(Path(file).parent, "ledger", "SNELLO_LEDGER")
        return
    with told():
        inspect(open_engine(url)).get_table_names()


def _writable(folder: Path, where: str, setting: str) -> None:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            return
    except OSError as error:
        what = f"cannot write in {there} ({error.strerror})"
        raise ConfigError(where, what, f"make it writable, or set {setting}") from None
