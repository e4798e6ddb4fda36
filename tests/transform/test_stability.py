from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb
import pytest
from deltalake import DeltaTable, write_deltalake

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


@pytest.mark.long
def test_the_same_people_come_out_whatever_the_order_of_the_rows(hub: Hub, again: Hub) -> None:
    assert again.partition() == hub.partition()
    assert again.ids() == hub.ids()


@pytest.mark.long
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


def published(hub: Hub, run: int) -> dict[str, str]:
    """The customer of each record after one run more, which is published."""
    hub.make(*IDENTITY[:3], "+identity_events", *IDENTITY[3:])
    with duckdb.connect(str(hub.home / "warehouse.duckdb"), read_only=True) as connection:
        names = ("customer_sources", "identity_events")
        tables = {name: connection.sql(f"select * from marts.{name}").to_arrow_table() for name in names}
    Lake(str(hub.lake)).publish(tables, run_id=f"run {run}")
    return dict(hub.ids())


@pytest.mark.long
def test_a_customer_without_records_in_one_publication_is_gone_and_comes_back_with_them(
    make_hub: Callable[..., Hub],
) -> None:
    person = {"first_name": "Ilda", "last_name": "Zorzi", "email": "ilda.zorzi@posta.example"}
    elder, younger = datetime(2019, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)
    rows = {
        "crm.customers": [{"customer_no": 1, **person, "created_at": younger}],
        "shop.customers": [{"id": 1, **person, "date_created_gmt": elder}],
    }
    hub = make_hub({"crm.customers": rows["crm.customers"]})
    named = published(hub, 1)["crm/customers/1"]
    full = make_hub(rows).lake
    tables = [f"raw/{name.replace('.', '/')}" for name in rows]
    seen = {table: DeltaTable(str(full / table)).to_pyarrow_table() for table in tables}

    def arrive(run: int, rows_of_each: int) -> dict[str, str]:
        for table, cells in seen.items():
            write_deltalake(str(hub.lake / table), cells.slice(0, rows_of_each), mode="overwrite")
        return published(hub, run)

    together = {"crm/customers/1": named, "shop/customers/1": named}
    assert arrive(2, 1) == together
    assert arrive(3, 0) == {}
    assert arrive(4, 1) == together
    told = "select event, customer_id, records, len(moved), cause from marts.identity_events order by happened_at"
    assert hub.query(told) == [
        ("birth", named, 1, 0, "new records"),
        ("gone", named, 2, 2, "its records are gone"),
        ("restore", named, 2, 0, "records are back"),
    ]
