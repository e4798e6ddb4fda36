"""Connectors are made from templates, and what is made works: installed, run, and put through the suites."""

from __future__ import annotations

import ast
import difflib
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from deltalake import DeltaTable

from snello.cli.connector.face import described
from snello.cli.connector.names import names
from snello.cli.connector.rendering import KINDS
from snello.kit import http, rest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guides" / "write-a-tap.md"
MADE = {**{f"tap-my-{kind}": kind for kind in KINDS}, "target-my-mail": "target"}
ROWS = {
    "rest": {"customers": 110, "orders": 11},
    "graphql": {"customers": 250},
    "sql": {"customers": 250, "orders": 250},
    "files": {"customers": 250, "orders": 250},
}


@dataclass
class Workshop:
    """A project of its own in an environment of its own, on top of this one."""

    root: Path
    environment: Path
    told: dict[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if k not in ("MELTANO_PROJECT_ROOT", "PYTHONPATH")}
        return {
            **inherited,
            "PATH": os.pathsep.join(
                (str(self.environment / "bin"), str(Path(sys.executable).parent), os.environ["PATH"])
            ),
        }

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, cwd=self.root, env=self.variables, capture_output=True, text=True, check=False, timeout=600
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done

    def command(self, name: str, code: str) -> None:
        path = self.environment / "bin" / name
        path.write_text(f'#!/bin/sh\nexec "{self.environment}/bin/python" {code} "$@"\n')
        path.chmod(0o755)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A workshop in which nothing was made yet."""
    home = tmp_path_factory.mktemp("workshop")
    made = Workshop(home / "project", home / "environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made.environment], check=True)
    packages = next((made.environment / "lib").glob("python*")) / "site-packages"
    (packages / "beneath.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    made.command("snello", "-c 'from snello.cli import main; main()'")
    made.command("pytest", f"-m pytest -c {ROOT / 'pyproject.toml'} --rootdir . -p no:cacheprovider -q")
    (made.root / "tests" / "connectors").mkdir(parents=True)
    shutil.copyfile(ROOT / "meltano.yml", made.root / "meltano.yml")
    for test in ("test_project.py", "connectors/test_conformance.py", "connectors/test_tap_suite.py",
                 "connectors/test_target_suite.py"):  # fmt: skip
        shutil.copyfile(ROOT / "tests" / test, made.root / "tests" / test)
    return made


@pytest.fixture(scope="module")
def workshop(bare: Workshop) -> Workshop:
    """A workshop in which one connector of each kind was made by the command."""
    for name, kind in MADE.items():
        role, _, plain = name.partition("-")
        arguments = ("--kind", kind) if role == "tap" else ()
        bare.told[name] = bare.run("snello", "new", role, plain, *arguments).stdout
    return bare


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_of_{path.parent.name.replace('-', '_')}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---------------------------------------------------------------- what is made


@pytest.mark.parametrize("name", MADE)
def test_every_kind_is_made_installed_and_put_into_meltano_yml(workshop: Workshop, name: str) -> None:
    told = workshop.told[name].splitlines()
    assert f"ok    {name} is installed in this environment" in told
    assert f"ok    meltano.yml: plugin {name} added, with its settings" in told
    assert (workshop.environment / "bin" / name).exists()


def test_meltano_yml_keeps_every_line_that_it_had(workshop: Workshop) -> None:
    before = (ROOT / "meltano.yml").read_text().splitlines()
    after = (workshop.root / "meltano.yml").read_text().splitlines()
    changes = [line for line in difflib.ndiff(before, after) if line[0] in "+-?"]
    assert {line[0] for line in changes} == {"+"}
    plugins = yaml.safe_load("\n".join(after))["plugins"]
    assert {plugin["name"] for plugin in plugins["extractors"]} >= {name for name in MADE if name.startswith("tap-")}
    assert plugins["loaders"][-1]["name"] == "target-my-mail"


def test_what_is_made_passes_what_every_connector_must(workshop: Workshop) -> None:
    done = workshop.run("pytest", "tests/connectors/test_conformance.py", "tests/test_project.py")
    assert re.search(r"^\d\d+ passed in", done.stdout, re.MULTILINE), done.stdout


def test_what_is_made_is_formatted_and_clean(workshop: Workshop) -> None:
    ruff = (sys.executable, "-m", "ruff")
    own = (
        "--config",
        str(ROOT / "pyproject.toml"),
        "--config",
        "lint.isort.known-first-party=['snello']",
        "--no-cache",
    )
    workshop.run(*ruff, "check", *own, "connectors")
    workshop.run(*ruff, "format", "--check", *own, "connectors")


@pytest.mark.parametrize("kind", KINDS)
def test_a_tap_reads_its_example_and_a_second_run_goes_on_from_there(workshop: Workshop, kind: str) -> None:
    name = f"tap-my-{kind}"
    example: Any = loaded(workshop.root / "connectors" / name / "conformance.py")
    with example.serving() as url:
        config = workshop.root / f"{name}.json"
        config.write_text(json.dumps(example.config(url)))
        arguments = (name, "--config", str(config))
        found = json.loads(workshop.run(*arguments, "--discover").stdout)
        first = messages(workshop.run(*arguments).stdout)
        state = workshop.root / f"{name}-state.json"
        state.write_text(json.dumps([each for each in first if each["type"] == "STATE"][-1]["value"]))
        second = messages(workshop.run(*arguments, "--state", str(state)).stdout)
    assert {entry["stream"] for entry in found["streams"]} - {"_quarantine"} == set(ROWS[kind])
    assert counts(first) == ROWS[kind]
    assert sum(counts(second).values()) < sum(ROWS[kind].values()) / 10


def messages(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def counts(found: list[dict[str, Any]]) -> dict[str, int]:
    return dict(Counter(each["stream"] for each in found if each["type"] == "RECORD"))


@pytest.mark.long
def test_the_taps_pass_the_suite_against_their_examples(workshop: Workshop) -> None:
    done = workshop.run("pytest", "tests/connectors/test_tap_suite.py")
    assert re.search(r"^\d\d+ passed in", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.long
def test_a_target_passes_cases_of_the_suite_against_its_example(workshop: Workshop) -> None:
    cases = (
        "says_how_it_is_tried", "audience_becomes", "second_run", "members_who_leave", "rows_of_others",
        "unknown_consent", "killed_after_the_effect_of_its_first", "one_bad_row", "a_500_after_the_effect_is",
    )  # fmt: skip
    done = workshop.run("pytest", "tests/connectors/test_target_suite.py", "-k", " or ".join(cases), check=False)
    assert re.search(rf"^{len(cases)} passed, \d+ deselected", done.stdout, re.MULTILINE), done.stdout


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("given", ["My Shop", "shop_2", "2shop", "-", "", "shop-", "a" * 41, "tap-", "négoce", "../x"])
def test_a_bad_name_is_refused_in_one_sentence_and_nothing_is_made(
    empty: Any, snello: Callable[..., Any], given: str
) -> None:
    told = snello("new", "tap", "--no-install", "--", given)
    assert told.code == 2
    assert told.err.startswith(f"snello new tap: {given!r} is no name for a tap. Next: take lower-case letters, digits")
    assert sorted(path.name for path in empty.root.iterdir()) == ["meltano.yml"]


def test_a_name_that_is_nearly_right_is_put_right(empty: Any, snello: Callable[..., Any]) -> None:
    assert "such as 'my-shop'" in snello("new", "tap", "My Shop!", "--no-install").err


def test_a_folder_that_is_there_is_left_alone(empty: Any, snello: Callable[..., Any]) -> None:
    folder = empty.root / "connectors" / "tap-shop"
    folder.mkdir(parents=True)
    told = snello("new", "tap", "shop", "--no-install")
    assert (told.code, told.err) == (
        2,
        "snello new tap: connectors/tap-shop is there already. Next: take another name.\n",
    )
    assert list(folder.iterdir()) == []


def test_an_unknown_kind_is_told_with_the_ones_there_are(empty: Any, snello: Callable[..., Any]) -> None:
    told = snello("new", "tap", "shop", "--kind", "rset", "--no-install")
    assert told.code == 2
    assert "there is no kind 'rset'. Next: did you mean 'rest'? valid: files, graphql, rest, sql." in told.err


def test_a_file_without_plugins_of_the_kind_gets_a_snippet_to_paste(empty: Any, snello: Callable[..., Any]) -> None:
    told = snello("new", "tap", "paste-me", "--kind", "sql", "--no-install")
    assert told.code == 0
    assert "note  tap-paste-me is not installed. Next: make setup" in told.out
    pasted = told.out.partition("paste this into it:\n")[2].partition("\nNext\n")[0]
    (plugin,) = yaml.safe_load(pasted)
    assert (plugin["name"], plugin["executable"]) == ("tap-paste-me", "tap-paste-me")
    assert {"name": "url", "kind": "string", "sensitive": True}.items() <= plugin["settings"][0].items()
    assert (empty.root / "meltano.yml").read_text() == "project_id: test\n"


@pytest.mark.parametrize("given", ["my-shop", "tap-my-shop"])
def test_a_name_is_the_same_everywhere(given: str) -> None:
    found = names("tap", given)
    assert (found.name, found.package, found.class_name, found.title, found.variable) == (
        "tap-my-shop",
        "tap_my_shop",
        "TapMyShop",
        "My Shop",
        "TAP_MY_SHOP",
    )


# ---------------------------------------------------------------- the guide


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.long
def test_every_command_of_the_guide_runs(bare: Workshop) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    lines = [line.replace("8801", port) for block in blocks("console") for line in block.splitlines()]
    assert lines[:2] == ["source .venv/bin/activate", "snello new tap my-shop"]
    with ExitStack() as example:
        for line in lines[1:]:
            if line.endswith(" &"):
                example.enter_context(background(bare, line))
            elif line.startswith("meltano run "):
                before = (bare.root / "meltano.yml").read_bytes()
                plug_in(bare, blocks("yaml")[0], json.loads((bare.root / "state" / "example.json").read_text()))
                bare.run("sh", "-c", line)
                (bare.root / "meltano.yml").write_bytes(before)
            else:
                bare.run("sh", "-c", line)
    assert counts(messages((bare.root / "state" / "rows.jsonl").read_text())) == ROWS["rest"]
    lake = bare.root / "demo" / "lake" / "raw" / "my_shop"
    assert {stream: DeltaTable(lake / stream).count() for stream in ROWS["rest"]} == ROWS["rest"]


def plug_in(workshop: Workshop, told: str, config: dict[str, Any]) -> None:
    """What the guide adds to meltano.yml, with the example's settings; secrets stay in the environment."""
    file = workshop.root / "meltano.yml"
    project, added = yaml.safe_load(file.read_text()), yaml.safe_load(told)
    (extractor,) = added["plugins"]["extractors"]
    (plugin,) = (each for each in project["plugins"]["extractors"] if each["name"] == extractor["name"])
    plugin["config"] = {name: config[name] for name in extractor["config"]}
    project["plugins"]["loaders"] += added["plugins"]["loaders"]
    project["jobs"] += added["jobs"]
    file.write_text(yaml.safe_dump(project))
    (workshop.root / ".env").write_text(f"TAP_MY_SHOP_TOKEN={config['token']}\n")


