"""Where the hub keeps its things."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from snello.errors import ConfigError
from snello.settings import environment_name, load, project_root, variable

PROJECT = """
default_environment: demo
env: {SNELLO_LEDGER: sqlite:///all.db}
environments:
- name: demo
  env: {SNELLO_LAKE: demo/lake, SNELLO_REFUSED_TOLERANCE: "0.5"}
- name: prod
  env: {SNELLO_LAKE: s3://bucket/lake}
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("MELTANO_PROJECT_ROOT", "MELTANO_ENVIRONMENT", "SNELLO_LAKE", "SNELLO_LEDGER", "SNELLO_SALT"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "meltano.yml").write_text(PROJECT)
    return tmp_path


def test_the_active_environment_of_the_project_gives_the_settings(project: Path) -> None:
    settings = load(project)
    assert settings.lake == str(project / "demo" / "lake")
    assert settings.ledger == f"sqlite:///{project / 'all.db'}"
    assert settings.refused_tolerance == 0.5


def test_another_environment_is_named_by_meltanos_variable(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MELTANO_ENVIRONMENT", "prod")
    assert load(project).lake == "s3://bucket/lake"


def test_what_meltano_reads_from_a_file_beside_is_read_too(project: Path) -> None:
    (project / ".env").write_text("MELTANO_ENVIRONMENT=prod\nSNELLO_SALT=grains\nSNELLO_LATE_HOURS=12\n")
    settings = load(project)
    assert (environment_name(project), settings.lake) == ("prod", "s3://bucket/lake")
    assert settings.salt.get_secret_value() == "grains"


def test_a_variable_that_is_no_setting_is_read_from_the_file_beside(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".env").write_text("SNELLO_LATE_HOURS=12\n")
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(project))
    assert variable("SNELLO_LATE_HOURS") == "12"


@pytest.mark.parametrize("written", ["$GRAINS", "${GRAINS}"])
@pytest.mark.parametrize("place", ["shell", "beside"])
def test_a_secret_that_the_project_names_is_filled_in_as_meltano_does(
    project: Path, monkeypatch: pytest.MonkeyPatch, written: str, place: str
) -> None:
    with (project / "meltano.yml").open("a") as file:
        file.write(f"- name: own\n  env: {{SNELLO_SALT: '{written}', SNELLO_LAKE: $MELTANO_PROJECT_ROOT/own}}\n")
    monkeypatch.setenv("MELTANO_ENVIRONMENT", "own")
    if place == "shell":
        monkeypatch.setenv("GRAINS", "of salt")
    else:
        (project / ".env").write_text("GRAINS='of salt'\n")
    settings = load(project)
    assert (settings.salt.get_secret_value(), settings.lake) == ("of salt", str(project / "own"))


# as the environment writes it, and what comes of it
WRITTEN = {
    "SNELLO_A": ("pa$word9", "pa$word9"),
    "SNELLO_B": (r"pa\$GRAINS", "pa$GRAINS"),
    "SNELLO_C": ("x${Mixed}y", "xmixedy"),
    "SNELLO_D": ("a$ABSENT-b", "a-b"),
    "SNELLO_E": ("$GRAINS", "beside"),
    "SNELLO_F": ("$HUB/x", "/srv/hub/x"),
    "SNELLO_G": ("$MELTANO_PROJECT_ROOT", "{root}"),
}


def test_a_variable_is_what_meltano_gives_its_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = {
        "project_id": "here",
        "send_anonymous_usage_stats": False,
        "env": {"HUB": "/srv/hub", "SNELLO_PLAIN": "$GRAINS"},
        "environments": [{"name": "own", "env": {name: written for name, (written, _) in WRITTEN.items()}}],
        "plugins": {"utilities": [{"name": "tool", "namespace": "tool", "executable": "./tool"}]},
    }
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(file))
    (tmp_path / ".env").write_text("GRAINS=beside\nMixed=mixed\nSNELLO_LATE_HOURS=12\n")
    (tmp_path / "tool").write_text("#!/bin/sh\nenv | grep ^SNELLO_\n")
    (tmp_path / "tool").chmod(0o755)
    monkeypatch.setenv("MELTANO_ENVIRONMENT", "own")
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path))
    monkeypatch.setenv("GRAINS", "shell")
    meltano = Path(sys.executable).with_name("meltano")
    told = subprocess.run([meltano, "invoke", "tool"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    theirs = dict(line.split("=", 1) for line in told.splitlines())
    wanted = {name: read.format(root=tmp_path) for name, (_, read) in WRITTEN.items()}
    wanted |= {"SNELLO_PLAIN": "$GRAINS", "SNELLO_LATE_HOURS": "12"}
    assert {name: theirs.get(name) for name in wanted} == wanted
    assert {name: variable(name) for name in wanted} == wanted


def test_a_file_beside_that_cannot_be_read_is_told(project: Path) -> None:
    (project / ".env").write_bytes("NAME=caffè".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"\.env cannot be read\. Next: make it readable, as UTF-8"):
        load(project)


def test_a_variable_of_the_process_wins(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_LAKE", "elsewhere")
    assert load(project).lake == str(project / "elsewhere")


def test_the_salt_is_never_shown(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_SALT", "canary-of-a-salt")
    assert "canary" not in repr(load(project))


def test_a_wrong_value_is_one_sentence_with_the_variables_name(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_REFUSED_TOLERANCE", "many")
    with pytest.raises(ConfigError, match=r"SNELLO_REFUSED_TOLERANCE: .* Next: set SNELLO_REFUSED_TOLERANCE"):
        load(project)


def test_a_project_file_that_is_not_yaml_is_one_sentence_with_its_line(project: Path) -> None:
    (project / "meltano.yml").write_text("a: [1\nb: 2\n")
    with pytest.raises(ConfigError, match=r"not valid YAML at line 2\. Next: mend the file"):
        load(project)


def test_a_folder_outside_of_any_project_says_so(tmp_path: Path) -> None:
    (tmp_path / "meltano.yml").unlink()
    with pytest.raises(ConfigError, match=r"no meltano\.yml"):
        project_root(tmp_path)
