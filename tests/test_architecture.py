"""Who may import whom: the floors of the hub, found by looking."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "snello"
CONNECTORS = sorted(path.parent for path in ROOT.glob("connectors/*/pyproject.toml"))

HTTP = {"aiohttp", "http", "httpx", "requests", "urllib3"}

# Low to high: a part imports itself and what stands on a lower floor.
FLOORS = (
    {"errors"},
    {"settings"},
    {"identifiers"},
    {"identity", "lake", "sandbox"},
    {"activation"},
    {"dbt"},
    {"kit"},
    {"watch"},
    {"cli"},
)
FLOOR_OF = {part: floor for floor, parts in enumerate(FLOORS) for part in parts}


def modules() -> Iterator[tuple[str, Path]]:
    """Dotted name and path of every module of ours."""
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path: Path) -> set[str]:
    """Every module name that a file imports, those only for type checkers included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            found.add("relative import")
    return found


def part(module: str) -> str | None:
    """The part of the hub that a module belongs to."""
    names = module.split(".")
    return names[1] if names[0] == "snello" and len(names) > 1 else None


def test_every_part_stands_on_a_floor() -> None:
    assert {part(name) for name, _ in modules()} - {None} <= set(FLOOR_OF)


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_imports_point_down(name: str, path: Path) -> None:
    here = part(name)
    for imported in imports(path):
        there = part(imported)
        if here is None or there is None or there == here or there not in FLOOR_OF:
            continue
        assert FLOOR_OF[there] < FLOOR_OF[here], f"{name} imports {imported} from a floor that is not lower"


def test_no_module_imports_in_a_circle() -> None:
    known = {name for name, _ in modules()}
    # what is imported is a module itself, or a name in one
    named = {i: i if i in known else i.rpartition(".")[0] for _, path in modules() for i in imports(path)}
    graph = {name: {named[i] for i in imports(path)} & known - {name} for name, path in modules()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(known)


@pytest.mark.parametrize("connector", CONNECTORS, ids=lambda path: path.name)
def test_a_connector_imports_the_kit_and_nothing_else_of_ours(connector: Path) -> None:
    packages = {path.name.replace("-", "_") for path in CONNECTORS}
    own = connector.name.replace("-", "_")
    for path in connector.rglob("*.py"):
        for imported in imports(path):
            top = imported.split(".")[0]
            assert top not in packages - {own}, f"{path.name} imports another connector: {imported}"
            allowed = {"kit", "sandbox", None} if path == connector / "conformance.py" else {"kit", None}
            assert top != "snello" or part(imported) in allowed, f"{path.name} imports {imported}"


@pytest.mark.parametrize(
    "tap", [path for path in CONNECTORS if path.name.startswith("tap-")], ids=lambda path: path.name
)
def test_a_tap_leaves_http_to_the_kit(tap: Path) -> None:
    for path in tap.rglob("*.py"):
        tops = {imported.split(".")[0] for imported in imports(path)}
        known = set() if path == tap / "conformance.py" else tops & HTTP
        assert not known, f"{tap.name}/{path.name} imports {known}. Next: let snello.kit.http do what it lacks"


def test_the_sandbox_is_known_to_the_command_line_alone() -> None:
    users = {part(name) for name, path in modules() if any(part(i) == "sandbox" for i in imports(path))}
    assert users <= {"sandbox", "cli"}
