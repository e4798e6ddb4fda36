"""The README, played in a project of its own: every command runs, and what it shows is what is printed.

Play in order: a demo, an unchanged second run, one withdrawal of consent and its run. Figures change with the calendar,
so a line of the README stands for every line that begins with the same word, and of a person only headings count.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from snello.cli.tables import Tables
from snello.lake import Lake

pytestmark = pytest.mark.timeout(1_800)  # the demo, two nights and a build from nothing, beside other tests
ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.S | re.M)
# What the README writes for whoever clones the repo, and what it comes to inside the environment.
RECIPES = {"make demo": "snello demo"}
ELSEWHERE = ("git clone", "cd ", "source ", "make ")
RECORD = re.compile(r"crm/customers/(\d+)")
CUSTOMER = re.compile(r"snello why (c[0-9a-f]{16})")


@dataclass
class Step:
    """A command of the README, what the README shows of its output, and what came."""

    command: str
    shown: list[str]
    printed: str = ""
    code: int = 0
    receipts: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)


def steps() -> Iterator[Step]:
    """The commands of the README in order."""
    for block in BLOCK.findall((ROOT / "README.md").read_text()):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, shown = part.partition("\n")
            yield Step(command.strip(), shown.splitlines())


def begins(line: str) -> str:
    """The first word of a line, figures masked."""
    words = re.sub(r"\d+", "#", re.sub(r"^\S+Z \[\w+ *\] ", "", line)).split()
    return words[0] if words else ""


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Step]]:
    """The README's commands, run one after the other in a project of their own."""
    project = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "meltano.yml", project)
    shutil.copytree(ROOT / "transform", project / "transform", ignore=shutil.ignore_patterns("target", "logs"))
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
    }
    for name in ("MELTANO_PROJECT_ROOT", "MELTANO_ENVIRONMENT", "SNELLO_LAKE", "SNELLO_LEDGER"):
        environment.pop(name, None)
    found, said = [], ""
    try:
        for step in steps():
            command = RECIPES.get(step.command, step.command)
            if command.startswith(ELSEWHERE):
                continue
            for pattern in (CUSTOMER, RECORD):
                if pattern.search(command) and pattern.search(said):
                    last = pattern.findall(said)[-1]
                    command = pattern.sub(lambda m, last=last: m[0].replace(m[1], last), command)
            done = subprocess.run(
                command.split(), cwd=project, env=environment, capture_output=True, text=True, check=False
            )
            step.printed, step.code = done.stdout + done.stderr, done.returncode
            said += step.printed
            step.receipts = receipts(project)
            step.calls = calls()
            found.append(step)
        found[-1].told = told(project)
        yield found
    finally:
        subprocess.run(["snello", "demo", "down"], cwd=project, env=environment, capture_output=True, check=False)


def receipts(project: Path) -> int:
    """Number of the last receipt in the ledger."""
    with sqlite3.connect(project / "demo" / "ledger.db") as ledger:
        found: int = ledger.execute("select coalesce(max(id), 0) from receipts").fetchone()[0]
    return found


def told(project: Path) -> set[str]:
    """The sources that tell of customers: an interaction of theirs, or a segment that they are counted to."""
    asked = Tables.published(Lake(str(project / "demo" / "lake")), ("interactions", "customer_values"))
    rows = asked.rows(
        "select source from interactions where customer_id is not null union"
        " select source from customer_values where customer_id is not null and attribute like 'dmp_segment_%'"
    )
    return {row["source"] for row in rows}


def calls() -> dict[str, int]:
    """How many changes each channel holds; empty while the channels are down."""
    try:
        contacts = requests.get("http://127.0.0.1:8472/_inspect/contacts", timeout=5).json()
        deliveries = requests.get("http://127.0.0.1:8473/_inspect/deliveries", timeout=5).json()
    except requests.ConnectionError:
        return {}
    return {"brevo": len(str(contacts)), "webhook": len(str(deliveries))}


def loops(played: list[Step]) -> list[int]:
    """Where the README runs the loop again."""
    return [place for place, step in enumerate(played) if step.command == "meltano run loop"]


def test_every_command_of_the_readme_succeeds(played: list[Step]) -> None:
    assert [(step.command, step.printed[-2000:]) for step in played if step.code] == []
    assert [step.command for step in played].count("meltano run loop") == 2


def test_what_the_readme_shows_is_what_is_printed(played: list[Step]) -> None:
    for step in played:
        printed = {begins(line) for line in step.printed.splitlines()}
        told = [line for line in step.shown if not (step.command.startswith("snello why") and line.startswith("   "))]
        shown = {begins(line) for line in told} - {"…", ""}
        assert shown - printed == set(), step.command


def test_what_every_later_source_tells_stands_with_its_customers(played: list[Step]) -> None:
    assert played[-1].told >= {"odoo", "suitecrm", "shopify", "bluesky", "dmp"}


def test_a_second_run_over_unchanged_sources_delivers_nothing_and_says_so(played: list[Step]) -> None:
    again = loops(played)[0]
    assert played[again].printed.count("nothing to deliver") >= 2
    assert played[again].receipts == played[again - 1].receipts
    assert played[again].calls == played[again - 1].calls


def test_after_one_withdrawal_exactly_that_persons_removals_reach_the_channels(played: list[Step]) -> None:
    again, after = loops(played)
    withdrawn = next(step for step in played if step.command == "snello demo withdraw")
    customer = RECORD.search(withdrawn.printed)
    assert customer is not None
    assert played[after].receipts > played[again].receipts
    removed = set(re.findall(r"(\w+): \d+ upserted, (\d+) removed, 0 refused", played[after].printed))
    assert removed
    assert {count for _, count in removed} == {"1"}
    assert played[after].receipts - played[again].receipts == len(removed)
    told = next(step for step in played[after:] if step.command.startswith("snello why crm/customers/"))
    assert told.printed.count("remove delivered") >= len(removed)
