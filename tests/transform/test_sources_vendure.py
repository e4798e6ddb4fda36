"""A shop on Vendure, from its Admin API through the lake into the canonical models; a full refresh changes nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree, ignore_patterns, rmtree
from typing import TYPE_CHECKING, Any

import pytest

from snello.kit.testing import run
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.vendure import PASSWORD, ROOT, USER, Shop, vendure
from tap_vendure import main as tap
from target_lake import main as target

if TYPE_CHECKING:
    from conftest import Hub

SHAPES = (
    "person_observed", "identifier_observed", "order_observed", "order_line_observed", "interaction_observed",
)  # fmt: skip
MARTS = ("marts.interactions", "marts.customer_values")
STAGED = tuple(f"canonical.{shape}" for shape in SHAPES)
RULES_ALONE = ("--exclude-resource-type", "test", "unit_test", "--vars", "{likelihood: false}")
PROJECT = Path(__file__).parents[2] / "transform"


class Reader:
    """``tap-vendure | target-lake`` into the lake of a hub, with the state of the run before."""

    def __init__(self, url: str, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url, self.hub, self.monkeypatch = url, hub, monkeypatch
        self.state: dict[str, Any] = {}

    def read(self, folder: Path) -> int:
        """One run; how many rows came."""
        self.monkeypatch.setenv("SNELLO_STATE", str(folder))
        config = {"url": f"{self.url}{ROOT}", "user": USER, "password": PASSWORD, "page_size": 20}
        done = run(tap, config, state=self.state)
        assert done.code == 0, done.last_line
        self.monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(done.out.encode())))
        loaded = run(target, {"root": str(self.hub.lake), "source": "vendure"})
        assert loaded.code == 0, loaded.last_line
        self.state = done.state
        return sum(len(done.records(name)) for name in ("customers", "orders", "promotions"))

    def observed(self, *marts: str) -> dict[str, list[str]]:
        """The rows that this source gave the canonical models and these marts, whatever their order."""
        tables, found = (*STAGED, *marts), {}
        self.hub.make("build", "--select", *(f"+{table.partition('.')[2]}" for table in tables), *RULES_ALONE)
        for table in tables:
            rows = self.hub.query(f"select to_json(t) from (select * from {table} where source = 'vendure') as t")
            found[table] = sorted(row[0] for row in rows)
        return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project, with the canonical models as tables that can be looked at."""
    copy = tmp_path / "transform"
    copytree(PROJECT, copy, ignore=ignore_patterns("target", "logs"))
    told = copy / "dbt_project.yml"
    told.write_text(told.read_text().replace("+materialized: ephemeral", "+materialized: table"))
    return copy


@pytest.fixture
def shop() -> Iterator[tuple[Shop, str]]:
    made = vendure()
    with serve(made) as url:
        yield made, url


def test_a_shop_lands_in_the_canonical_models_and_a_full_refresh_changes_nothing(
    shop: tuple[Shop, str],
    project: Path,
    make_hub: Callable[..., Hub],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server, url = shop
    hub = make_hub({}, project)
    rmtree(hub.lake / "raw")  # empty tables of another making; those that are missing are as empty
    reader = Reader(url, hub, monkeypatch)
    assert reader.read(tmp_path / "first") == sum(server.store.counts().values())
    first = reader.observed(*MARTS)
    placed = [row for row in server.store.rows["orders"] if row["orderPlacedAt"]]
    carts = [row for row in server.store.rows["orders"] if row["active"] and row["customer"]]
    used = [(row["id"], "1") for row in placed if row["promotions"] and row["state"] != "Cancelled"]
    assert {table.partition(".")[2]: len(first[table]) for table in STAGED} == {
        "person_observed": 40,
        "identifier_observed": 0,
        "order_observed": len(placed),
        "order_line_observed": sum(len(row["lines"]) for row in placed),
        "interaction_observed": len(carts) + len(used),
    }
    told = {row["record_key"]: row for row in map(json.loads, first["marts.interactions"]) if row["customer_id"]}
    assert {key.partition(" ")[::2] for key, row in told.items() if row["kind"] == "promotion_used"} == set(used)
    assert used
    assert first["marts.customer_values"]
    orders = {row["record_key"]: row for row in map(json.loads, first["canonical.order_observed"])}
    assert (orders["3"]["currency"], orders["3"]["is_counted"]) == ("JPY", False)  # cancelled
    assert orders["13"]["is_counted"] is False  # a seller's part

    reader.state = {}
    reader.read(tmp_path / "again")
    assert reader.observed(*MARTS) == first

    server.store.refund("1")
    server.store.delete("customers", "7")
    assert reader.read(tmp_path / "again") == 2
    changed = reader.observed()
    assert len(changed["canonical.person_observed"]) == 39
    refunded = {row["record_key"]: row["refunded"] for row in map(json.loads, changed["canonical.order_observed"])}
    assert refunded["1"] == server.store.row("orders", "1")["totalWithTax"] // 2 / 100
