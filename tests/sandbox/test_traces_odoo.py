from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from snello.errors import ConfigError
from snello.sandbox import files
from snello.sandbox.draw import Draw
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.odoo import API_KEY, DATABASE, USER
from snello.sandbox.emulators.odoo_company import MODELS, of_company
from snello.sandbox.people import People, make_people
from snello.sandbox.traces import Traces
from snello.sandbox.traces.odoo import trace
from snello.sandbox.traces.odoo_masters import masters

from .conftest import AS_OF, SEED


@pytest.fixture(scope="module")
def traces(people: People) -> Traces:
    return trace(people, Draw(SEED, "odoo", AS_OF))


def write(traces: Traces, company: Path) -> Path:
    for name, frame in traces.tables.items():
        files.arrow(frame, company / "odoo" / f"{name}.arrow")
    return company


def keys(frame: pl.DataFrame) -> list[str]:
    return frame["id"].cast(pl.String).to_list()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(people: People, tmp_path: Path) -> None:
    def bytes_of(seed: int, folder: str) -> list[bytes]:
        company = write(trace(people, Draw(seed, "odoo", AS_OF)), tmp_path / folder)
        return [(company / "odoo" / f"{name}.arrow").read_bytes() for name in MODELS]

    first, other = bytes_of(SEED, "one"), bytes_of(SEED + 1, "other")
    assert bytes_of(SEED, "two") == first
    assert not set(first) & set(other)


def test_the_truth_speaks_of_every_person_and_of_every_stranger_who_asked(traces: Traces) -> None:
    partners, leads = (frame.sort("record_key") for frame in traces.truth)
    assert (set(partners["stream"]), set(leads["stream"])) == ({"partners"}, {"leads"})
    persons = traces.tables["partners"].filter(~pl.col("is_company"), pl.col("type") == "contact")
    assert partners["record_key"].to_list() == sorted(keys(persons))
    strangers = traces.tables["leads"].filter(pl.col("partner_id").is_null())
    assert leads["record_key"].to_list() == sorted(keys(strangers))
    assert len(partners) > 100 < partners["person_id"].n_unique()
    assert 0 < len(leads) < traces.tables["leads"].height


def test_what_points_to_another_record_finds_it(traces: Traces) -> None:
    tables = traces.tables | masters()
    pointers = {
        "partners": {"parent_id": "partners", "state_id": "res.country.state", "country_id": "res.country"},
        "leads": {"partner_id": "partners", "stage_id": "crm.stage", "company_id": "res.company"},
        "sale_orders": {"partner_id": "partners", "company_id": "res.company", "currency_id": "res.currency"},
        "sale_order_lines": {"order_id": "sale_orders", "product_id": "product.product"},
        "invoices": {"partner_id": "partners", "reversed_entry_id": "invoices"},
        "payments": {"partner_id": "partners"},
    }
    for name, fields in pointers.items():
        for field, other in fields.items():
            found = set(tables[name][field].drop_nulls())
            assert found, f"{name}.{field}"
            assert found <= set(tables[other]["id"]), f"{name}.{field}"
    settled = (
        tables["payments"]
        .explode("reconciled_invoice_ids")
        .join(tables["invoices"], left_on="reconciled_invoice_ids", right_on="id")
    )
    assert settled.height == tables["payments"].height
    assert (settled["partner_id"] == settled["partner_id_right"]).all()


def test_an_order_is_worth_its_lines_and_an_invoice_its_order(traces: Traces) -> None:
    tables = traces.tables
    lines = tables["sale_order_lines"].group_by("order_id").agg(pl.col("price_subtotal").sum().round(2))
    orders = tables["sale_orders"].join(lines, left_on="id", right_on="order_id")
    assert orders.height == tables["sale_orders"].height > 100
    assert (orders["price_subtotal"] == orders["amount_untaxed"]).all()
    billed = tables["invoices"].join(orders, left_on="invoice_origin", right_on="name")
    assert billed.height == tables["invoices"].height
    assert (billed["amount_total"] == billed["amount_total_right"]).all()
    assert set(billed["state_right"]) == {"sale"}


def test_both_companies_sell_and_what_is_taken_back_is_paid_back(traces: Traces) -> None:
    tables = traces.tables
    assert set(tables["sale_orders"]["company_id"]) == {1, 2}
    assert set(tables["invoices"]["company_id"]) == {1, 2}
    taken = tables["invoices"].filter(pl.col("move_type") == "out_refund")
    back = tables["payments"].filter(pl.col("payment_type") == "outbound")
    assert taken.height == back.height > 0
    assert sorted(taken["amount_total"]) == sorted(back["amount"])


def test_there_are_archived_partners_further_addresses_firms_and_fields_with_two_addresses(traces: Traces) -> None:
    partners = traces.tables["partners"]
    assert 0 < (~partners["active"]).sum() < partners.height / 10
    assert (partners["type"] == "delivery").sum() > 5
    assert partners["is_company"].sum() > 5
    assert partners["email"].str.contains(";").any()
    blocked = traces.tables["blacklist"]
    assert set(blocked["active"]) == {True, False}
    assert set(blocked["email"]) <= set(partners["email"].str.to_lowercase())


def test_nothing_was_written_down_after_the_present(traces: Traces) -> None:
    present = f"{AS_OF:%Y-%m-%d %H:%M:%S}"
    for name, frame in traces.tables.items():
        for column in {"create_date", "write_date"} & set(frame.columns):
            assert (frame[column] < present).all(), f"{name}.{column}"


def test_odoo_serves_every_row_of_the_company_and_no_other(traces: Traces, tmp_path: Path) -> None:
    with serve(of_company(write(traces, tmp_path))) as url, httpx.Client(base_url=url, trust_env=False) as client:
        assert client.get("/_inspect").json()["service"] == "erp"
        for name, model in MODELS.items():
            rows = {row["id"]: row for row in read(client, model)}
            frame = traces.tables[name]
            assert rows.keys() == set(frame["id"])
            plain = [column for column in frame.columns if not column.endswith("_id") and column != "company_currency"]
            for row in frame.select(plain).to_dicts():
                assert {field: rows[row["id"]][field] or None for field in row} == {
                    field: value or None for field, value in row.items()
                }


def read(client: httpx.Client, model: str) -> list[dict[str, Any]]:
    """Every record of a model, archived ones too, over /jsonrpc."""
    args = [DATABASE, USER, API_KEY, model, "search_read", [], {"context": {"active_test": False}}]
    params = {"service": "object", "method": "execute_kw", "args": args}
    answer = client.post("/jsonrpc", json={"jsonrpc": "2.0", "method": "call", "params": params, "id": 1}).json()
    found: list[dict[str, Any]] = answer["result"]
    return found


def test_a_company_of_ten_has_an_odoo_whose_doors_are_open(tmp_path: Path) -> None:
    traces = trace(make_people(10, SEED, AS_OF), Draw(SEED, "odoo", AS_OF))
    with serve(of_company(write(traces, tmp_path))) as url, httpx.Client(base_url=url, trust_env=False) as client:
        assert len(read(client, "res.partner")) == traces.tables["partners"].height
        assert len(read(client, "product.product")) == 40


def test_without_a_company_there_is_no_odoo(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="make the company with"):
        of_company(tmp_path)
