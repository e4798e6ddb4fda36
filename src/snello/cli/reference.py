"""Reference pages, made from the code: ``python -m snello.cli.reference docs/reference``."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from typer.main import get_command

from snello import errors
from snello.cli.app import build
from snello.cli.commands.plan import CHANGES
from snello.cli.connector import described, face
from snello.cli.connector.plugging import OF_THE_SDK
from snello.settings import VARIABLES, Settings, project_root

MADE = "<!-- made by `make docs`; do not edit -->\n\n"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines) + "\n"


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Each command that can be called, with its whole name; a group without a meaning of its own is none."""
    children = getattr(command, "commands", {})
    if not children or command.invoke_without_command:
        yield name, command
    for child in sorted(children):
        yield from _commands(children[child], f"{name} {child}")


def commands(_root: Path) -> str:
    """Every command of ``snello`` with its arguments and options."""
    text = f"# Commands\n\n{MADE}"
    for name, command in _commands(get_command(build()), "snello"):
        text += f"## `{name}`\n\n{(command.help or '').strip()}\n\n"
        context = command.make_context(name, [], resilient_parsing=True)
        rows = [
            (f"`{record[0]}`", " ".join(record[1].split()))
            for parameter in command.params
            if (record := parameter.get_help_record(context))
        ]
        text += table(("argument or option", "meaning"), rows) if rows else ""
    return text


def _about(package: Path) -> dict[str, Any]:
    command = Path(sys.executable).parent / package.name
    told = subprocess.run([command, "--about", "--format=json"], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def connectors(root: Path) -> str:
    """Every connector with its settings, streams and limits, found by glob."""
    packages = sorted(path.parent for path in root.glob("connectors/*/pyproject.toml"))
    abouts = {package: _about(package) for package in packages}
    rows = [(f"[`{package.name}`](#{package.name})", about["description"]) for package, about in abouts.items()]
    text = f"# Connectors\n\n{MADE}{table(('connector', 'what it is'), rows)}"
    return text + "".join(_connector(package, about) for package, about in abouts.items())


def _connector(package: Path, about: dict[str, Any]) -> str:
    text = f"## `{package.name}`\n\n[{package.name}/README.md](../../connectors/{package.name}/README.md)\n\n"
    required = set(about["settings"].get("required", []))
    shapes = {n: each for n, each in about["settings"]["properties"].items() if not n.startswith(OF_THE_SDK)}
    rows = [
        (f"`{name}`", "yes" if name in required else "", " ".join(str(shape.get("description") or "").split()))
        for name, shape in shapes.items()
    ]
    text += table(("setting", "required", "meaning"), rows)
    read = list(described.streams(package, package.name)) if package.name.startswith("tap-") else []
    text += table(("stream", "key", "read"), read) if read else ""
    points = described.limits(package)
    return text + ("Limits:\n\n" + "".join(f"- {_here(point, package)}\n" for point in points) + "\n" if points else "")


def _here(text: str, package: Path) -> str:
    """A text of a README with its links as they are from here."""
    return re.sub(r"\]\((?!\w+:|#)([^)]+)\)", rf"](../../connectors/{package.name}/\1)", text)


def kit(_root: Path) -> str:
    """What authors of connectors may import."""
    text = f"# The connector kit\n\n{MADE}"
    for module, meaning, names in face.parts():
        text += f"## `{module}`\n\n{meaning}\n\n"
        text += table(("name", "what it is"), [(f"`{told.called}`", told.meaning) for _, told in names])
        text += "".join(_named(name, told) for name, told in names)
    return text


def _named(name: str, told: face.Named) -> str:
    """What there is to say of a name beyond its line: its parameters, where any has a meaning, and its points."""
    text = f"### `{name}`\n\n{told.meaning}\n\n"
    rows = [(f"`{p.name}`", _code(p.type), _code(p.default), p.meaning) for p in told.parameters]
    text += table(("parameter", "type", "default", "meaning"), rows) if rows else ""
    text += "".join(f"- {point}\n" for point in told.points) + "\n" * bool(told.points)
    return text if told.points or any(p.meaning for p in told.parameters) else ""


def _code(text: str) -> str:
    return f"`{text}`" if text and text != face.REQUIRED else text


def tables(root: Path) -> str:
    """Every published table with its grain and columns, from the dbt project."""
    text = f"# Tables\n\n{MADE}"
    for folder in ("marts", "segments", "activation", "measure"):
        text += f"## {folder}\n\n"
        for path in sorted(root.glob(f"transform/models/{folder}/**/*.yml")):
            for model in yaml.safe_load(path.read_text()).get("models", []):
                text += f"### `{model['name']}`\n\n{' '.join(model['description'].split())}\n\n"
                rows = [
                    (f"`{c['name']}`", str(c.get("data_type", "")), " ".join(str(c.get("description", "")).split()))
                    for c in model.get("columns", [])
                ]
                text += table(("column", "type", "meaning"), rows) if rows else ""
    return text


def settings(_root: Path) -> str:
    """The hub's own settings and exit codes."""
    rows = [
        (
            f"`SNELLO_{name.upper()}`",
            "secret" if "Secret" in str(field.annotation) else f"`{field.default}`",
            str(field.description),
        )
        for name, field in Settings.model_fields.items()
    ]
    variables = [(f"`{name}`", meaning) for name, meaning in VARIABLES.items()]
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.SnelloError)]
    codes = [(str(k.exit_code), f"`{k.__name__}`", str(k.__doc__).split("\n")[0]) for k in kinds if k.exit_code > 1]
    codes.append(
        (str(CHANGES), "`snello plan`", "With `--detailed-exit-code`: publishing the plan would change something.")
    )
    return (
        f"# Settings and exit codes\n\n{MADE}## Settings\n\n"
        "From the environment, else from the `env` of the active environment of `meltano.yml`.\n\n"
        f"{table(('variable', 'default', 'meaning'), rows)}"
        f"From the environment alone:\n\n{table(('variable', 'meaning'), variables)}## Exit codes\n\n"
        f"0 is success, 1 an unforeseen fault, 130 Ctrl-C.\n\n{table(('code', 'kind', 'meaning'), codes)}"
    )


PAGES: dict[str, Callable[[Path], str]] = {
    "commands.md": commands,
    "connectors.md": connectors,
    "kit.md": kit,
    "settings.md": settings,
    "tables.md": tables,
}


def write(folder: Path, root: Path) -> None:
    """Write every page into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page(root).rstrip() + "\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]), project_root())
