"""A person shown all that is held of them, and forgotten everywhere: raw tables, channels, published tables, state."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from deltalake import DeltaTable

from snello.activation import Erasures, Ledger
from snello.activation.tombstones import erased
from snello.cli.subject import erasing
from snello.cli.subject.case import read_case
from snello.cli.sync import run as syncs
from snello.errors import ConfigError
from snello.kit.places import state_folder
from snello.lake import Lake
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.brevo import API_KEY, brevo
from snello.sandbox.emulators.brevo_rules import Limits, Quota
from snello.sandbox.emulators.webhook import SECRET, webhook
from snello.settings import load

BIN = Path(sys.executable).parent
ADA, BOB = "c1", "c2"
EMAIL, PHONE, TAX_CODE, SHARED = "ada.canary@example.it", "+393471234567", "CNRDAA80E41L781K", "+390451234567"
NEEDLES = ("ada.canary", "3471234567", "cnrdaa80e41l781k", "rue canary")
DECOY = "marianna.ada.canary@example.it.org"
SEEN = datetime(2026, 1, 1, tzinfo=UTC)
BREVO, WEBHOOK = "brevo__news", "webhook__news"
PEOPLE = [
    {"customer_no": 1, "name": "Ada", "email": "Ada.Canary@Example.it", "phone": "347 123 4567", "home": SHARED},
    {"customer_no": 2, "name": "Bob", "email": "bob@example.it", "phone": None, "home": SHARED},
]
STREAMS: dict[str, tuple[list[str], list[dict[str, Any]]]] = {
    "customers": (["customer_no"], PEOPLE),
    "consents": (["consent_id"], [{"consent_id": 5, "customer_no": 1}, {"consent_id": 1, "customer_no": 2}]),
    "letters": ([], [{"text": f"from {EMAIL}, rue Canary 4"}, {"text": f"from {DECOY}"}]),
    "invoices": (["invoice_no"], [{"invoice_no": "I1", "customer_no": 1}, {"invoice_no": "I2", "customer_no": 2}]),
}


def published() -> dict[str, pa.Table]:
    """What dbt would publish of the two."""
    sources = [("crm", "customers", "1", ADA), ("crm", "consents", "5", ADA), ("crm", "customers", "2", BOB)]
    record = [
        {"source": s, "stream": t, "record_key": k, "customer_id": c, "observed_at": SEEN} for s, t, k, c in sources
    ]
    identifiers = [(ADA, "email", EMAIL), (ADA, "phone", PHONE), (ADA, "tax_code", TAX_CODE), (BOB, "phone", SHARED)]
    identifiers += [(ADA, "phone", SHARED), (BOB, "email", "bob@example.it")]
    events = [
        {"customer_id": BOB, "moved": ["crm/customers/1", "crm/customers/2"]},
        {"customer_id": ADA, "moved": ["crm/customers/1"]},
    ]
    refusal = {"kind": "email", "value_hash": "a" * 64, "purpose": "profiling", "channel": "any"}
    people = [{"customer_id": ADA, "email": EMAIL}, {"customer_id": BOB, "email": "bob@example.it"}]
    consents = [
        {"customer_id": who, "purpose": purpose, "channel": "email", "state": "yes", "decided_by_source": "crm",
         "record_key": "5", "observed_at": SEEN}
        for who in (ADA, BOB) for purpose in ("email_marketing", "profiling")
    ]  # fmt: skip
    rows: dict[str, list[dict[str, Any]]] = {
        "customers": [{**one, "first_name": name, "last_name": "C"} for one, name in zip(people, "AB", strict=True)],
        "customer_sources": record,
        "customer_identifiers": [{"customer_id": c, "kind": k, "value": v, "records": 1} for c, k, v in identifiers],
        "customer_aliases": [{"alias": "c0", "customer_id": ADA}],
        "identity_events": events,
        "consent_current": consents,
        "consent_suppressions": [{**refusal, "source": "crm", "stream": "consents", "record_key": "5"}],
        f"activation/{BREVO}": people,
        f"activation/{WEBHOOK}": people,
    }
    return {name: pa.Table.from_pylist(found) for name, found in rows.items()}


@dataclass(frozen=True)
class Home:
    """A hub in a folder of its own."""

    root: Path

    @property
    def lake(self) -> Lake:
        return Lake(str(self.root / "lake"))

    def load(self, *, broken: bool = False) -> str:
        """Extract, or extract again: the same rows come in; ``broken``: one of them fits no column."""
        said: list[dict[str, Any]] = []
        for stream, (keys, rows) in STREAMS.items():
            kinds = {key: {"type": ["integer" if isinstance(row[key], int) else "string", "null"]}
                     for row in rows for key in row}  # fmt: skip
            said.append({"type": "SCHEMA", "stream": stream, "key_properties": keys, "schema": {"properties": kinds}})
            said += [{"type": "RECORD", "stream": stream, "record": row} for row in rows]
            if stream == "customers" and broken:
                said.append({"type": "RECORD", "stream": stream, "record": {"customer_no": 1, "name": {"a": EMAIL}}})
                said.append({"type": "RECORD", "stream": stream, "record": {"customer_no": "x", "email": EMAIL}})
        done = subprocess.run(
            [BIN / "target-lake", "--config", self.root / "crm.json"],
            input="".join(json.dumps(message) + "\n" for message in said),
            capture_output=True, text=True, check=True, cwd=self.root,
        )  # fmt: skip
        return done.stderr

    def publish(self) -> None:
        terms = {"channel": "email", "max_removals_floor": 10}
        self.lake.publish(
            published(),
            run_id="p1",
            syncs={
                BREVO: {**terms, "target": "target-brevo", "purpose": "email_marketing"},
                WEBHOOK: {**terms, "target": "target-webhook", "purpose": "profiling"},
            },
        )

    def live(self) -> Iterator[tuple[str, str]]:
        """Every live file and all that it says, in lower case: tables as they are now, and all else byte by byte."""
        current = self.lake.manifest()
        uris = [*self.lake.raw_tables().values(), *(ref.path for ref in (current.tables.values() if current else ()))]
        for uri in uris:
            for file in DeltaTable(uri).file_uris():
                yield file, str(duckdb.sql(f"select * from read_parquet('{file}')").fetchall()).lower()
        for path in self.root.rglob("*"):
            if path.is_file() and path.suffix != ".parquet" and path.name != "crm.json":
                yield str(path), path.read_bytes().decode("latin-1").lower()

    def naming(self) -> list[str]:
        """The live files that hold something of Ada."""
        live = [(name, said.replace(DECOY, "")) for name, said in self.live()]
        return sorted({name for name, said in live if any(needle in said for needle in NEEDLES)})

    def rows(self, source: str, stream: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = DeltaTable(self.lake.raw_uri(source, stream)).to_pyarrow_table().to_pylist()
        return found

    def erasures(self) -> Erasures:
        hub = load(self.root)
        return Erasures(Ledger(hub.ledger), hub.salt.get_secret_value())

    def state(self) -> dict[str, Any]:
        """What the hub holds, without moments and names of files."""
        current = self.lake.manifest()
        tables = {name: self.lake.published(name).to_pylist() for name in (current.tables if current else ())}
        raw = {
            name: [{k: v for k, v in row.items() if not k.startswith("_sdc_ex")} for row in self.rows(*name)]
            for name in self.lake.raw_tables()
            if name[1] in STREAMS
        }
        erasures = self.erasures()
        steps = [(step.name, step.status) for one in erasures.all() for step in one.steps]
        keys = [erased(erasures.ledger, sync).to_pylist() for sync in (BREVO, WEBHOOK)]
        held = erasures.holding([ADA])
        erasures.ledger.close()
        return {"tables": tables, "raw": raw, "steps": steps, "keys": keys, "held": held}


def meltano(home: Path, brevo_url: str, webhook_url: str) -> None:
    def plugin(name: str, executable: str, **config: Any) -> dict[str, Any]:
        kinds = [
            {"name": key, "kind": "boolean" if isinstance(value, bool) else "string"} for key, value in config.items()
        ]
        return {"name": name, "namespace": name.replace("-", "_"), "executable": executable, "settings": kinds,
                "config": config}  # fmt: skip

    file = {
        "project_id": "test",
        "send_anonymous_usage_stats": False,
        "plugins": {
            "extractors": [plugin(f"tap-{sync}", "tap-activation", sync=sync) for sync in (BREVO, WEBHOOK)],
            "loaders": [
                plugin("target-brevo", "target-brevo", api_key=API_KEY, api_url=f"{brevo_url}/v3", create_list=True,
                       create_attributes=True),
                plugin("target-webhook", "target-webhook", url=f"{webhook_url}/hook", secret=SECRET),
            ],
        },
    }  # fmt: skip
    (home / "meltano.yml").write_text(yaml.safe_dump(file))


@dataclass(frozen=True)
class Channels:
    """Two channels that remember, under the URLs that the hub's targets call."""

    brevo: str
    webhook: str

    def contacts(self) -> set[str]:
        return {one["email"] for one in httpx.get(f"{self.brevo}/_inspect/contacts").json()}

    def received(self) -> dict[str, str]:
        """The last word that the webhook's receiver heard of each key."""
        return {row["key"]: row["op"] for row in httpx.get(f"{self.webhook}/_inspect/taken").json()}


