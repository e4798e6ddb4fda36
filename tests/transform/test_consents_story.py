"""S7 from the call to the channel: who withdraws leaves the audience, who withdrew before being known never enters."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from snello.activation import Ledger, Plan, Planner
from snello.lake import Lake

if TYPE_CHECKING:
    from conftest import Hub

SYNC = "brevo__long_absent"
BUILD = ("build", "--select", f"+{SYNC}", "+consent_suppressions", "--exclude-resource-type", "test", "unit_test")
LONG_AGO, CALLED = datetime(2023, 3, 10, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
REFUSED = datetime(2024, 5, 2, tzinfo=UTC)
CALL = {"dst": "800123456", "dcontext": "from-trunk", "disposition": "ANSWERED", "userfield": "optout=all"}


def person(number: int, first: str, mobile: str) -> dict[str, list[dict[str, Any]]]:
    """Bought once, long ago, and agreed to letters."""
    name = {"first_name": first, "last_name": f"Racconto{first}", "email": f"{first.lower()}.racconto@posta.example"}
    order = {"status": "completed", "total": "70.00", "date_created_gmt": LONG_AGO, "billing": name}
    return {
        "crm.customers": [{"customer_no": number, **name, "mobile": mobile}],
        "crm.consents": [consent(number, number, True, LONG_AGO)],
        "shop.customers": [{"id": number, **name}],
        "shop.orders": [{"id": number, "customer_id": number, **order}],
    }


def consent(key: int, customer: int, granted: bool, day: datetime) -> dict[str, Any]:
    what = {"purpose": "email_marketing", "channel": "email", "granted": granted, "legal_basis": "consent"}
    return {"consent_id": key, "customer_no": customer, **what, "given_at": day}


def twice(number: int, first: str) -> list[dict[str, list[dict[str, Any]]]]:
    """A person who agreed, and a later record of the same person that refused."""
    known = person(number, first, f"340000080{number}")
    [customer] = known["crm.customers"]
    other = {
        "crm.customers": [{**customer, "customer_no": number + 10}],
        "crm.consents": [consent(number + 10, number + 10, False, REFUSED)],
    }
    return [known, other]


def call(key: str, number: str) -> dict[str, list[dict[str, Any]]]:
    return {"contact_centre.calls": [{**CALL, "uniqueid": key, "src": number, "started_at": CALLED}]}


def together(*parts: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {name: [row for part in parts for row in part.get(name, [])] for part in parts for name in part}


def arrive(hub: Hub, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Rows that a tap loads later."""
    for table, more in rows.items():
        path = str(hub.lake / "raw" / table.replace(".", "/"))
        schema = pa.schema(DeltaTable(path).schema().to_arrow())
        cells = [{name: _cell(row.get(name), name) for name in schema.names} for row in more]
        write_deltalake(path, pa.Table.from_pylist(cells, schema), mode="append")


def _cell(value: Any, name: str) -> Any:
    if name in ("updated_at", "_sdc_extracted_at"):
        return CALLED
    return json.dumps(value) if isinstance(value, dict) else value


def planned(hub: Hub, run: str) -> tuple[Plan, list[dict[str, Any]]]:
    """Publish what was built, plan, and deliver the plan."""
    manifest = json.loads(((hub.parsed or hub.home / "target") / "manifest.json").read_text())
    terms = next(node["config"]["meta"]["sync"] for node in manifest["nodes"].values() if node["name"] == SYNC)
    with duckdb.connect(str(hub.home / "warehouse.duckdb"), read_only=True) as connection:
        tables = {
            f"activation/{SYNC}": connection.sql(f"select * from activation.{SYNC}").to_arrow_table(),
            "consent_suppressions": connection.sql("select * from marts.consent_suppressions").to_arrow_table(),
            "consent_current": connection.sql("select * from marts.consent_current").to_arrow_table(),
        }
    lake, ledger = Lake(str(hub.lake)), Ledger(f"sqlite:///{hub.home}/ledger.db")
    lake.publish(tables, run_id=run, syncs={SYNC: terms})
    try:
        plan = Planner(lake, ledger, "salt").plan(SYNC)
        rows = [row for table in plan.tables() for row in table.to_pylist()]
        fixed = {"sync": SYNC, "status": "delivered", "code": "", "attempt": 1, "batch": None, "remote_id": None}
        marks = [
            {"key": r["_key"], "op": r["_op"], "run_id": r["_run_id"], "fingerprint": r["_fingerprint"]} for r in rows
        ]
        ledger.record([{**fixed, **mark, "tried": mark["fingerprint"]} for mark in marks])
    finally:
        ledger.close()
    return plan, rows