@contextmanager
def background(workshop: Workshop, line: str) -> Iterator[None]:
    """A line such as ``command > file &``; goes on once the command has said what it has to say."""
    found = re.fullmatch(r"(.+) > (\S+) &", line)
    assert found
    with subprocess.Popen(
        found[1].split(), cwd=workshop.root, env=workshop.variables, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        (workshop.root / found[2]).write_text(process.stdout.readline())
        try:
            yield
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("number", "name", "streams", "secret"),
    [(0, "TapShop", ["customers", "orders", "refunds"], "key"), (1, "TapMailman", ["lists", "addresses"], "password")],
)
def test_the_manifests_of_the_guide_are_taps(number: int, name: str, streams: list[str], secret: str) -> None:
    code = blocks("python")[number]
    defined: dict[str, Any] = {"__name__": "guide"}
    exec(compile(code, "guide", "exec", dont_inherit=True), defined)
    tap = defined[name]
    assert [stream.name for stream in tap.stream_classes] == streams
    assert tap.config_jsonschema["properties"][secret]["secret"] is True


def test_the_plugin_of_the_guide_is_yaml_with_a_job_for_it() -> None:
    (text,) = blocks("yaml")
    found = yaml.safe_load(text)
    (task,) = found["jobs"][0]["tasks"]
    assert task.split() == [found["plugins"]["extractors"][0]["name"], found["plugins"]["loaders"][0]["name"]]


