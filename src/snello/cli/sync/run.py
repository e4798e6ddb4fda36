"""Run one sync now: its tap piped into its target, as Meltano would start them."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from snello.cli.checks.ground import Ground
from snello.cli.connector.found import Connector
from snello.cli.sync.carriers import carriers, published
from snello.errors import ConfigError, RetryLater
from snello.kit.places import write_private
from snello.settings import project_root


def run_sync(name: str, *, limit: int | None = None, allow_breaker: str | None = None, quiet: bool = False) -> int:
    """Deliver what the sync ``name`` has to deliver now; the exit code, the target's before the tap's.

    - ``limit``: the first changes only; ``allow_breaker``: see `SNELLO_ALLOW_BREAKER`
    - ``quiet``: keep what the two say to themselves; else it goes to stderr
    - raises ``ConfigError`` when there is no such sync or no plugin for it
    """
    root = project_root()
    found = carriers(Ground(root), name)
    asked = {key: value for key, value in (("limit", limit), ("allow_breaker", allow_breaker)) if value is not None}
    said = subprocess.DEVNULL if quiet else None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="snello-")))
        tap = _started(stack, found.tap, folder / "tap.json", root, asked, stdout=subprocess.PIPE, stderr=said)
        quietly = {"stdout": subprocess.DEVNULL, "stderr": said}
        target = _started(stack, found.target, folder / "target.json", root, {}, stdin=tap.stdout, **quietly)
        if tap.stdout:
            tap.stdout.close()  # so that the tap learns of the target's death
        codes = target.wait(), tap.wait()
    return next((code for code in codes if code), 0)


def chosen(names: Sequence[str], *, every: bool) -> list[str]:
    """The syncs that are meant. Raises ``ConfigError`` when that is none, or both some and all."""
    if every and names:
        raise ConfigError("sync run", "it is given names and --all", "leave one of them out")
    if not every and not names:
        raise ConfigError("sync run", "it is given no sync", "name some, or say --all")
    found = list(published(Ground(project_root()))) if every else list(dict.fromkeys(names))
    if not found:
        raise ConfigError("sync run", "no sync is published", "run `meltano run unify`, which publishes the syncs")
    return found


def run_syncs(names: Sequence[str], *, at_once: int, limit: int | None = None) -> dict[str, int]:
    """Deliver what several syncs have to deliver, so many at a time; the exit code of each.

    Each has processes of its own: a slow channel holds no other up, and one that fails stops none. Raises
    ``ConfigError`` before the first call when one of them is not published or has no plugin.
    """
    ground = Ground(project_root())
    for name in names:
        carriers(ground, name)
    with ThreadPoolExecutor(at_once) as pool:
        codes = pool.map(partial(run_sync, limit=limit), names)
        return dict(zip(names, codes, strict=True))


def _started(
    stack: ExitStack, connector: Connector, config: Path, root: Path, asked: Mapping[str, Any], **streams: Any
) -> subprocess.Popen[bytes]:
    write_private(config, json.dumps({**connector.settings, **asked}, default=str).encode())
    try:
        started = subprocess.Popen(
            [*connector.command, "--config", str(config)], cwd=root, env=connector.environment, **streams
        )
    except OSError as error:
        cure = "run `make setup`, then again"
        raise RetryLater(connector.name, f"it did not start ({error.strerror})", cure) from None
    stack.callback(_ended, started)
    return started


def _ended(process: subprocess.Popen[bytes]) -> None:
    """Whoever interrupts us must not leave a pipeline behind; it knows by itself what is in doubt."""
    if process.poll() is None:
        process.terminate()
        process.wait()
