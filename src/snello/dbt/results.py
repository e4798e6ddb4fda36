"""What the last dbt command built, and whether all of it may be shown to others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snello.errors import ContractError

_PUBLISHED_FOLDERS = ("marts", "segments", "activation", "measure")
_GOOD = ("success", "pass", "warn")


@dataclass(frozen=True)
class Model:
    """A model that is published: its name in the lake and its relation in the warehouse."""

    unique_id: str
    table: str
    relation: str
    meta: dict[str, Any]

    @property
    def name(self) -> str:
        """The model's name in the dbt project."""
        return self.unique_id.rpartition(".")[2]


@dataclass(frozen=True)
class Build:
    """One dbt command: the project as it was, and what came of each node."""

    nodes: dict[str, dict[str, Any]]
    status: dict[str, str]
    run_id: str

    @classmethod
    def of(cls, target_dir: Path) -> Build:
        """The last command, from dbt's ``manifest.json`` and ``run_results.json`` in ``target_dir``."""
        manifest, results = (_read(target_dir / name) for name in ("manifest.json", "run_results.json"))
        return cls(
            {**manifest["nodes"], **manifest.get("unit_tests", {})},
            {result["unique_id"]: str(result["status"]) for result in results["results"]},
            results["metadata"]["invocation_id"],
        )

    def models(self) -> list[Model]:
        """The models of the project that are published, whether built this time or not."""
        return [
            _model(unique_id, node)
            for unique_id, node in sorted(self.nodes.items())
            if node["resource_type"] == "model" and _is_published(node)
        ]

    def passed(self) -> list[Model]:
        """The published models that the command built.

        Raises ``ContractError`` naming what failed or was skipped: a model, a test of one, or a test that was not run.
        """
        built = [model for model in self.models() if model.unique_id in self.status]
        if not built:
            raise ContractError(
                "publish", "the last dbt command built no published model", "run `dbt build`, then publish again"
            )
        found = {fault for model in built for fault in self._faults(model)}
        if found:
            causes = self._causes()
            faults = [*causes, *sorted(found - set(causes))]
            more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
            raise ContractError(
                "publish", f"{'; '.join(faults[:3])}{more}; nothing is published", "mend it and run `dbt build` again"
            )
        return built

    def _causes(self) -> list[str]:
        """What failed by itself, wherever it stands: the rest was skipped because of it."""
        return sorted(
            self._told(unique_id) for unique_id, status in self.status.items() if status not in (*_GOOD, "skipped")
        )

    def _told(self, unique_id: str) -> str:
        node = self.nodes.get(unique_id, {"resource_type": "node", "name": unique_id})
        kind = "test" if node["resource_type"] in ("test", "unit_test") else node["resource_type"]
        return f"{kind} {node['name']} ended as {self.status[unique_id]!r}"

    def _faults(self, model: Model) -> Iterator[str]:
        if self.status[model.unique_id] not in _GOOD:
            yield self._told(model.unique_id)
        for unique_id, node in self.nodes.items():
            if node["resource_type"] not in ("test", "unit_test"):
                continue
            if model.unique_id not in node["depends_on"]["nodes"]:
                continue
            if unique_id in self.status and self.status[unique_id] not in _GOOD:
                yield self._told(unique_id)
            elif unique_id not in self.status and node["resource_type"] == "test":
                yield f"test {node['name']} was not run"


def _is_published(node: dict[str, Any]) -> bool:
    wanted = node["config"].get("meta", {}).get("publish")
    return bool(wanted) if wanted is not None else _folder(node) in _PUBLISHED_FOLDERS


def _folder(node: dict[str, Any]) -> str:
    return str(node["fqn"][1]) if len(node["fqn"]) > 2 else ""


def _model(unique_id: str, node: dict[str, Any]) -> Model:
    name = str(node.get("alias") or node["name"])
    table = f"activation/{name}" if _folder(node) == "activation" else name
    return Model(unique_id, table, f'"{node["schema"]}"."{name}"', node["config"].get("meta", {}))


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ContractError("publish", f"no {path.name} in {path.parent}", "run `dbt build` first") from None
    except json.JSONDecodeError:
        raise ContractError("publish", f"{path} was cut short", "run `dbt build` again") from None
    return content
