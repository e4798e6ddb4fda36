from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[2] / "transform"


def test_every_variable_of_the_project_is_in_its_readme() -> None:
    texts = [path.read_text() for folder in ("models", "macros") for path in (PROJECT / folder).rglob("*.*")]
    read = {name for text in texts for name in re.findall(r"\bvar\(\s*['\"](\w+)['\"]", text)}
    declared = set(yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"])
    told = (PROJECT / "README.md").read_text()
    assert read >= {"today", "likelihood", "placeholder_date_records"}
    assert {name for name in read | declared if f"`{name}`" not in told} == set()


@pytest.fixture(scope="module")
def manifest(parsed: Path) -> dict[str, Any]:
    """What dbt reads of the project."""
    return dict(json.loads((parsed / "manifest.json").read_text()))


@pytest.fixture(scope="module")
def models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The models among it."""
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def test_every_description_ends_with_the_grain(models: list[dict[str, Any]]) -> None:
    ungrained = [m["name"] for m in models if not re.search(r"One row an? [^.]+\.\s*$", m["description"])]
    assert models
    assert not ungrained


def test_every_raw_table_is_read_by_a_model_or_its_description_says_why_none_does(manifest: dict[str, Any]) -> None:
    raw = {key: source for key, source in manifest["sources"].items() if source["schema"].startswith("raw_")}
    read = {key for node in manifest["nodes"].values() for key in node.get("depends_on", {}).get("nodes", [])}
    unread = {f"{source['source_name']}.{source['name']}" for key, source in raw.items() if key not in read}
    told = {
        f"{source['source_name']}.{source['name']}"
        for source in raw.values()
        if "No model reads" in source["description"]
    }
    assert len(raw) > 50
    assert unread == told


def test_every_published_model_has_an_enforced_contract_and_a_described_column_each(
    models: list[dict[str, Any]],
) -> None:
    published = [m for m in models if m["config"]["meta"].get("publish")]
    loose = [m["name"] for m in published if not m["config"]["contract"]["enforced"]]
    undescribed = [f"{m['name']}.{c}" for m in published for c, v in m["columns"].items() if not v["description"]]
    assert len(published) > 20
    assert not loose
    assert not undescribed


def test_every_model_outside_staging_and_the_unions_has_a_grain_test_where_it_is_published(
    manifest: dict[str, Any], models: list[dict[str, Any]]
) -> None:
    tested = {
        node["attached_node"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and node["test_metadata"]["name"] in ("grain", "unique_rows")
    }
    untested = [m["name"] for m in models if m["config"]["meta"].get("publish") and m["unique_id"] not in tested]
    assert not untested


def test_source_is_read_in_staging_only(models: list[dict[str, Any]]) -> None:
    outside = [m["name"] for m in models if m["sources"] and "/staging/" not in m["original_file_path"]]
    assert not outside


def test_a_mart_selects_everything_from_its_last_thought_alone(models: list[dict[str, Any]]) -> None:
    marts = [m for m in models if "/marts/" in m["original_file_path"]]
    everything = re.compile(r"select\s+\*|\w\.\*|^\s*\*", re.MULTILINE)
    greedy = [m["name"] for m in marts if everything.search(re.sub(r"select \* from final\n?$", "", m["raw_code"]))]
    assert marts
    assert not greedy


def test_every_raw_table_of_a_source_has_a_bound_on_its_age(manifest: dict[str, Any]) -> None:
    own = ("ledger", "snello")
    sources = manifest["sources"].values()
    raw = [s for s in sources if s["schema"].startswith("raw_") and s["source_name"] not in own]
    timeless = [
        s["name"] for s in raw if s["loaded_at_field"] != "_sdc_extracted_at" or not s["freshness"]["warn_after"]
    ]
    assert len(raw) >= 16
    assert not timeless