def settings(root: Path) -> dict[str, str]:
    """The variables of a hub in a folder."""
    return {
        "MELTANO_PROJECT_ROOT": str(root), "SNELLO_LAKE": str(root / "lake"), "SNELLO_SALT": "salt",
        "SNELLO_LEDGER": f"sqlite:///{root / 'ledger.db'}", "SNELLO_WAREHOUSE": str(root / "warehouse.duckdb"),
        "SNELLO_STATE": str(root / "state"), "SNELLO_BATCHES": "batches", "PATH": f"{BIN}:{os.environ['PATH']}",
    }  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada and Bob extracted and published, nobody delivered yet; to be copied."""
    root = tmp_path_factory.mktemp("made")
    (root / "meltano.yml").write_text("project_id: test\n")
    (root / "crm.json").write_text(json.dumps({"source": "crm"}))
    seeds = root / "transform" / "seeds"
    seeds.mkdir(parents=True)
    (seeds / "erasure_holds.csv").write_text("source,stream,basis,days\ncrm,invoices,kept ten years by law,3650\n")
    with duckdb.connect(str(root / "warehouse.duckdb")) as warehouse:
        warehouse.execute(f"create table email_values as select '{EMAIL}' as raw")
    memory = root / "state" / "memory" / "0" / "customers-0"
    memory.mkdir(parents=True)
    pq.write_table(pa.table({"key": ["[1]", "[2]"], "fingerprint": [1, 2]}), memory / "1.parquet")
    with pytest.MonkeyPatch.context() as patched:
        for name, value in settings(root).items():
            patched.setenv(name, value)
        Home(root).load(broken=True)
    Home(root).publish()
    return root


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A hub that knows Ada and Bob."""
    root = tmp_path / "home"
    shutil.copytree(made, root)
    for name, value in settings(root).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MELTANO_ENVIRONMENT", raising=False)
    return Home(root)


