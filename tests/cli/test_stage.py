"""Where a demo plays."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from snello import settings
from snello.cli.demo.stage import Stage
from snello.errors import ConfigError
from snello.sandbox import Services, World

MELTANO = """
project_id: test
environments:
- name: demo
  env: {SNELLO_LAKE: demo/lake, SNELLO_LEDGER: 'sqlite:///demo/ledger.db', SNELLO_SALT: s}
"""


@pytest.fixture
def root(empty: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SNELLO_LAKE", "SNELLO_LEDGER", "SNELLO_SALT"):
        monkeypatch.delenv(name)
    (empty.root / "meltano.yml").write_text(MELTANO)
    (empty.root / "transform").mkdir()
    return Path(empty.root)


def company(home: Path, people: int = 10_000, seed: int = 1) -> None:
    (home / "company").mkdir(parents=True)
    about = {"people": people, "seed": seed, "as_of": "2026-01-01T00:00:00+00:00", "rows": {}}
    (home / "company" / "world.json").write_text(json.dumps(about))


def test_the_projects_own_demo_plays_in_the_project(root: Path) -> None:
    stage = Stage.at(Path("demo"))
    assert (stage.home, stage.project) == (root / "demo", root)
    assert stage.hub().lake == str(root / "demo" / "lake")


def test_another_home_gets_the_same_project_with_itself_in_the_place_of_demo(root: Path, tmp_path: Path) -> None:
    stage = Stage.at(tmp_path / "elsewhere")
    stage._link()
    (stage.home / "lake").mkdir()
    assert Path(stage.hub().lake).samefile(stage.home / "lake")
    assert (stage.project / "transform").samefile(root / "transform")
    assert (stage.project / "meltano.yml").read_text() == MELTANO
    stage._link()


def test_looking_at_the_demo_leaves_the_environment_as_it_was(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MELTANO_ENVIRONMENT", "production")
    Stage.at(Path("demo")).hub()
    assert settings.load(root).lake == str(root / "lake")


@pytest.mark.parametrize(("people", "seed"), [(500, None), (None, 2), (500, 1)])
def test_another_company_than_the_one_that_stands_is_refused(root: Path, people: int | None, seed: int | None) -> None:
    company(root / "demo")
    with pytest.raises(ConfigError, match=r"holds a company of 10,000 people with seed 1\. Next: ask for that one, "):
        Stage.at(Path("demo")).up(people, seed, 8470)


def test_plugins_are_pointed_at_the_services(root: Path) -> None:
    world = World(root, 10, 1, datetime(2026, 1, 1, tzinfo=UTC), {})
    shell = Stage.at(Path("demo")).shell(Services(root, world, {}, {"TAP_SHOP_URL": "http://127.0.0.1:1"}))
    assert shell["TAP_SHOP_URL"] == "http://127.0.0.1:1"
    assert shell["MELTANO_ENVIRONMENT"] == "demo"
    assert shutil.which("meltano", path=shell["PATH"])