def known() -> dict[str, Any]:
    """What an example of the guide may use."""
    parts = {name: getattr(part, name) for part in (http, rest) for name in part.__all__}
    return {**parts, "timedelta": timedelta, "Customers": type("Customers", (rest.RestStream,), {"name": "customers"})}


def test_the_guide_tells_every_attribute_of_a_stream() -> None:
    told = set(re.findall(r"^\| `(\w+)` \|", GUIDE.read_text(), re.MULTILINE))
    of_the_sdk = {"name", "primary_keys", "replication_key"}
    internal = {"state_partitioning_keys"}
    assert told == (set(rest.RestStream.__annotations__) | of_the_sdk) - internal


@pytest.mark.parametrize(
    "name",
    ["Values", "Errors", "Compare", "Limit", "Retry", "page_number", "offset", "cursor", "next_link", "keyset"],
)
def test_the_guide_tells_every_parameter_with_its_type_and_default(name: str) -> None:
    lines = [line.replace("\\|", "¦") for line in GUIDE.read_text().splitlines() if line.startswith(f"| `{name}.")]
    told = [[cell.strip().replace("`", "").replace("¦", "|") for cell in line.split("|")[1:-1]] for line in lines]
    assert [each[:3] for each in told] == [
        [f"{name}.{parameter.name}", parameter.type, parameter.default]
        for parameter in described(name, getattr(rest, name)).parameters
    ]
    assert all(each[3] for each in told)


def test_the_guide_names_every_setting_that_all_rest_taps_have() -> None:
    (told,) = re.findall(r"`RestSettings` brings (.+?)\. ", GUIDE.read_text())
    assert set(re.findall(r"`(\w+)`", told)) == set(rest.RestSettings.model_fields)


def test_every_example_of_the_guides_tables_is_right() -> None:
    examples = [
        cell for line in GUIDE.read_text().splitlines() if line.startswith("| ") for cell in line.split("|")[2:]
    ]
    codes = [code for cell in examples for code in re.findall(r"`([^`]+)`", cell)]
    checked = [code for code in codes if "(" in code or " = " in code]
    assert len(checked) > 40
    for code in checked:
        tree = ast.parse(code)
        exec(compile(tree, code, "exec"), known())