@pytest.fixture
def channels(home: Home) -> Iterator[Channels]:
    """The channels of the hub, up."""
    limits = Limits(contacts=Quota(100_000, 1.0), others=Quota(100_000, 3600.0))
    with serve(brevo(limits=limits)) as mail, serve(webhook()) as hook:
        meltano(home.root, mail, hook)
        yield Channels(mail, hook)


def quick(home: Home) -> Callable[..., int]:
    """Instead of two processes: the outcome that the channels and the ledger would show."""

    def run(sync: str, **_more: Any) -> int:
        ledger = Ledger(load(home.root).ledger)
        row = {"sync": sync, "key": ADA, "op": "remove", "status": "delivered", "run_id": "r2"}
        ledger.record([{**row, "fingerprint": None}], [{**row, "reason": "erased"}])
        ledger.close()
        return 0

    return run


def delivered(home: Home) -> None:
    """The ledger as a first run leaves it."""
    ledger = Ledger(load(home.root).ledger)
    for sync in (BREVO, WEBHOOK):
        row = {"sync": sync, "op": "upsert", "status": "delivered", "run_id": "r1", "fingerprint": "f"}
        ledger.record([{**row, "key": key} for key in (ADA, BOB)], [{**row, "key": key} for key in (ADA, BOB)])
    ledger.close()


