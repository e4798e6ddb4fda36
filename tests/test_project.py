"""meltano.yml names everything that the repo holds, and nothing twice."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = yaml.safe_load((ROOT / "meltano.yml").read_text())
JOBS: dict[str, list[str]] = {job["name"]: job["tasks"] for job in PROJECT["jobs"]}
PLUGINS = {plugin["name"]: plugin for kind in PROJECT["plugins"].values() for plugin in kind}
CONNECTORS = sorted(path.parent.name for path in ROOT.glob("connectors/*/pyproject.toml"))
# Settings that the SDK gives every tap, which Meltano knows by the capability.
OF_THE_SDK = {
    "stream_maps",
    "stream_map_config",
    "faker_config",
    "flattening_enabled",
    "flattening_max_depth",
    "flattening_max_key_length",
    "flattening_separator",
}


def test_the_job_loop_runs_the_four_others_in_order() -> None:
    assert JOBS["loop"] == [task for name in ("extract", "unify", "activate", "measure") for task in JOBS[name]]


def test_every_scheduled_job_exists() -> None:
    assert {schedule["job"] for schedule in PROJECT["schedules"]} <= set(JOBS)


def test_no_two_pipelines_share_a_plugin_name() -> None:
    used = [name for task in JOBS["loop"] if " " in task for name in task.split()]
    assert len(used) == len(set(used))


def test_every_pipeline_names_plugins_that_exist() -> None:
    used = {name.split(":")[0] for tasks in JOBS.values() for task in tasks for name in task.split()}
    assert used <= set(PLUGINS)


@pytest.mark.parametrize("connector", CONNECTORS)
def test_every_connector_is_a_plugin_that_needs_no_install(connector: str) -> None:
    plugin = PLUGINS[connector]
    assert plugin["executable"] == connector
    assert "pip_url" not in plugin


@cache
def told(connector: str) -> dict[str, Any]:
    """The settings of a connector, as its installed command tells them."""
    command = shutil.which(connector, path=str(Path(sys.executable).parent))
    assert command, f"{connector} is not installed: make setup"
    done = subprocess.run([command, "--about", "--format=json"], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout)["settings"]["properties"])


@pytest.mark.parametrize("connector", CONNECTORS)
def test_every_setting_of_a_connector_is_known_to_meltano(connector: str) -> None:
    named = {setting["name"] for setting in PLUGINS[connector]["settings"]}
    assert named == told(connector).keys() - OF_THE_SDK, f"snello tap settings {connector}"


@pytest.mark.parametrize("connector", CONNECTORS)
def test_every_secret_of_a_connector_is_hidden_by_meltano(connector: str) -> None:
    shapes = told(connector)
    hidden = {setting["name"] for setting in PLUGINS[connector]["settings"] if setting.get("sensitive")}
    assert {name for name, shape in shapes.items() if shape.get("secret")} == hidden
