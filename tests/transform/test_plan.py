"""``snello plan`` and ``snello apply`` over the stories, with the real dbt."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from snello.lake import Lake

if TYPE_CHECKING:
    from conftest import Hub

HERE = Path(__file__).parent
SNELLO = Path(sys.executable).with_name("snello")


@dataclass(frozen=True)
class Company:
    """A project folder of its own, with a lake."""

    root: Path
    lake: str

    def snello(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("SNELLO_", "DBT_", "MELTANO_"))
        }
        mine = {"SNELLO_LAKE": self.lake, "SNELLO_TODAY": "2026-11-01", "SNELLO_SALT": "salt", "DO_NOT_TRACK": "1"}
        return subprocess.run(
            [str(SNELLO), *arguments], cwd=self.root, env=kept | mine, capture_output=True, text=True, check=False
        )

    def plan(self, *arguments: str) -> dict[str, object]:
        done = self.snello("plan", "--json", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, object] = json.loads(done.stdout)
        return found

    def without_rules(self) -> None:
        """Leave one rule of the company's own, and no likelihood."""
        seed = self.root / "transform" / "seeds" / "identity_rules.csv"
        header, *rules = seed.read_text().splitlines()
        seed.write_text("\n".join([header, *(rule for rule in rules if rule.startswith("tax_code,"))]) + "\n")
        settings = self.root / "transform" / "dbt_project.yml"
        settings.write_text(settings.read_text().replace("\nvars:\n", "\nvars:\n  likelihood: false\n"))


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, make_hub: Callable[..., Hub]) -> Company:
    root = tmp_path_factory.mktemp("company")
    project = HERE.parents[1] / "transform"
    shutil.copytree(project, root / "transform", ignore=shutil.ignore_patterns("target", "logs"))
    (root / "meltano.yml").write_text("project_id: test\n")
    return Company(root, str(make_hub().lake))


@pytest.fixture(scope="module")
def first(company: Company) -> dict[str, object]:
    """The first plan of all, applied."""
    found = company.plan()
    done = company.snello("apply")
    assert done.returncode == 0, done.stdout + done.stderr
    return found


@pytest.fixture(scope="module")
def refused(company: Company, first: dict[str, object]) -> subprocess.CompletedProcess[str]:
    """What a company plans that drops all rules but one, and wants nobody split."""
    company.without_rules()
    return company.snello("plan", "--json", "--at-most", "split=0", "--detailed-exit-code")


@pytest.fixture(scope="module")
def stricter(refused: subprocess.CompletedProcess[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(refused.stdout)
    return found


def test_before_anything_is_published_everybody_is_new(first: dict[str, object]) -> None:
    people = first["people"]
    assert isinstance(people, dict)
    assert people["new"] == people["people"] > 0
    assert people["merged"] == people["split"] == people["gone"] == 0


def test_what_was_applied_is_published_and_the_plan_is_used_up(company: Company, first: dict[str, object]) -> None:
    published = Lake(company.lake).manifest()
    assert published is not None
    assert published.run_id == first["build"]
    again = company.snello("apply")
    assert (again.returncode, again.stderr) == (3, "apply: there is no plan. Next: run `snello plan` first.\n")


def test_fewer_rules_part_people_and_the_plan_says_whom_to_look_at(stricter: dict[str, object]) -> None:
    people, examples = stricter["people"], stricter["examples"]
    assert isinstance(people, dict)
    assert isinstance(examples, list)
    assert people["split"] > 0
    assert people["merged"] == 0
    assert 0 < len(examples) <= 10
    assert "split" in {example["what"] for example in examples}


def test_a_plan_names_nobody_and_shows_no_value(stricter: dict[str, object]) -> None:
    told = json.dumps(stricter).lower()
    rows = [
        row
        for path in (HERE / "stories").glob("*.yml")
        for row in yaml.safe_load(path.read_text()).get("crm.customers", [])
    ]
    names = {row["first_name"].lower() for row in rows if row.get("first_name")}
    assert names
    assert [name for name in names if f'"{name}"' in told or f" {name} " in told] == []


def test_what_is_published_stays_until_the_plan_is_applied(company: Company, stricter: dict[str, object]) -> None:
    published = Lake(company.lake).manifest()
    assert published is not None
    assert published.run_id != stricter["build"]


def test_a_change_larger_than_agreed_is_refused_when_it_is_planned_and_when_it_is_applied(
    company: Company, refused: subprocess.CompletedProcess[str]
) -> None:
    assert refused.returncode == 6
    assert refused.stderr.startswith("plan: more would change than agreed: split ")
    applied = company.snello("apply")
    assert (applied.returncode, applied.stderr.partition(" split ")[0]) == (6, "apply: more would change than agreed:")


@pytest.mark.long
def test_any_change_at_all_has_an_exit_code_of_its_own_and_is_applied_once_unless_it_was_overtaken(
    company: Company, stricter: dict[str, object]
) -> None:
    changes = company.snello("plan", "--detailed-exit-code")
    assert changes.returncode == 7
    assert "Audiences" in changes.stdout
    blocklist = company.root / "transform" / "seeds" / "blocklist.csv"
    before = blocklist.read_text()
    blocklist.write_text(before + "email,nobody@%,typed to get past a form\n")
    edited = company.snello("apply")
    blocklist.write_text(before)
    assert (edited.returncode, "changed after the plan was made" in edited.stderr) == (3, True)
    applied = company.snello("apply")
    assert applied.returncode == 0, applied.stderr
    nothing = company.snello("plan", "--detailed-exit-code")
    assert nothing.returncode == 0
    assert nothing.stdout.startswith("ok    nothing would change: ")
    lake = Lake(company.lake)
    lake.publish({}, run_id="somebody else's")
    overtaken = company.snello("apply")
    assert (overtaken.returncode, "something was published after the plan was made" in overtaken.stderr) == (3, True)
    now = lake.manifest()
    assert now is not None
    assert now.run_id == "somebody else's"


@pytest.mark.parametrize(
    ("given", "said"),
    [("mergd=3", "did you mean 'merged'?"), ("merged", "names no number"), ("merged=few", "names no number")],
)
def test_a_limit_that_is_none_is_refused_before_anything_is_built(company: Company, given: str, said: str) -> None:
    done = company.snello("plan", "--at-most", given)
    assert done.returncode == 2
    assert said in done.stderr


def test_models_that_do_not_compile_give_one_sentence_and_no_plan(company: Company, first: dict[str, object]) -> None:
    broken = company.root / "transform" / "models" / "segments" / "broken.sql"
    broken.write_text("select {{ nothing( }}")
    done = company.snello("plan")
    broken.unlink()
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "mend what it names" in done.stderr