def test_who_is_erased_is_gone_everywhere_and_does_not_come_back(home: Home, channels: Channels, snello: Any) -> None:
    assert [syncs.run_sync(sync, quiet=True) for sync in (BREVO, WEBHOOK)] == [0, 0]
    assert EMAIL in channels.contacts()
    assert len(home.naming()) >= 8
    planned = snello("subject", "erase", EMAIL)
    assert (planned.code, "Nothing was done" in planned.out) == (0, True), planned.err
    assert "the next `meltano run unify` makes it anew, all of it" in planned.out
    assert "crm/invoices: 1 rows for 3,650 days: kept ten years by law" in planned.out
    assert EMAIL in channels.contacts()

    done = snello("subject", "erase", EMAIL, "--yes", "--reason", "ticket 7")
    assert done.code == 0, done.out + done.err
    assert home.naming() == []
    assert channels.contacts() == {"bob@example.it"}
    assert channels.received() == {ADA: "remove", BOB: "upsert"}
    reasons = {(row["sync"], row["reason"]) for row in Ledger(load().ledger).receipts(key=ADA) if row["op"] == "remove"}
    assert reasons == {(BREVO, "erased"), (WEBHOOK, "erased")}
    assert [row["customer_no"] for row in home.rows("crm", "customers")] == [2]
    assert [row["invoice_no"] for row in home.rows("crm", "invoices")] == ["I1", "I2"]
    assert [row["text"] for row in home.rows("crm", "letters")] == [STREAMS["letters"][1][1]["text"]]

    told = home.load(broken=True)
    assert "customers: 2 rows of people who were erased left out" in told
    assert [row["customer_no"] for row in home.rows("crm", "customers")] == [2]
    assert not any("rue canary" in said for _, said in home.live())
    assert snello("audit", "verify").code == 0


