"""What tap-odoo reads reaches the canonical shapes; a second run brings what changed, a full refresh nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from snello.sandbox.emulators import serve
from snello.sandbox.emulators.odoo import API_KEY, DATABASE, odoo

if TYPE_CHECKING:
    from conftest import Hub

PROJECT = Path(__file__).parents[2] / "transform"
BIN = Path(sys.executable).parent
SHAPES = (
    "person_observed", "consent_observed", "suppression_observed", "order_observed", "order_line_observed",
    "interaction_observed",
)  # fmt: skip
LATER = ("stg_odoo__invoices", "stg_odoo__payments")
MODELS = ("res.partner", "crm.lead", "sale.order", "mail.blacklist", "account.move", "account.payment")
MARTS = ("interactions", "customer_values")
RULES_ALONE = ("--vars", "{likelihood: false}")


Held = dict[str, list[tuple[Any, ...]]]


class Pipeline:
    """An Odoo database, and its way through the lake into the shapes."""

    def __init__(self, url: str, hub: Hub) -> None:
        self.url, self.hub = url, hub
        self.state = hub.home / "state.json"

    def run(self, *, full: bool = False) -> int:
        """Load what changed, or all as if nothing ever had been; the number of rows that came."""
        if full:
            shutil.rmtree(self.hub.home / "memory")
        told: dict[str, Any] = {"url": self.url, "database": DATABASE, "api_key": API_KEY, "interface": "json2"}
        told |= {"deletions": ["partners", "sale_orders"], "memory": str(self.hub.home / "memory")}
        (self.hub.home / "tap.json").write_text(json.dumps(told))
        (self.hub.home / "target.json").write_text(json.dumps({"root": str(self.hub.lake), "source": "odoo"}))
        state = [] if full or not self.state.exists() else ["--state", self.state]
        came = _piped([BIN / "tap-odoo", "--config", self.hub.home / "tap.json", *state], None)
        left = _piped([BIN / "target-lake", "--config", self.hub.home / "target.json"], came)
        self.state.write_text(left.strip().split("\n")[-1])
        return sum(json.loads(line)["type"] == "RECORD" for line in came.splitlines())

    def build(self, *marts: str) -> Held:
        """Every row that the source gives each shape, and these marts."""
        chosen = [f"+{name}" for name in (*SHAPES, *LATER, *marts)]
        self.hub.make("build", "--select", *chosen, "--exclude-resource-type", "test", "unit_test", *RULES_ALONE)
        of_source = "select * from {}.{} where source = 'odoo' order by all"
        found = {name: self.hub.query(of_source.format("canonical", name)) for name in SHAPES}
        found |= {name: self.hub.query(of_source.format("marts", name)) for name in marts}
        return found | {name: self.hub.query(f"select * from staging.{name} order by all") for name in LATER}

    def call(self, model: str, method: str, *given: Any) -> Any:
        """What somebody does in Odoo."""
        return httpx.post(f"{self.url}/_inspect/call/{model}/{method}", json=given).raise_for_status().json()

    def rows(self, model: str) -> list[dict[str, Any]]:
        """What Odoo holds."""
        found: list[dict[str, Any]] = httpx.get(f"{self.url}/_inspect/records/{model}").json()
        return found


def _piped(command: list[Any], given: str | None) -> str:
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass
class Story:
    """What was held after a first run, after a full refresh, and after a day's work."""

    hub: Hub
    held: list[Held]
    moved: list[int]
    was: dict[str, list[dict[str, Any]]]
    cancelled: int


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, make_hub: Callable[..., Hub]) -> Story:
    """A company's past is read, read again from the beginning, and read on after three changes."""
    project = tmp_path_factory.mktemp("project") / "transform"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    settings = project / "dbt_project.yml"  # what is otherwise a part of other queries can then be looked at
    text = settings.read_text()
    settings.write_text(text.replace("materialized: ephemeral", "materialized: table").replace(": view", ": table"))
    hub = make_hub({}, project)
    for own in ("odoo", "snello"):  # the loader makes these itself
        shutil.rmtree(hub.lake / "raw" / own)
    with serve(odoo(partners=60)) as url:
        pipeline = Pipeline(url, hub)
        was = {model: pipeline.rows(model) for model in MODELS}
        moved = [pipeline.run(), pipeline.run()]
        held = [pipeline.build(*MARTS)]
        moved.append(pipeline.run(full=True))
        held.append(pipeline.build(*MARTS))
        cancelled = _a_days_work(pipeline, was)
        moved.append(pipeline.run())
        held.append(pipeline.build())
    return Story(hub, held, moved, was, cancelled)


