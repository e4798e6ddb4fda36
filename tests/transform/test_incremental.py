"""A run that keeps what did not change gives exactly what a run from nothing gives, whatever came in which order."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest
import yaml
from deltalake import write_deltalake

from snello.lake import Lake

if TYPE_CHECKING:
    from conftest import Hub

PROJECT = Path(__file__).parents[2] / "transform"
RECENTLY = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = {
    "varchar": pa.string(), "bigint": pa.int64(), "date": pa.date32(),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
}  # fmt: skip
CRM = yaml.safe_load((PROJECT / "models" / "staging" / "crm" / "_crm.yml").read_text(encoding="utf-8"))
COLUMNS = {
    column["name"]: KINDS[column["data_type"]]
    for table in CRM["sources"][0]["tables"]
    if table["name"] == "customers"
    for column in table["columns"]
}
Row = dict[str, Any]
RESOLUTION = (
    "build", "--select", "+identity_prints", "+golden_prints", "+customers_by_purpose", "+customers",
    "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test",
)  # fmt: skip
EDGES = ("build", "--select", "+identity_prints", *RESOLUTION[-4:])
# What a table says beside the columns that are compared: numbers that round otherwise when they are added up otherwise.
NARROWED = {
    "identity.likelihood_pairs": "left_record, right_record, round(probability, 9), evidence",
    "identity.person_edges": "left_record, right_record, rule, identifier_kind, round(strength, 9)",
    "identity.clustering": "left_record, right_record, rule, reason",
}
# What a run was, what changed in it, and values that were read once and are kept when nobody has them any more.
OF_ONE_RUN = {
    "identity": {
        "identity_run", "identity_prints", "changed_rows", "retold_records", "reweighed_records", "record_prints",
        "changed_records", "touched_values", "edge_prints", "rescored_records", "crossed_records", "rejoined_records",
        "retold_marks", "likelihood_records", "likelihood_prepared",
        "likelihood_model", "likelihood_report", "email_values", "phone_values", "tax_code_values", "name_values",
        "place_values", "street_values",
    },
    "figures": {"golden_run", "golden_prints", "changed_customers", "changed_views"},
    "marts": set(),
}  # fmt: skip
IDENTITY = (*EDGES[:2], "+identity_prints", "+customer_sources", "+identity_review", *EDGES[3:])
EVENTS = ("marts.identity_events",)  # each has the moment of its run
REVIEW = {"marts.identity_review": "left_record, right_record, reason, contradiction, pairs, moves, evidence"}
SEEDS = (2, 3, 5)  # each a world of its own in one lake
GIVEN = ("Mario", "Maria", "Luca", "Lucia", "Gino", "M.")
FAMILY = ("Rossi", "Russo", "Bianchi", "Rosi")
CODES = ("RSSMRA80A01H501U", "RSSLCU85A01H501P", "BNCMRA80A41H501E", None, None, None)
BORN = (date(1980, 1, 1), date(1985, 1, 1), date(1980, 1, 10), None, None)


class Company:
    """A lake whose CRM changes from run to run."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.rows: dict[int, Row] = {}

    def run(self) -> dict[str, list[Any]]:
        """Load the rows as they are now, run, and give what came out of it."""
        self.make(*RESOLUTION)
        return self.results()

    def make(self, *arguments: str) -> None:
        """Load the rows as they are now, and run dbt."""
        rows = [{name: row.get(name) for name in COLUMNS} for row in self.rows.values()]
        table = pa.Table.from_pylist(rows, pa.schema(list(COLUMNS.items())))
        write_deltalake(Lake(str(self.hub.lake)).raw_uri("crm", "customers"), table, mode="overwrite")
        self.hub.make(*arguments)

    def results(self, *, but: Iterable[str] = ()) -> dict[str, list[Any]]:
        """The rows of every table and view of identity and the golden record but those that tell of one run."""
        made = self.hub.query("select table_schema, table_name from information_schema.tables order by all")
        names = [f"{schema}.{name}" for schema, name in made if name not in OF_ONE_RUN.get(schema, {name})]
        columns = NARROWED | REVIEW
        return {
            name.partition(".")[2]: self.hub.query(f"select {columns.get(name, '*')} from {name} order by all")
            for name in names
            if name not in but
        }

    def anew(self, home: Path) -> dict[str, list[Any]]:
        """What a run gives that has no memory."""
        home.mkdir()
        other = Company(replace(self.hub, home=home))
        other.rows = self.rows
        return other.run()


