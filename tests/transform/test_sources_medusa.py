"""A Medusa shop, from its Admin API through the lake into the canonical models; a full refresh changes nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree, ignore_patterns, rmtree
from typing import TYPE_CHECKING, Any

import pytest

from snello.kit.testing import run
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.medusa import KEY, medusa
from snello.sandbox.emulators.medusa_rows import key
from snello.sandbox.emulators.medusa_store import MedusaStore
from tap_medusa import TapMedusa
from tap_medusa import main as tap
from target_lake import main as target

if TYPE_CHECKING:
    from conftest import Hub

PROJECT = Path(__file__).parents[2] / "transform"
SHAPES = (
    "person_observed", "identifier_observed", "order_observed", "order_line_observed", "card_observed",
    "card_movement_observed", "interaction_observed",
)  # fmt: skip
MARTS = ("interactions", "customer_values")
RULES_ALONE = ("--exclude-resource-type", "test", "unit_test", "--vars", "{likelihood: false}")
Observed = dict[str, dict[str, dict[str, Any]]]


@pytest.fixture
def visible(tmp_path: Path) -> Path:
    """The project, with its canonical models as tables that can be asked."""
    copy = tmp_path / "transform"
    copytree(PROJECT, copy, ignore=ignore_patterns("target", "logs"))
    settings = copy / "dbt_project.yml"
    settings.write_text(settings.read_text().replace("+materialized: ephemeral", "+materialized: table"))
    return copy


def move(url: str, hub: Hub, memory: Path, state: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[int, Any]:
    """``tap-medusa | target-lake``; how many rows came, and the new state."""
    read = run(tap, {"url": url, "key": KEY, "memory": str(memory)}, state=state)
    assert read.code == 0, read.last_line
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(read.out.encode())))
    loaded = run(target, {"root": str(hub.lake), "source": "medusa"})
    assert loaded.code == 0, loaded.last_line
    return sum(len(read.records(each.name)) for each in TapMedusa.stream_classes), read.state


def observed(hub: Hub, *marts: str) -> Observed:
    """What the canonical models and these marts hold of this source, by the keys of its records."""
    hub.make("build", "--select", *(f"+{name}" for name in (*SHAPES, *marts)), *RULES_ALONE)
    found: Observed = {}
    for name in (*SHAPES, *marts):
        table = f"{'marts' if name in marts else 'canonical'}.{name}"
        rows = hub.query(f"select to_json(t) from (select * from {table} where source = 'medusa') as t")
        told = [json.loads(row) for (row,) in rows]
        parts = ("stream", "record_key", "value", *(("attribute", "kind") if name in marts else ()))
        found[name] = {"/".join(str(row.get(part)) for part in parts): row for row in told}
        assert len(found[name]) == len(told)
    return found


def test_a_shop_lands_in_the_canonical_models_and_a_full_refresh_changes_nothing(
    visible: Path, make_hub: Callable[..., Hub], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = make_hub({}, visible)
    rmtree(hub.lake / "raw")
    store = MedusaStore()
    orders = [store.row("orders", name) or {} for name in store.tables["orders"].keys]
    of_nobody = [row for row in orders if row["customer_id"] in (None, key("cus", 17))]
    with serve(medusa(store)) as url:
        count, state = move(url, hub, tmp_path / "memory", None, monkeypatch)
        assert count == sum(store.counts().values())
        first = observed(hub, *MARTS)
        assert {shape: len(first[shape]) for shape in SHAPES} == {
            "person_observed": len(store.tables["customers"].keys) + len(of_nobody),
            "identifier_observed": 65,
            "order_observed": len(orders),
            "order_line_observed": len(orders),
            "card_observed": 12,  # three of fifteen accounts stand behind a gift card
            "card_movement_observed": 30,
            "interaction_observed": 8 + 9,  # four of twelve returns were cancelled, one of ten bought gift cards
        }

        assert all(first.values())
        bought = [row for row in first["interactions"].values() if row["kind"] == "gift_card_bought"]
        assert sum(row["customer_id"] is not None for row in bought) == 9

        refunded = first["order_observed"][f"orders/{key('order', 10)}/None"]
        assert (refunded["total"], refunded["refunded"], refunded["currency"]) == (53.68, 2.55, "EUR")
        assert first["order_observed"][f"orders/{key('order', 30)}/None"]["currency"] == "JPY"
        card = first["card_observed"][f"store_credit_accounts/{key('sc_acc', 1)}/None"]
        assert (card["person_key"], card["balance"]) == (key("cus", 11), 27.4)
        taken = first["card_movement_observed"][f"store_credit_transactions/{key('sc_trx', 3)}/None"]
        assert (taken["kind"], taken["amount"], taken["points"]) == ("redemption", -0.1, None)

        again, _ = move(url, hub, tmp_path / "another", None, monkeypatch)
        assert again == count
        assert observed(hub, *MARTS) == first

        store.tables["customers"].delete(key("cus", 40))
        store.tables["orders"].change(key("order", 20), status="canceled")
        assert move(url, hub, tmp_path / "memory", state, monkeypatch)[0] == 2
        changed = observed(hub)
    told = changed["order_observed"][f"orders/{key('order', 20)}/None"]
    assert (first["order_observed"][f"orders/{key('order', 20)}/None"]["is_counted"], told["is_counted"]) == (
        True,
        False,
    )
    assert f"customers/{key('cus', 40)}/None" not in changed["person_observed"]
    # who bought is known from the order from now on
    assert told["person_stream"] == "customers"
    assert changed["order_observed"][f"orders/{key('order', 40)}/None"]["person_stream"] == "orders"