def _a_days_work(pipeline: Pipeline, was: dict[str, list[dict[str, Any]]]) -> int:
    """An order is cancelled, whose number this gives; a quotation is deleted, and an address freed."""
    counted = next(row for row in was["sale.order"] if row["state"] == "sale")
    gone = next(row for row in was["sale.order"] if row["state"] == "draft")
    freed = next(row for row in was["mail.blacklist"] if row["active"])
    pipeline.call("sale.order", "write", [counted["id"]], {"state": "cancel"})
    pipeline.call("sale.order", "unlink", [gone["id"]])
    pipeline.call("mail.blacklist", "write", [freed["id"]], {"active": False})
    return int(counted["id"])


def test_the_rows_of_an_odoo_database_reach_every_shape(story: Story) -> None:
    first, was = story.held[0], story.was
    people = [row for row in was["res.partner"] if not row["is_company"] and row["type"] == "contact"]
    addresses = {row["email_normalized"] for row in people}
    blocked = [row for row in was["mail.blacklist"] if row["active"]]
    assert {name: len(first[name]) for name in SHAPES} == {
        "person_observed": len(people) + sum(not row["partner_id"] for row in was["crm.lead"]),
        "consent_observed": sum(row["email"] in addresses for row in blocked),
        "suppression_observed": len(blocked),
        "order_observed": len(was["sale.order"]),
        "order_line_observed": len(was["sale.order"]),  # one that sells something, each
        "interaction_observed": len(was["crm.lead"]) + len(_billed(was)),
    }
    assert all(first.values())


def _billed(was: dict[str, list[dict[str, Any]]]) -> list[tuple[str, str]]:
    """Kind and number of every invoice to a person, and of every payment by one."""
    companies = {row["id"] for row in was["res.partner"] if row["is_company"]}
    told = [("invoice", row) for row in was["account.move"] if row["move_type"] == "out_invoice"]
    told += [("payment", row) for row in was["account.payment"] if row["partner_type"] == "customer"]
    return sorted((kind, str(row["id"])) for kind, row in told if row["partner_id"] not in companies)


def test_what_a_person_was_invoiced_and_paid_is_in_the_timeline_of_that_customer(story: Story) -> None:
    told = story.hub.query(
        "select distinct seen.kind, seen.record_key from marts.interactions as seen"
        " inner join marts.customer_sources as ours on seen.customer_id = ours.customer_id"
        " and ours.source = 'odoo' and ours.stream = 'partners'"
        " where seen.kind in ('invoice', 'payment') order by 1, 2"
    )
    assert told == _billed(story.was) != []


def test_an_order_without_a_person_is_one_of_an_organisation(story: Story) -> None:
    companies = {row["id"] for row in story.was["res.partner"] if row["is_company"]}
    orders = [row for row in story.was["sale.order"] if row["state"] != "draft"]
    theirs = sorted(str(row["id"]) for row in orders if row["partner_id"] in companies)
    alone = (
        "select record_key from canonical.order_observed"
        " where source = 'odoo' and person_key is null and status <> 'draft'"
    )
    assert sorted(key for (key,) in story.hub.query(alone)) == theirs != []


def test_a_second_run_moves_nothing_and_a_full_refresh_changes_nothing(story: Story) -> None:
    first, second, full, _ = story.moved
    assert second == 0
    assert full == first > 300
    assert story.held[1] == story.held[0]


def test_a_later_run_brings_what_changed_and_takes_away_what_is_gone(story: Story) -> None:
    assert story.moved[3] == 4  # one a change, and the partner whose address is free again
    before, after = story.held[0], story.held[2]
    fewer = ("order_observed", "order_line_observed", "suppression_observed", "consent_observed")
    assert {name: len(before[name]) - len(after[name]) for name in fewer} == dict.fromkeys(fewer, 1)
    same = ("person_observed", "interaction_observed", *LATER)
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    status = "select status, is_counted from canonical.order_observed where source = 'odoo' and record_key = ?"
    assert story.hub.query(status, [str(story.cancelled)]) == [("cancel", False)]
