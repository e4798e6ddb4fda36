from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import duckdb
import pytest

from snello.lake import Lake

if TYPE_CHECKING:
    from conftest import Hub

IDENTITY = (
    "build", "--select", "+customer_sources", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test",
)  # fmt: skip


@pytest.fixture(scope="module")
def again(hub: Hub, make_hub: Callable[..., Hub]) -> Hub:
    """The same lake with every table turned round, a fresh warehouse, and no memory of the first run."""
    return make_hub(order=-1).make(*IDENTITY)


def test_the_same_people_come_out_whatever_the_order_of_the_rows(hub: Hub, again: Hub) -> None:
    assert again.partition() == hub.partition()
    assert again.ids() == hub.ids()


def test_ids_outlive_a_full_refresh_and_the_arrival_of_older_records(hub: Hub, again: Hub) -> None:
    published = hub.query("select * from marts.customer_sources")
    renamed = {customer: f"known-{n}" for n, customer in enumerate(sorted({row[3] for row in published}))}
    with duckdb.connect(str(hub.home / "warehouse.duckdb"), read_only=True) as connection:
        table = connection.sql("select * from marts.customer_sources").to_arrow_table()
    column = table.schema.get_field_index("customer_id")
    ids = [renamed[customer] for customer in table["customer_id"].to_pylist()]
    table = table.set_column(column, "customer_id", [ids])
    Lake(str(again.lake)).publish({"customer_sources": table}, run_id="before")
    again.make(*IDENTITY, "--full-refresh")
    assert again.ids() == {record: renamed[customer] for record, customer in hub.ids().items()}
