"""The documents say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from snello.cli import reference

ROOT = Path(__file__).parents[2]
PAGES = sorted(ROOT.glob("docs/**/*.md")) + [ROOT / name for name in ("README.md", "CONTRIBUTING.md")]


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_reference_page_is_what_the_code_makes_of_it(name: str) -> None:
    made = reference.PAGES[name](ROOT).rstrip() + "\n"
    assert (ROOT / "docs" / "reference" / name).read_text() == made, "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    broken = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert broken == []


def test_every_job_of_the_project_is_in_the_readme() -> None:
    jobs = {job["name"] for job in yaml.safe_load((ROOT / "meltano.yml").read_text())["jobs"]}
    readme = (ROOT / "README.md").read_text()
    assert {job for job in jobs if f"`{job}`" not in readme} == set()


def test_every_connector_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    names = {path.parent.name for path in ROOT.glob("connectors/*/pyproject.toml")}
    assert {name for name in names if name not in readme} == set()


def test_every_decision_says_what_why_and_at_what_price() -> None:
    pages = sorted(ROOT.glob("docs/decisions/[0-9]*.md"))
    assert pages
    for page in pages:
        text = page.read_text()
        assert all(f"**{part}**" in text for part in ("Decision", "Why", "Price")), page.name


def test_every_variable_that_the_code_reads_is_documented() -> None:
    read = {name for path in ROOT.glob("src/**/*.py") for name in re.findall(r"\bSNELLO_[A-Z_]+\b", path.read_text())}
    told = (ROOT / "docs" / "reference" / "settings.md").read_text()
    assert {name for name in read if f"`{name}`" not in told} == set()


def test_every_target_of_make_is_in_its_help() -> None:
    text = (ROOT / "Makefile").read_text()
    assert set(re.findall(r"^(\w+):.*## ", text, re.M)) >= {"demo", "test", "setup", "lint", "docs", "bench", "help"}
