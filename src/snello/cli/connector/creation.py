"""A new connector: its folder, its command in the environment, its plugin in ``meltano.yml``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from snello.cli.connector import plugging
from snello.cli.connector.found import find
from snello.cli.connector.names import names
from snello.cli.connector.rendering import KINDS, render
from snello.cli.screen import Block, Line
from snello.errors import ConfigError, choices

_SECONDS = 300


@dataclass(frozen=True)
class Created:
    """What was made; ``snippet``: the plugin's entry when it has to be pasted by hand."""

    role: str
    kind: str
    name: str
    folder: str
    files: list[str]
    installed: bool
    snippet: str = ""


def create(role: str, given: str, kind: str, root: Path, *, installing: bool = True) -> Created:
    """Make a connector in a project.

    Raises ``ConfigError`` for a name or kind that cannot be, or a folder that is there already.
    """
    if role == "tap" and kind not in KINDS:
        raise ConfigError("snello new tap", f"there is no kind {kind!r}", choices(kind, KINDS))
    named = names(role, given)
    folder = root / "connectors" / named.name
    files = render(named, kind, folder)
    plugin = plugging.entry(plugging.about(find(str(folder))))
    plugged = plugging.plug(root / "meltano.yml", role, plugin)
    return Created(
        role,
        kind,
        named.name,
        f"connectors/{named.name}",
        [str(path.relative_to(root)) for path in files],
        installing and install(folder),
        "" if plugged else plugging.snippet(plugin),
    )


def install(folder: Path, target: Path | None = None) -> bool:
    """Put a connector's command into this environment, from its folder and without a network; whether that went well.

    - ``target``: a folder of packages to copy it to instead
    """
    tool = ["uv", "pip", "install", "--python", sys.executable, "--offline"] if find_spec("uv") else ["pip", "install"]
    place = ["-e", str(folder)] if target is None else ["--target", str(target), str(folder)]
    command = [sys.executable, "-m", *tool, "--quiet", "--no-deps", "--no-build-isolation", *place]
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def page(made: Created) -> Iterator[Block]:
    """What was made, and what comes next."""
    yield Line(f"{made.folder}: {len(made.files)} files", "ok")
    if made.installed:
        yield Line(f"{made.name} is installed in this environment", "ok")
    else:
        yield Line(f"{made.name} is not installed. Next: make setup", "warn")
    if made.snippet:
        yield Line(f"meltano.yml has no list of {plugging.LISTS[made.role]} to add it to; paste this into it:", "warn")
        yield Line(made.snippet.rstrip("\n"))
    else:
        yield Line(f"meltano.yml: plugin {made.name} added, with its settings", "ok")
    yield Line("")
    yield Line("Next", "title")
    yield from (Line(f"{number}. {step}") for number, step in enumerate(_steps(made), 1))


def _steps(made: Created) -> Iterator[str]:
    folder, package = made.folder, made.name.replace("-", "_")
    if made.role == "target":
        yield f"{folder}/{package}/__init__.py: say how the channel takes changes"
        yield f"{folder}/conformance.py: say how to try it; pytest tests/connectors/test_target_suite.py -k {made.name}"
        yield f"{folder}/README.md: describe it, and name it in README.md"
        yield "docs/guides/write-a-target.md tells each step"
        return
    argument = {"sql": "example.db", "files": "example"}.get(made.kind, "8801 &")
    yield f"python {folder}/conformance.py {argument}: an example to read; keep what it prints in state/example.json"
    yield f"snello tap try {made.name} --config state/example.json: the first rows of each stream"
    yield f"{folder}/{package}/__init__.py: say what your source is"
    if made.kind in ("rest", "graphql"):
        yield f"snello tap infer {made.name} --prune: write its schemas from what it reads; then snello tap try again"
    yield f"snello tap settings {made.name}: bring its settings in meltano.yml up to date"
    yield f"{folder}/README.md: describe it, and name it in README.md"
    yield "docs/guides/write-a-tap.md tells each step"
