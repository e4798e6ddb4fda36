from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from snello.errors import ConfigError
from snello.sandbox import World, generate, read_world

from .conftest import AS_OF, PEOPLE, SEED

CRM = {
    "customers": "customer_no first_name last_name birth_date sex tax_code email phone mobile street postcode city "
    "province country language kind dealer_code created_at updated_at",
    "consents": "consent_id customer_no purpose channel granted legal_basis notice_version collected_by given_at "
    "updated_at",
    "dealer_visits": "visit_id customer_no dealer_code visited_at reason model test_drive outcome updated_at",
}
AFTERSALES = {
    "registrations": "registration_no serial_no product registered_on holder_name email phone tax_code street postcode "
    "city role updated_at",
    "service_visits": "visit_no registration_no opened_on closed_on kind amount satisfaction updated_at",
    "care_plans": "plan_no registration_no role starts_on ends_on premium updated_at",
    "personalisations": "order_no registration_no item colour amount ordered_on updated_at",
}


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(world: World, tmp_path: Path) -> None:
    again = generate(tmp_path / "again", PEOPLE, SEED, as_of=AS_OF)
    assert digests(again.company) == digests(world.company)
    other = generate(tmp_path / "other", PEOPLE, SEED + 1, as_of=AS_OF)
    ours, theirs = digests(world.company), digests(other.company)
    same = [name for name in ours if name in theirs and ours[name] == theirs[name]]
    assert all(name.startswith("dmp/taxonomy_") for name in same)  # what an agency sells hangs on no chance


def test_a_new_company_leaves_nothing_of_the_one_before(world: World, tmp_path: Path) -> None:
    generate(tmp_path, 300, SEED + 5, as_of=AS_OF - timedelta(days=900))
    (tmp_path / "company" / "loyalty" / "cards_1999.csv").write_text("card_no\n")
    assert digests(generate(tmp_path, PEOPLE, SEED, as_of=AS_OF).company) == digests(world.company)


def test_a_company_is_said_to_be_there_only_once_it_is_whole(tmp_path: Path) -> None:
    def killed(stream: str, rows: int) -> None:
        if stream == "loyalty.cards":
            raise KeyboardInterrupt

    generate(tmp_path, 50, SEED, as_of=AS_OF)
    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path, 50, SEED, as_of=AS_OF, told=killed)
    with pytest.raises(ConfigError, match="no company in"):
        read_world(tmp_path)


@pytest.mark.parametrize("people", [0, 9, 30_000_000])
def test_too_few_or_too_many_people_are_refused_in_one_sentence(tmp_path: Path, people: int) -> None:
    with pytest.raises(ConfigError, match=rf"^sandbox: {people} people\. Next: ask for 10 to 20000000\.$"):
        generate(tmp_path, people, SEED)


def test_the_smallest_company_has_every_stream(tmp_path: Path) -> None:
    assert len(generate(tmp_path, 10, SEED, as_of=AS_OF).rows) == 41