def row(number: int, **said: Any) -> Row:
    return {"customer_no": number, "updated_at": RECENTLY, "_sdc_extracted_at": RECENTLY, **said}


def anybody(number: int, draw: random.Random) -> Row:
    """A record of few values, so that many share each, and some are shared by too many."""
    return row(
        number,
        first_name=draw.choice(GIVEN),
        last_name=draw.choice(FAMILY),
        birth_date=draw.choice(BORN),
        tax_code=draw.choice(CODES),
        email=draw.choice((None, f"{draw.choice('abcdef')}@posta.example")),
        mobile=draw.choice((None, f"34012300{draw.randrange(10, 22)}", "3401230099")),
        street=draw.choice((None, "Via Po 9", "Via Roma 7")),
        postcode="10121",
        updated_at=datetime(2026, 1, 1, tzinfo=UTC) - timedelta(days=draw.randrange(0, 4000)),
    )


def chain(places: Iterable[int]) -> dict[int, Row]:
    """Records of one person, each of which shares one telephone with the next."""
    return {
        100 + place: row(
            100 + place, first_name="Davide", last_name="Moretti", mobile=f"34077700{place:02}",
            phone=f"34077700{place + 1:02}",
        )
        for place in places
    }  # fmt: skip


def moves(draw: random.Random, rows: dict[int, Row]) -> None:
    """Records arrive, change and vanish."""
    for _ in range(draw.randrange(1, 9)):
        number = draw.randrange(0, 60)
        if draw.random() < 0.25:
            rows.pop(number, None)
        else:
            rows[number] = anybody(number, draw)


@pytest.fixture
def company(make_hub: Callable[..., Hub]) -> Company:
    return Company(make_hub({}))


@pytest.mark.long
def test_a_random_history_with_a_run_that_broke_off_ends_where_one_run_over_its_end_does(
    company: Company, tmp_path: Path
) -> None:
    draw = random.Random(1)
    company.rows = {number: anybody(number, draw) for number in range(40)} | chain(range(6))
    company.run()
    moves(draw, company.rows)
    company.rows |= chain(range(7, 12))
    company.run()
    before = dict(company.rows)
    moves(draw, company.rows)
    passing = {"first_name": "Ezio", "last_name": "Fugace", "mobile": "3405550001"}
    company.rows |= {number: row(number, **passing) for number in (70, 71)}
    company.make("run", "--select", "+rule_edges", "+customer_values")
    # what the broken run saw is gone again, and the record in the middle of the chain comes last
    company.rows = before | chain((6,)) | {3: anybody(3, draw), 50: anybody(50, draw)}
    company.rows.pop(5)
    company.run()
    company.rows[4] = anybody(4, draw)
    kept = company.run()
    changed = company.hub.query(
        "select (select count(*) from identity.changed_records), (select count(*) from figures.changed_customers)"
    )
    assert 0 < changed[0][0] < len(company.rows)
    assert 0 < changed[0][1] < len(kept["customers"])
    assert kept["rule_edges"]
    assert kept["clustering"]
    assert ("phone", "+393401230099") in {(kind, value) for kind, value, *_ in kept["blocked_identifiers"]}
    joining = company.hub.query(
        """
        select distinct blocked.value is not null from identity.record_evidence as evidence
        left join identity.blocked_identifiers as blocked using (kind, value)
        where
            evidence.value_id in (select value_id from identity.shared_evidence)
        """
    )
    assert joining == [(False,)]
    assert len({cluster for record, cluster, *_ in kept["record_clusters"] if int(record.split("/")[-1]) >= 100}) == 1
    assert kept == company.anew(tmp_path / "anew")


def of(world: int, said: Row) -> Row:
    """The record in a world of its own: no other has its contacts."""
    mobile, email = said["mobile"], said["email"]
    return said | {
        "customer_no": 1000 * world + said["customer_no"],
        "mobile": mobile and mobile.replace("3401", f"34{world}1"),
        "email": email and f"w{world}.{email}",
        "street": said["street"] and f"{said['street']}{world}",
    }