@pytest.fixture(scope="module")
def told(make_hub: Callable[..., Hub]) -> tuple[Hub, list[dict[str, Any]], list[dict[str, Any]]]:
    """Ada is in the audience; then she calls, and Remo arrives, whose number had called before: a call since erased.

    Ines and Lia refused, each in one of two records that tell of them; then the refusing record is erased, and Lia says
    yes anew.
    """
    hub = make_hub(
        together(
            person(1, "Ada", "3400000801"),
            person(2, "Ugo", "3400000802"),
            call("1.1", "3400000803"),
            *(again for number, first in ((4, "Ines"), (6, "Lia")) for again in twice(number, first)),
        )
    )
    _, first = planned(hub.make(*BUILD), "one")
    DeltaTable(str(hub.lake / "raw" / "contact_centre" / "calls")).delete("uniqueid = '1.1'")
    for table in ("customers", "consents"):
        DeltaTable(str(hub.lake / "raw" / "crm" / table)).delete("customer_no in (14, 16)")
    arrive(hub, {"crm.consents": [consent(26, 6, True, CALLED)]})
    arrive(hub, together(call("1.2", "+393400000801"), person(3, "Remo", "340 0000803")))
    _, second = planned(hub.make(*BUILD), "two")
    return hub, first, second


def test_who_withdraws_by_telephone_is_taken_out_of_the_channel_on_the_next_run(told: Any) -> None:
    hub, first, second = told
    ada, ugo = hub.customers("crm/customers/1", "crm/customers/2")
    assert {(row["_op"], row["_key"]) for row in first} == {("upsert", ada), ("upsert", ugo)}
    removals = [row for row in second if row["_op"] == "remove"]
    assert [(row["_key"], row["_reason"]) for row in removals] == [(ada, "no_consent")]
    assert removals[0]["_consent"]["source"] == "contact_centre"


def test_a_refusal_by_name_stands_though_its_row_is_erased_until_the_person_says_yes_in_that_source(told: Any) -> None:
    hub, first, second = told
    ines, lia = hub.customers("crm/customers/4", "crm/customers/6")
    assert not {ines, lia} & {row["_key"] for row in first}
    assert [row["_key"] for row in second if row["_op"] == "upsert"] == [lia]


def test_who_withdrew_by_a_number_before_being_known_never_enters_an_audience_though_the_call_is_erased(
    told: Any,
) -> None:
    hub, _, second = told
    remo = hub.customer("crm/customers/3")
    assert remo
    assert remo not in {row["_key"] for row in second}
    assert hub.query(
        "select state, reason, decided_by_source from marts.consent_current"
        " where customer_id = ? and purpose = 'email_marketing' and channel = 'email'",
        [remo],
    ) == [("no", "withdrawn", "contact_centre")]
    assert (remo,) in hub.query("select customer_id from marts.segments where segment = 'long_absent'")


def test_a_run_under_another_salt_stops_while_refusals_are_kept(told: Any, make_hub: Callable[..., Hub]) -> None:
    hub, *_ = told
    select = ("build", "--select", "+consent_suppressions", "--exclude-resource-type", "test", "unit_test")
    stopped = replace(hub, salt="another").dbt(*select)
    assert stopped.returncode != 0
    assert "setting salt: it is not the one that refusals were published under" in stopped.stdout
    assert "Next: set SNELLO_SALT to what it was." in stopped.stdout
    assert "Traceback" not in stopped.stdout + stopped.stderr
    first = replace(make_hub({}), salt="another").make(*select)
    empty = pa.table({name: pa.array([], pa.string()) for name in ("value_hash", "salt_mark")})
    Lake(str(first.lake)).publish({"consent_suppressions": empty}, run_id="none")
    replace(first, salt="a third").make(*select)


def test_no_log_of_the_run_names_the_number_that_withdrew(told: Any) -> None:
    hub, *_ = told
    assert "3400000803" not in "".join(path.read_text() for path in (hub.home / "logs").glob("*.log"))
