"""How many lines of Python a tap is, schemas aside: every tap under ``connectors/``.

.venv/bin/python bench/tap_lines.py

Blank lines and docstrings count. The conformance file is a test's and does not.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]


def lines(folder: Path) -> dict[str, int]:
    """Lines of each module of a package."""
    return {path.name: len(path.read_text().splitlines()) for path in sorted(folder.glob("*/*.py"))}


def main() -> None:
    totals = {}
    for folder in sorted(path.parent for path in ROOT.glob("connectors/tap-*/pyproject.toml")):
        found = lines(folder)
        totals[folder.name] = sum(found.values())
        parts = ", ".join(f"{name} {count}" for name, count in found.items()) if len(found) > 1 else ""
        print(f"  {folder.name:<18} {totals[folder.name]:>4}  {parts}")
    over_http = [count for name, count in totals.items() if name not in ("tap-sql", "tap-files", "tap-activation")]
    print(f"  median {median(totals.values()):.0f}; of those over HTTP {median(over_http):.0f}")


if __name__ == "__main__":
    main()
