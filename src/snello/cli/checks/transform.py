"""Does the dbt project parse, does every sync in it validate, and does each contract carry the sync's key?"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from snello.activation import Sync
from snello.cli.checks.finding import Finding, Findings
from snello.cli.checks.ground import LOADERS, Ground
from snello.errors import ConfigError, ContractError, choices

_SECONDS = 120


def check(ground: Ground) -> Iterator[Finding]:
    """The project, then each sync in it."""
    findings = Findings("transform")
    models: list[dict[str, Any]] = []
    with findings.ask("dbt project"):
        models = _models(ground)
    for model in models:
        raw = (model["config"].get("meta") or {}).get("sync")
        if raw is not None:
            with findings.ask(f"sync {model['name']}"):
                _sync(ground, model, raw)
    yield from findings.found


def _models(ground: Ground) -> list[dict[str, Any]]:
    """Every enabled model of the project, as dbt understands it."""
    project = ground.root / "transform"
    if not (project / "dbt_project.yml").is_file():
        raise ConfigError("transform", f"no dbt project in {project}", "put dbt_project.yml there")
    dbt = shutil.which("dbt") or str(Path(sys.executable).with_name("dbt"))
    with tempfile.TemporaryDirectory(prefix="snello-") as folder:
        asked = [dbt, "--quiet", "--log-format=json", "--no-use-colors", "parse"]
        asked += [f"--project-dir={project}", f"--profiles-dir={project}", f"--target-path={folder}"]
        asked += [f"--log-path={folder}"]
        told = subprocess.run(
            asked, capture_output=True, text=True, check=False, env=_environment(ground), timeout=_SECONDS
        )
        if told.returncode:
            raise ConfigError("transform", _reason(told.stdout), "mend the project, then run `dbt parse`")
        manifest = json.loads(Path(folder, "manifest.json").read_text())
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def _environment(ground: Ground) -> dict[str, str]:
    hub = ground.hub
    given = {
        "SNELLO_LAKE": hub.lake,
        "SNELLO_LEDGER": hub.ledger,
        "SNELLO_WAREHOUSE": str(hub.warehouse),
        "SNELLO_SALT": hub.salt.get_secret_value(),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    return os.environ | given


def _reason(output: str) -> str:
    """dbt's own words for why it does not parse, on one line."""
    for line in reversed(output.splitlines()):
        try:
            message = str(json.loads(line)["info"]["msg"])
        except (ValueError, KeyError, TypeError):
            continue
        words = " ".join(message.replace("Encountered an error:", " ").split())
        if words:
            return words[:400]
    return "dbt cannot parse it"


def _sync(ground: Ground, model: dict[str, Any], raw: dict[str, Any]) -> None:
    sync = Sync.read(model["name"], raw)
    targets = [plugin.name for plugin in ground.plugins.values() if plugin.kind == LOADERS]
    where = f"sync {sync.name}"
    if sync.target not in targets:
        raise ConfigError(where, f"no target {sync.target!r} in meltano.yml", choices(sync.target, targets))
    if not (model.get("contract") or {}).get("enforced"):
        what = "its model has no enforced contract"
        raise ContractError(where, what, "set config: contract: {enforced: true} in the model's YAML")
    if sync.key not in model["columns"]:
        what = f"the contract of its model has no column {sync.key!r}"
        raise ContractError(where, what, f"declare the column, or set key; {choices(sync.key, model['columns'])}")
