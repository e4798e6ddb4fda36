"""The hub made by hand has the shapes that the dbt project promises."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

MODELS = Path(__file__).parents[2] / "transform" / "models"


@pytest.fixture(scope="module")
def promised() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in MODELS.rglob("*.yml"):
        for model in yaml.safe_load(path.read_text()).get("models") or []:
            found[model["name"]] = {column["name"] for column in model.get("columns") or []}
    return found


def test_every_column_that_the_commands_read_is_published(shapes: dict[str, set[str]], promised: object) -> None:
    assert isinstance(promised, dict)
    for table, columns in shapes.items():
        missing = columns - promised[table.removeprefix("activation/")]
        assert not missing, f"{table} has no {missing}"