def test_a_second_erasure_does_nothing_more_and_says_so(home: Home, snello: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(erasing, "run_sync", quick(home))
    delivered(home)
    assert snello("subject", "erase", ADA, "--yes").code == 0
    before = home.state()
    for given in (ADA, EMAIL, "347 1234567", TAX_CODE, "crm/customers/1"):
        again = snello("subject", "erase", given, "--yes")
        assert (again.code, "erased already" in again.out) == (0, True), again.err
    assert home.state() == before


def test_refusals_of_the_erased_stay_by_hash_alone(home: Home, snello: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(erasing, "run_sync", quick(home))
    snello("subject", "erase", ADA, "--yes")
    [kept] = home.lake.published("consent_suppressions").to_pylist()
    assert kept["value_hash"] == "a" * 64
    assert kept["record_key"].startswith("erased ")
    assert home.lake.published("identity_events").to_pylist() == [{"customer_id": BOB, "moved": ["crm/customers/2"]}]


STEPS = ["tombstones", "published", "channel", "raw", "batches", "state", "warehouse", "proof"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_in_any_step_it_goes_on_and_ends_the_same(
    home: Home, made: Path, snello: Any, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monkeypatch.setattr(erasing, "run_sync", quick(home))
    delivered(home)
    ledger = (home.root / "ledger.db").read_bytes()
    assert snello("subject", "erase", ADA, "--yes").code == 0
    undisturbed = home.state()
    for step in STEPS if when == "after" else STEPS[2::3]:
        shutil.rmtree(home.root)
        shutil.copytree(made, home.root)
        (home.root / "ledger.db").write_bytes(ledger)
        handler = erasing.HANDLERS[step]

        def dying(work: erasing.Work, one: Any, handler: Any = handler) -> int:
            if when == "after":
                handler(work, one)
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setitem(erasing.HANDLERS, step, dying)
            assert snello("subject", "erase", ADA, "--yes").code == 130, step
        assert snello("subject", "status").code == 0
        assert snello("subject", "erase", "--resume").code == 0, step
        assert home.state() == undisturbed, step
        assert home.naming() == [], step


def cases() -> list[Path]:
    """The files of erasures under way."""
    return sorted(state_folder("erasures").iterdir())


@pytest.mark.parametrize("when", ["as it begins", "as it ends"])
def test_killed_where_no_step_is_under_way_it_leaves_no_file_that_names_the_person(
    home: Home, snello: Any, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    def dying(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        begins = when == "as it begins"
        patched.setattr(*((Erasures, "begin") if begins else (erasing, "close_case")), dying)
        assert snello("subject", "erase", ADA, "--yes", "--history-days", "0").code == 130
    [left] = cases()
    assert not any("erasures" in name for name in home.naming())
    assert stat.S_IMODE(left.stat().st_mode) == 0o600
    assert snello("subject", "erase", "--resume").code == 0
    assert cases() == []


def test_while_a_step_fails_what_is_looked_for_lies_sealed_under_the_salt(
    home: Home, snello: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered(home)
    with monkeypatch.context() as patched:
        patched.setattr(erasing, "run_sync", lambda sync, **_: 4)
        assert snello("subject", "erase", ADA, "--yes").code == 4
    [left] = cases()
    assert not any(needle in left.read_bytes().decode().lower() for needle in NEEDLES)
    salt = load().salt.get_secret_value()
    with pytest.raises(ConfigError, match=r"sealed under another salt\. Next: give SNELLO_SALT its old value"):
        read_case(left.stem, "other")
    known = read_case(left.stem, salt)
    assert EMAIL in {one.value for one in known.identifiers}
    left.with_suffix(".json").write_bytes(msgspec.json.encode(known))  # as older hubs wrote it
    left.unlink()
    monkeypatch.setattr(erasing, "run_sync", quick(home))
    assert snello("subject", "erase", "--resume").code == 0
    assert cases() == []
    assert home.naming() == []


def test_a_channel_that_fails_is_told_and_tried_again_until_it_is_done(
    home: Home, snello: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered(home)
    monkeypatch.setattr(erasing, "run_sync", lambda sync, **_: 4)
    first = snello("subject", "erase", ADA, "--yes")
    assert first.code == 4
    assert first.err.splitlines()[-1].startswith(f"subject: not done yet: channel {BREVO}, channel {WEBHOOK}. Next: ")
    assert [row["customer_no"] for row in home.rows("crm", "customers")] == [2]
    assert snello("subject", "status").code == 4
    monkeypatch.setattr(erasing, "run_sync", quick(home))
    assert snello("subject", "erase", "--resume").code == 0
    assert snello("subject", "status").code == 0
    assert home.naming() == []


def test_what_is_delivered_while_it_runs_is_found_and_removed_by_the_next_run(
    home: Home, snello: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "run_sync", quick(home))
    raw = erasing.HANDLERS["raw"]

    def meanwhile(work: erasing.Work, step: Any) -> int:
        delivered(home)
        return raw(work, step)

    with monkeypatch.context() as patched:
        patched.setitem(erasing.HANDLERS, "raw", meanwhile)
        first = snello("subject", "erase", ADA, "--yes")
    assert (first.code, f"delivered while it ran: {BREVO}, {WEBHOOK}" in first.out) == (4, True)
    assert snello("subject", "erase", "--resume").code == 0
    assert home.state()["held"] == {}


def test_who_left_an_audience_before_is_erased_there_as_well(home: Home, snello: Any, monkeypatch: Any) -> None:
    delivered(home)
    ledger = Ledger(load().ledger)
    ledger.record(
        [{"sync": BREVO, "key": ADA, "op": "remove", "status": "delivered", "run_id": "r", "fingerprint": None}]
    )
    asked: list[str] = []
    monkeypatch.setattr(erasing, "run_sync", lambda sync, **_: asked.append(sync) or quick(home)(sync))
    assert snello("subject", "erase", ADA, "--yes").code == 0
    assert sorted(asked) == [BREVO, WEBHOOK]


def test_when_its_day_has_come_nothing_is_left_of_the_history(home: Home, snello: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(erasing, "run_sync", quick(home))
    assert snello("subject", "erase", ADA, "--yes", "--history-days", "30").code == 0
    held = [
        path
        for path in (home.root / "lake").rglob("*.parquet")
        if EMAIL in str(pq.read_table(path).to_pylist()).lower()
    ]
    assert held
    erasures = home.erasures()
    [one] = erasures.all(unfinished=True)
    erasing.resume(load(), erasures, one, now=datetime.now(UTC) + timedelta(days=31))
    for path in (home.root / "lake").rglob("*.parquet"):
        assert "rue canary" not in (said := str(pq.read_table(path).to_pylist()).lower())
        assert f"'{EMAIL}'" not in said
    erasing.resume(load(), erasures, one, now=datetime.now(UTC) + timedelta(days=3651))
    assert [row["invoice_no"] for row in home.rows("crm", "invoices")] == ["I2"]
    assert erasures.get(one.erasure).finished_at is not None
    erasures.ledger.close()


def test_a_person_gets_every_row_of_theirs_and_nobody_elses(home: Home, snello: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = snello("subject", "export", TAX_CODE, "--out", str(out), "--author", "desk")
    assert told.code == 0, told.err
    document = json.loads((out / f"{ADA}.json").read_text())
    assert document["customer_ids"] == [ADA, "c0"]
    assert [row["email"] for row in document["source_rows"]["crm/customers"]] == ["Ada.Canary@Example.it"]
    assert len(document["source_rows"]["crm/consents"]) == len(document["source_rows"]["crm/invoices"]) == 1
    assert len(document["refused_rows"]["crm/_quarantine"]) == 2
    assert "bob@" not in json.dumps(document)
    page = (out / f"{ADA}.html").read_text()
    assert "Ada.Canary@Example.it" in page
    assert "prefers-color-scheme: dark" in page
    assert "http://" not in page
    assert "src=" not in page
    assert {stat.S_IMODE(file.stat().st_mode) for file in out.iterdir()} == {0o600}
    listed = snello("audit", "list")
    assert "export" in listed.out
    assert "desk" in listed.out
    assert EMAIL not in listed.out


def test_what_a_source_wrote_is_text_in_the_page(home: Home, snello: Any, tmp_path: Path) -> None:
    STREAMS["letters"][1].append({"text": f"<script>alert(1)</script> {EMAIL}"})
    try:
        home.load()
    finally:
        STREAMS["letters"][1].pop()
    snello("subject", "export", ADA, "--out", str(tmp_path / "out"))
    page = (tmp_path / "out" / f"{ADA}.html").read_text()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page


def test_a_row_that_became_no_customer_is_found_by_its_identifier(home: Home, snello: Any, tmp_path: Path) -> None:
    told = snello("subject", "export", DECOY, "--out", str(tmp_path / "out"), "--json")
    assert told.code == 0, told.err
    assert json.loads(told.out)["rows"] == {"known": 0, "source rows": 1, "refused rows": 0, "delivered": 0}


def test_several_customers_are_listed_and_nobody_is_exit_code_2(home: Home, snello: Any, tmp_path: Path) -> None:
    several = snello("subject", "export", "045 1234567", "--out", str(tmp_path / "out"))
    assert several.code == 2
    assert several.err.strip() == "subject: 2 customers have this identifier. Next: name one of them: c1, c2."
    nobody = snello("subject", "export", "nobody@example.it", "--out", str(tmp_path / "out"))
    assert nobody.code == 2
    assert nobody.err.startswith("subject: nobody in the hub has this identifier. Next: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give an identifier or --resume"),
        ([ADA, "--resume"], "give an identifier or --resume"),
        ([ADA, "--yes", "--reason", f"asked by {EMAIL}"], "it names the person"),
        ([ADA, "--hold", "crm"], "is no SOURCE/STREAM=BASIS"),
    ],
)
def test_words_that_do_not_agree_are_one_sentence(home: Home, snello: Any, words: list[str], said: str) -> None:
    told = snello("subject", "erase", *words)
    assert (told.code, said in told.err) == (2, True), told.err


def test_another_salt_stops_the_loader_and_the_command(home: Home, snello: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(erasing, "run_sync", quick(home))
    assert snello("subject", "erase", ADA, "--yes").code == 0
    monkeypatch.setenv("SNELLO_SALT", "another")
    assert "people were erased under another salt" in snello("subject", "status").err
    with pytest.raises(subprocess.CalledProcessError) as refused:
        home.load()
    assert "people were erased under another salt" in refused.value.stderr


def test_a_broken_link_of_the_log_is_named_with_exit_code_3(home: Home, snello: Any) -> None:
    snello("subject", "export", ADA, "--out", str(home.root / "out"))
    erasures = home.erasures()
    with erasures.ledger.engine.begin() as connection:
        connection.exec_driver_sql("drop trigger audit_no_update")
        connection.exec_driver_sql("update audit set actor = 'nobody'")
    erasures.ledger.close()
    told = snello("audit", "verify")
    assert (told.code, "link 1 is broken" in told.err) == (3, True)


def test_a_log_deleted_with_its_seal_is_missed_by_the_erasures_that_it_told_of(
    home: Home, snello: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(erasing, "run_sync", quick(home))
    assert snello("subject", "erase", ADA, "--yes").code == 0
    erasures = home.erasures()
    with erasures.ledger.engine.begin() as connection:
        connection.exec_driver_sql("drop trigger audit_no_delete")
        connection.exec_driver_sql("delete from audit")
        connection.exec_driver_sql("delete from audit_seal")
    [erasure] = erasures.all()
    erasures.ledger.close()
    told = snello("audit", "verify")
    assert told.code == 3
    assert f"it does not tell of the erasure {erasure.erasure}" in told.err


def test_a_key_is_never_guessed_from_few_rows(home: Home, snello: Any) -> None:
    shutil.rmtree(home.root / "lake" / "raw" / "crm" / "_loads")
    told = snello("subject", "erase", ADA, "--yes")
    assert told.code == 3
    assert "which of its columns is the key is not known. Next: load it once" in told.err
    assert len(home.rows("crm", "customers")) == 2


def test_a_row_of_a_customer_stays_when_somebody_is_erased_whom_it_mentions(
    home: Home, snello: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(erasing, "run_sync", quick(home))
    monkeypatch.setitem(STREAMS, "customers", (["customer_no"], [{**PEOPLE[1], "name": "friend of zoe@example.it"}]))
    monkeypatch.setitem(STREAMS, "letters", ([], [{"text": "from zoe@example.it"}]))
    home.load()
    assert snello("subject", "erase", "zoe@example.it", "--yes").code == 0
    assert {row["customer_no"] for row in home.rows("crm", "customers")} == {1, 2}
    assert not any("zoe" in row["text"] for row in home.rows("crm", "letters"))