def test_a_company_that_is_not_there_is_named_with_its_cure(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no company in .* Next: make one with `snello demo up`"):
        read_world(tmp_path)


def test_a_company_is_read_back_as_it_was_made(world: World, home: Path) -> None:
    assert read_world(home) == world


def test_each_stream_is_told_as_it_is_written(tmp_path: Path) -> None:
    told: dict[str, int] = {}
    world = generate(tmp_path, 50, SEED, as_of=AS_OF, told=told.__setitem__)
    assert told == world.rows


@pytest.mark.parametrize("table", CRM)
def test_the_crm_has_the_agreed_columns(world: World, table: str) -> None:
    assert pl.read_parquet_schema(world.company / "crm" / f"{table}.parquet").names() == CRM[table].split()


@pytest.mark.parametrize("table", AFTERSALES)
def test_after_sales_has_the_agreed_columns_and_rows(world: World, table: str) -> None:
    with closing(sqlite3.connect(world.company / "aftersales.sqlite")) as database:
        cursor = database.execute(f"SELECT * FROM {table}")
        assert [column[0] for column in cursor.description] == AFTERSALES[table].split()
        assert len(cursor.fetchall()) == world.rows[f"aftersales.{table}"]


def test_the_truth_speaks_of_every_record_of_a_person_once(world: World, truth: pl.DataFrame) -> None:
    assert truth.columns == ["source", "stream", "record_key", "person_id", "household_id"]
    assert truth.select("source", "stream", "record_key").is_unique().all()
    count = {f"{s}.{t}": n for s, t, n in truth.group_by("source", "stream").len().iter_rows()}
    for stream in (
        "crm.customers",
        "aftersales.registrations",
        "loyalty.cards",
        "shop.customers",
        "contact_centre.calls",
    ):
        assert count[stream] == world.rows[stream]
    orders = pl.read_ipc(world.company / "shop" / "orders.arrow")
    assert count["shop.orders"] == (orders["customer_id"] == 0).sum()


def test_the_household_of_the_truth_is_that_of_the_person(world: World, truth: pl.DataFrame) -> None:
    people = pl.read_parquet(world.company / "people.parquet").select("person_id", real="household_id")
    known = truth.drop_nulls("person_id").join(people, on="person_id")
    assert (known["household_id"] == known["real"]).all()
    strangers = truth.filter(pl.col("person_id").is_null())
    assert strangers.height > 0
    assert strangers["household_id"].is_null().all()


def test_no_key_tells_who_the_person_is(truth: pl.DataFrame) -> None:
    number = pl.col("record_key").str.extract(r"(\d+)$").cast(pl.Int64)
    for stream in ("customers", "registrations", "cards", "partners"):
        records = truth.filter(stream=stream).drop_nulls().with_columns(number)
        for _, part in records.group_by("source"):
            chance = 4 / part.height**0.5
            assert abs(part.select(pl.corr("record_key", "person_id", method="spearman")).item()) < max(0.08, chance)


def test_consents_visits_and_plans_belong_to_records_that_exist(world: World) -> None:
    crm = world.company / "crm"
    customers = pl.read_parquet(crm / "customers.parquet")
    for table in ("consents", "dealer_visits"):
        rows = pl.read_parquet(crm / f"{table}.parquet")
        assert rows.join(customers, on="customer_no", how="anti").height == 0
    with closing(sqlite3.connect(world.company / "aftersales.sqlite")) as database:
        for table in ("service_visits", "care_plans", "personalisations"):
            strays = f"SELECT 1 FROM {table} WHERE registration_no NOT IN (SELECT registration_no FROM registrations)"
            assert database.execute(strays).fetchone() is None


def test_consent_is_yes_no_or_absent_and_some_change_their_mind(world: World) -> None:
    consents = pl.read_parquet(world.company / "crm" / "consents.parquet").filter(purpose="email_marketing")
    asked = consents["customer_no"].n_unique()
    assert 0.3 * world.rows["crm.customers"] < asked < 0.9 * world.rows["crm.customers"]
    last = consents.sort("given_at", "consent_id").group_by("customer_no").last()
    assert 0.3 < last["granted"].mean() < 0.8  # type: ignore[operator]
    changed = consents.group_by("customer_no").agg(pl.col("granted").n_unique()).filter(pl.col("granted") > 1)
    assert changed.height > 20


def test_nothing_happens_after_the_present(world: World) -> None:
    for path in (world.company / "crm").glob("*.parquet"):
        moments = pl.read_parquet(path).select(pl.selectors.datetime())
        assert moments.select(pl.max_horizontal(pl.all().max())).item() < AS_OF
    for path in (world.company / "shop").glob("*.arrow"):
        moments = pl.read_ipc(path).select(pl.selectors.datetime())
        assert moments.select(pl.max_horizontal(pl.all().max())).item() < AS_OF


def test_some_are_long_absent_and_some_were_here_this_month(world: World) -> None:
    orders = pl.read_ipc(world.company / "shop" / "orders.arrow").filter(pl.col("customer_id") > 0)
    last = orders.group_by("customer_id").agg(pl.col("date_created_gmt").max())["date_created_gmt"]
    days = (pl.Series([AS_OF], dtype=last.dtype).item() - last).dt.total_days()
    assert (days > 400).sum() > 50
    assert (days < 30).sum() > 50


def test_order_totals_are_the_sum_of_their_lines_tax_and_shipping(world: World) -> None:
    orders = pl.read_ipc(world.company / "shop" / "orders.arrow")
    goods = orders["line_items"].list.eval(pl.element().struct.field("total")).list.sum()
    assert (orders["total_cents"] == goods + orders["tax_cents"] + orders["shipping_cents"]).all()


def test_a_paying_customer_is_one_with_a_paid_order(world: World) -> None:
    orders = pl.read_ipc(world.company / "shop" / "orders.arrow")
    paid = orders.filter(pl.col("status").is_in(["completed", "processing"]))["customer_id"].unique()
    customers = pl.read_ipc(world.company / "shop" / "customers.arrow")
    assert (customers["is_paying_customer"] == customers["id"].is_in(paid.implode())).all()
    assert 0 < customers["is_paying_customer"].sum() < customers.height


def test_shop_accounts_have_one_valid_address_each_as_the_shop_insists(world: World) -> None:
    emails = pl.read_ipc(world.company / "shop" / "customers.arrow")["email"]
    assert emails.null_count() == 0
    assert emails.str.to_lowercase().is_unique().all()
    assert emails.str.contains("@", literal=True).all()


def test_the_world_says_what_it_is(world: World) -> None:
    about = json.loads((world.company / "world.json").read_text())
    assert about == {"people": PEOPLE, "seed": SEED, "as_of": AS_OF.isoformat(), "rows": world.rows}