def moves_of(world: int, draw: random.Random, rows: dict[int, Row]) -> None:
    """A few records of a world arrive, change or vanish; one is back as it was."""
    mine = [number for number in rows if number // 1000 == world]
    for number in draw.sample(mine, 3):
        rows.pop(number)
    for _ in range(draw.randrange(2, 7)):
        said = of(world, anybody(draw.randrange(40), draw))
        rows[said["customer_no"]] = said


@pytest.mark.long
def test_three_random_histories_in_one_lake_end_where_a_run_over_their_ends_does(
    company: Company, tmp_path: Path
) -> None:
    draws = {world: random.Random(world) for world in SEEDS}
    start = [of(world, anybody(number, draw)) for world, draw in draws.items() for number in range(25)]
    company.rows = {said["customer_no"]: said for said in start}
    company.make(*IDENTITY)
    for _ in range(2):
        for world, draw in draws.items():
            moves_of(world, draw, company.rows)
        company.make(*IDENTITY)
    assert company.hub.query("select count(*) from identity.changed_records")[0][0] < len(company.rows) / 2
    kept = company.results(but=EVENTS)
    assert kept["identity_review"]
    assert kept["customer_sources"]
    fresh = Company(replace(company.hub, home=tmp_path / "anew"))
    fresh.hub.home.mkdir()
    fresh.rows = company.rows
    fresh.make(*IDENTITY)
    assert kept == fresh.results(but=EVENTS)


def test_a_changed_rule_makes_everything_anew_and_a_changed_function_reads_every_value_again(
    company: Company, tmp_path: Path
) -> None:
    project = tmp_path / "transform"
    shutil.copytree(company.hub.project, project, ignore=shutil.ignore_patterns("target", "logs"))
    company.hub = replace(company.hub, project=project)
    company.rows = {
        1: row(1, first_name="Davide", last_name="Moretti", mobile="3407770001"),
        2: row(2, first_name="Davide", last_name="Moretti", mobile="3407770001"),
    }
    company.make(*EDGES)
    assert company.hub.query("select 1 from identity.rule_edges")
    with duckdb.connect(str(company.hub.home / "warehouse.duckdb")) as connection:
        connection.execute("update identity.phone_values set phone = 'as other functions read it'")
        connection.execute("update identity.identity_prints set readers = 'other functions'")
    seed = project / "seeds" / "identity_rules.csv"
    header, *rules = seed.read_text().splitlines()
    seed.write_text("\n".join([header, *(rule for rule in rules if ",mobile," not in rule)]) + "\n")
    company.make(*EDGES)
    assert not company.hub.query("select 1 from identity.rule_edges")
    assert company.hub.query("select phone from identity.phone_values") == [("+393407770001",)]


def test_what_others_say_of_a_name_a_day_or_a_tax_code_changes_a_record_that_did_not_change(
    company: Company, tmp_path: Path
) -> None:
    code, day = "BNCLRA20A41H501P", date(1977, 7, 7)
    company.rows = {
        1: row(1, first_name="Rossi", last_name="Mario", mobile="3407770001"),
        2: row(2, first_name="Davide", last_name="Moretti", birth_date=day),
        3: row(3, first_name="Laura", last_name="Bianchi", tax_code=code),
    } | {
        number: row(number, first_name="Gino", last_name="Conti", birth_date=date(1960, 1, 1) + timedelta(days=number))
        for number in range(10, 70)
    }
    company.make(*EDGES)
    told = "select is_swapped, birth_date, tax_code_birth_date from identity.person_said where record_key = ?"
    before = [company.hub.query(told, [key])[0][place] for key, place in (("1", 0), ("2", 1), ("3", 2))]
    company.rows |= {
        number: row(number, first_name="Ugo", last_name="Rossi", birth_date=day) for number in range(100, 160)
    } | {4: row(4, first_name="Laura", last_name="Bianchi", tax_code=code, birth_date=date(1920, 1, 1))}
    company.make(*EDGES)
    after = [company.hub.query(told, [key])[0][place] for key, place in (("1", 0), ("2", 1), ("3", 2))]
    assert (before, after) == ([False, day, date(2020, 1, 1)], [True, None, date(1920, 1, 1)])
    assert company.hub.query("select count(*) from identity.changed_rows") == [(61,)]
    kept = company.results()
    fresh = Company(replace(company.hub, home=tmp_path / "anew"))
    fresh.hub.home.mkdir()
    fresh.rows = company.rows
    fresh.make(*EDGES)
    assert kept == fresh.results()
