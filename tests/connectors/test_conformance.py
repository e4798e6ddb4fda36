"""What every connector must have, whoever wrote it; connectors are found, never listed."""

from __future__ import annotations

import ast
import importlib
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from snello.kit.testing import run

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent for path in ROOT.glob("connectors/*/pyproject.toml"))
MOST_LINES = 350
DECLARED = (60, 40, 7)  # lines of a module of a tap with schemas: the first, or the second and the third a stream
OF_THE_SDK = re.compile(r"stream_map|faker_config|flattening_|batch_config|emit_activate_version")

every_connector = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
every_tap = pytest.mark.parametrize(
    "folder", [folder for folder in FOLDERS if folder.name.startswith("tap-")], ids=lambda folder: folder.name
)


def module_of(folder: Path) -> str:
    return folder.name.replace("-", "_")


def main_of(folder: Path) -> Callable[[], None]:
    main: Callable[[], None] = importlib.import_module(module_of(folder)).main
    return main


def about(folder: Path) -> dict[str, Any]:
    done = run(main_of(folder), None, "--about", "--format", "json")
    assert done.code == 0
    found: dict[str, Any] = json.loads(done.out)
    return found


def own_settings(folder: Path) -> dict[str, dict[str, Any]]:
    properties: dict[str, dict[str, Any]] = about(folder)["settings"]["properties"]
    return {name: each for name, each in properties.items() if not OF_THE_SDK.match(name)}


def nested_names(shape: Any) -> Iterator[str]:
    """Names of settings inside a setting: of lists of objects, and of objects by name."""
    if isinstance(shape, list):
        for each in shape:
            yield from nested_names(each)
    elif isinstance(shape, dict):
        yield from shape.get("properties", {})
        for inner in (*shape.get("properties", {}).values(), shape.get("items"), shape.get("additionalProperties")):
            yield from nested_names(inner)
        yield from nested_names(shape.get("anyOf"))


def test_there_are_connectors_to_check() -> None:
    assert len(FOLDERS) >= 4


@every_connector
def test_the_package_carries_the_name_of_its_folder_and_one_command(folder: Path) -> None:
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == folder.name
    assert project["scripts"] == {folder.name: f"{module_of(folder)}:main"}
    assert "snello" in project["dependencies"]
    installed = [point for point in entry_points(group="console_scripts") if point.name == folder.name]
    assert [point.value for point in installed] == [f"{module_of(folder)}:main"], "run `make setup`"


@every_connector
def test_the_module_says_in_one_docstring_what_it_is(folder: Path) -> None:
    module = importlib.import_module(module_of(folder))
    assert module.__doc__
    assert module.__doc__.strip().partition("\n")[0].endswith((".", ":"))


@every_connector
def test_about_tells_name_and_a_description_for_every_setting(folder: Path) -> None:
    told = about(folder)
    assert told["name"] == folder.name
    assert told["description"]
    assert told["settings"]["properties"]
    assert [name for name, each in own_settings(folder).items() if not each.get("description")] == []


@every_connector
def test_the_version_is_that_of_the_package(folder: Path) -> None:
    version = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["version"]
    done = run(main_of(folder), None, "--version")
    assert (done.code, done.out.partition(",")[0]) == (0, f"{folder.name} v{version}")


@every_connector
def test_an_unknown_setting_is_refused_in_one_sentence_with_the_nearest_name(folder: Path) -> None:
    setting = max(own_settings(folder), key=len)
    wrong = setting[:-1] + ("x" if setting[-1] != "x" else "y")
    done = run(main_of(folder), {wrong: "canary-value"})
    assert done.code == 2
    assert done.last_line.startswith(f"{folder.name}: unknown setting {wrong}. Next: did you mean {setting!r}?")
    assert "canary-value" not in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


@every_connector
def test_a_secret_of_the_wrong_type_is_never_repeated(folder: Path) -> None:
    for name, each in own_settings(folder).items():
        if each.get("secret"):
            done = run(main_of(folder), {name: ["canary-value"]})
            assert done.code == 2
            assert "canary-value" not in done.err + done.out


@every_connector
def test_the_readme_lists_every_setting_and_the_limits(folder: Path) -> None:
    readme = (folder / "README.md").read_text()
    for heading in ("# " + folder.name, "## Settings", "## Limits"):
        assert re.search(rf"^{heading}$", readme, re.MULTILINE), f"{folder.name}/README.md has no heading {heading!r}"
    assert "```yaml" in readme, "an example for meltano.yml is missing"
    own = own_settings(folder)
    assert [name for name in (*own, *nested_names(list(own.values()))) if f"`{name}`" not in readme] == []


@every_tap
def test_the_readme_of_a_tap_lists_every_stream(folder: Path) -> None:
    readme = (folder / "README.md").read_text()
    assert re.search("^## Streams$", readme, re.MULTILINE)
    schemas = [path.stem for path in folder.glob(f"{module_of(folder)}/schemas/*.json")]
    assert [name for name in schemas if f"`{name}`" not in readme] == []


@every_tap
def test_every_declared_schema_describes_each_of_its_fields(folder: Path) -> None:
    for path in folder.glob(f"{module_of(folder)}/schemas/*.json"):
        schema = json.loads(path.read_text())
        assert schema["properties"], path
        assert [name for name, each in schema["properties"].items() if not each.get("description")] == [], path


def most_lines(folder: Path, path: Path) -> int:
    if not any(folder.glob(f"{module_of(folder)}/schemas/*.json")):
        return MOST_LINES
    tree = ast.parse(path.read_text())
    streams = [each for each in tree.body if isinstance(each, ast.ClassDef) and "name" in assigned(each)]
    least, base, a_stream = DECLARED
    return max(least, base + a_stream * len(streams))


def assigned(of: ast.ClassDef) -> set[str]:
    """Names that a class gives a value, be it one by one or several in a line."""
    targets = [target for each in of.body if isinstance(each, ast.Assign) for target in each.targets]
    return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


@every_connector
def test_a_module_is_at_most_350_lines_long_and_of_a_tap_with_schemas_40_and_7_a_stream_or_60(folder: Path) -> None:
    for path in sorted(folder.glob(f"{module_of(folder)}/*.py")):
        lines, most = len(path.read_text().splitlines()), most_lines(folder, path)
        cure = "split it into modules, or move what is general into snello.kit"
        assert lines <= most, f"{folder.name}/{path.name} has {lines} lines, at most {most} are read. Next: {cure}."
