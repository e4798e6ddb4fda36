"""The stories of the channels, told on a small Aurora: real taps, the dbt project, and what each channel then holds."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from snello.activation import Ledger
from snello.cli.tables import Row, Tables
from snello.lake import Lake
from snello.sandbox.emulators import Letters
from snello.sandbox.services import EMULATORS
from snello.sandbox.services import environment as services

pytestmark = pytest.mark.long
ROOT = Path(__file__).parents[2]
PEOPLE = 1_200
SYNCS = {path.stem for path in (ROOT / "transform" / "models" / "activation").glob("*.sql")}


def free_ports(wanted: int = 1 + max(EMULATORS.values())) -> int:
    for first in range(33_000, 60_000, wanted):
        with ExitStack() as held:
            try:
                for port in range(first, first + wanted):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports")


@dataclass(frozen=True)
class Aurora:
    """A company on which the whole loop ran once."""

    home: Path
    project: Path
    environment: dict[str, str]
    port: int

    def snello(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A command of the hub; ``more``: variables for this one."""
        return self.run("snello", *words, **more)

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {**self.environment, **more}
        return subprocess.run(words, cwd=self.project, env=environment, capture_output=True, text=True, check=False)

    def rows(self, sql: str, *tables: str) -> list[Row]:
        """An answer of published tables; a slash in a name is an underscore in SQL."""
        asked = Tables(Lake(str(self.home / "lake")))
        for name in tables:
            asked.view(name.replace("/", "_"), asked.lake.published_sql(name))
        return asked.rows(sql)

    def held(self, sync: str) -> set[str]:
        with closing(self.ledger()) as ledger:
            return set(ledger.settled(sync).to_pydict()["key"])

    def ledger(self) -> Ledger:
        return Ledger(f"sqlite:///{self.home / 'ledger.db'}")

    @property
    def letters(self) -> list[EmailMessage]:
        return [letter for _, letter in Letters(self.home / "emulators" / "mail").read()]


@pytest.fixture(scope="module")
def aurora(tmp_path_factory: pytest.TempPathFactory) -> Aurora:
    home = tmp_path_factory.mktemp("aurora")
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "SNELLO_REFUSED_TOLERANCE": "0.5",
    }
    for name in ("MELTANO_PROJECT_ROOT", "MELTANO_ENVIRONMENT", "SNELLO_LAKE", "SNELLO_LEDGER", "SNELLO_STATE"):
        environment.pop(name, None)
    port = free_ports()
    words = ["demo", "--people", str(PEOPLE), "--home", str(home), "--port", str(port)]
    done = subprocess.run(["snello", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 5), done.stderr[-2000:]
    project = home / "project"
    environment |= {"MELTANO_PROJECT_ROOT": str(project), "MELTANO_ENVIRONMENT": "demo", **services(home, port)}
    return Aurora(home, project, environment, port)


def consenting(aurora: Aurora, purpose: str, channel: str) -> set[str]:
    sql = f"select customer_id from consent_current where purpose = '{purpose}' and channel = '{channel}'"
    return {row["customer_id"] for row in aurora.rows(f"{sql} and state = 'yes'", "consent_current")}


def test_s16_each_letter_greets_by_name_and_is_left_with_one_click(aurora: Aurora) -> None:
    members = {
        row["email"]: row for row in aurora.rows("select * from activation_smtp__loyal", "activation/smtp__loyal")
    }
    assert len(aurora.letters) == len(aurora.held("smtp__loyal")) > 10
    for letter in aurora.letters:
        member = members[str(letter["To"]).rpartition("<")[2].rstrip(">")]
        text = letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        assert text.startswith(member["salutation"] or "")
        assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert member["customer_id"] not in str(letter["List-Unsubscribe"])


def test_s16_a_long_standing_customer_is_spoken_to_in_another_voice(aurora: Aurora) -> None:
    stages = {
        row["email"]: row for row in aurora.rows("select * from activation_smtp__loyal", "activation/smtp__loyal")
    }
    voices: dict[str, set[str]] = {}
    for letter in aurora.letters:
        member = stages[str(letter["To"]).rpartition("<")[2].rstrip(">")]
        if member["language"] == "it":
            lines = letter.get_body(("plain",)).get_content().splitlines()  # type: ignore[union-attr]
            voices.setdefault(member["lifecycle_stage"], set()).add([line for line in lines if line][1])
    assert all(len(openings) == 1 for openings in voices.values())
    assert any("ci conosciamo da anni" in opening for opening in voices["long_standing"])


@pytest.mark.parametrize(
    ("purpose", "channel", "syncs"),
    [
        ("email_marketing", "email", ("smtp__loyal", "brevo__long_absent", "mailchimp__loyal")),
        ("ads_audiences", "ads", ("file__long_absent", "meta__long_absent", "google__long_absent")),
        ("profiling", "any", ("webhook__loyal", "hubspot__loyal", "odoo__loyal")),
    ],
)
def test_s7_nobody_is_written_to_or_handed_on_without_a_yes_to_that_very_purpose(
    aurora: Aurora, purpose: str, channel: str, syncs: tuple[str, ...]
) -> None:
    for sync in syncs:
        assert aurora.held(sync), sync
        assert aurora.held(sync) <= consenting(aurora, purpose, channel), sync


def test_s11_what_was_collected_for_less_than_advertising_is_in_no_file_for_advertisers(aurora: Aurora) -> None:
    allowed = aurora.rows(
        "select v.value from customer_values as v where v.attribute in ('email', 'phone') "
        "and v.purposes like '%ads_audiences%'",
        "customer_values",
    )
    known = {hashlib.sha256(str(row["value"]).strip().lower().encode()).hexdigest() for row in allowed}
    dropped = [value for row in dropped_rows(aurora) for value in (row["Email"], row["Phone"]) if value]
    assert dropped
    assert set(dropped) <= known


def dropped_rows(aurora: Aurora) -> list[dict[str, Any]]:
    """The rows of the files for advertisers, as a manifest names them."""
    folder = aurora.home / "onboarding"
    [manifest] = [json.loads(path.read_text()) for path in folder.glob("*.manifest.json")]
    found: list[dict[str, Any]] = []
    for file in manifest["files"]:
        content = (folder / file["name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        found.extend(csv.DictReader(content.decode().splitlines()))
    return found


def test_s13_the_file_for_advertisers_holds_hashes_and_no_address(aurora: Aurora) -> None:
    rows = dropped_rows(aurora)
    assert {row["Customer"] for row in rows} == aurora.held("file__long_absent")
    assert not [row for row in rows if "@" in str(row)]
    assert all(len(row["Email"]) in (0, 64) for row in rows)


def test_s1_the_desk_sees_a_role_only_where_a_row_says_yes(aurora: Aurora) -> None:
    with closing(sqlite3.connect(aurora.home / "desk.sqlite")) as desk:
        told = {row[0] for row in desk.execute("select customer_id from certain_roles")}
    certain = aurora.rows(
        "select distinct customer_id from customer_roles where role in ('policy_holder', 'insured') and state = 'yes'",
        "customer_roles",
    )
    unsure = aurora.rows("select distinct customer_id from customer_roles where state = 'unknown'", "customer_roles")
    yes = {row["customer_id"] for row in certain}
    assert told
    assert told <= yes
    assert not told & ({row["customer_id"] for row in unsure} - yes)


def test_who_is_held_back_is_counted_by_gate_and_never_written_to(aurora: Aurora) -> None:
    kept = aurora.rows("select * from exclusions where sync = 'smtp__loyal' and until is null", "exclusions")
    assert {"holdout"} <= {row["gate"] for row in kept}
    assert not {row["key"] for row in kept} & aurora.held("smtp__loyal")
    control = aurora.rows("select customer_id from control_groups", "control_groups")
    assert {row["key"] for row in kept if row["gate"] == "holdout"} <= {row["customer_id"] for row in control}


def test_every_row_of_every_channel_has_a_receipt(aurora: Aurora) -> None:
    for sync in SYNCS:
        proofs = aurora.rows(
            f"select distinct key from delivery_attempts where sync = '{sync}' and status = 'delivered'",
            "delivery_attempts",
        )
        assert {row["key"] for row in proofs} == aurora.held(sync), sync


def test_the_last_runs_are_judged_and_every_sync_is_told(aurora: Aurora) -> None:
    told = aurora.snello("watch", "--quiet", "--json")
    assert told.returncode in (0, 5), told.stderr
    assert {row["sync"] for row in json.loads(told.stdout)["syncs"]} == SYNCS


# ---- what happens to Aurora afterwards; from here on its rows are others


@pytest.fixture(scope="module")
def awake(aurora: Aurora) -> Iterator[Aurora]:
    """Aurora, with its services up again."""
    up = aurora.snello("demo", "up", "--home", str(aurora.home), "--port", str(aurora.port))
    assert up.returncode == 0, up.stderr
    yield aurora
    aurora.snello("demo", "down", "--home", str(aurora.home))


def receipts(aurora: Aurora, sync: str, key: str) -> list[tuple[str, str, str]]:
    with closing(aurora.ledger()) as ledger:
        found = sorted(ledger.receipts(sync=sync, key=key), key=lambda row: row["id"])
        return [(row["op"], row["status"], row["code"]) for row in found]


def test_a_channel_that_is_away_for_two_runs_keeps_no_other_waiting_and_gets_its_row_once(awake: Aurora) -> None:
    syncs = ("mailchimp__loyal", "hubspot__loyal", "webhook__loyal")
    person = min(set.intersection(*map(awake.held, syncs)))
    awake.snello("suppress", person, "--reason", "asked by letter")
    assert awake.snello("sync", "run", *syncs).returncode == 0
    awake.snello("suppress", person, "--lift", "--reason", "asked to come back")
    before = {sync: len(receipts(awake, sync, person)) for sync in syncs}
    with socket.socket() as nobody:  # taken, and never listened at
        nobody.bind(("127.0.0.1", 0))
        away = {"TARGET_MAILCHIMP_API_URL": f"http://127.0.0.1:{nobody.getsockname()[1]}/3.0"}
        away["TARGET_MAILCHIMP_RETRY_ATTEMPTS"] = "1"
        for _ in range(2):
            done = awake.snello("sync", "run", *syncs, **away)
            assert (done.returncode, "nothing is lost" in done.stderr) == (4, True), done.stderr
            assert [person in awake.held(sync) for sync in syncs] == [False, True, True], done.stderr
    judged = awake.snello("watch", "--quiet")
    assert (judged.returncode, "FAULT sync mailchimp__loyal: its last run" in judged.stdout) == (4, True), judged.stdout
    assert awake.snello("sync", "run", *syncs).returncode == 0
    told = {sync: receipts(awake, sync, person)[before[sync] :] for sync in syncs}
    put_off = ("upsert", "retrying", "unreachable")
    assert told.pop("mailchimp__loyal") == [put_off, put_off, ("upsert", "delivered", "")]
    assert list(told.values()) == [[("upsert", "delivered", "")]] * 2


def raw(aurora: Aurora, source: str, stream: str) -> str:
    """A raw table as SQL."""
    lake = Lake(str(aurora.home / "lake"))
    return f"({lake.scan_sql(lake.raw_uri(source, stream))})"


def buyers_of_gifts(aurora: Aurora) -> list[Row]:
    """Customers whose invoice of a personalised product the law keeps, with its number, whom a letter reaches."""
    sql = "select c.customer_id, c.email, p.order_no from customers as c inner join customer_sources as s "
    sql += "using (customer_id) inner join personalisations as p on p.registration_no::varchar = s.record_key "
    sql += "where s.source = 'aftersales' and s.stream = 'registrations' order by p.order_no"
    sql = sql.replace("personalisations as p", f"{raw(aurora, 'aftersales', 'personalisations')} as p")
    held = aurora.held("mailchimp__loyal") | aurora.held("brevo__long_absent")
    return [
        row for row in aurora.rows(sql, "customers", "customer_sources") if row["email"] and row["customer_id"] in held
    ]


@pytest.mark.timeout(1_800)  # an erasure, and then a build from nothing
def test_what_the_law_keeps_of_who_is_erased_stays_and_who_signs_up_again_is_a_new_customer(awake: Aurora) -> None:
    person = buyers_of_gifts(awake)[0]
    customer, address = str(person["customer_id"]), str(person["email"])
    syncs = [sync for sync in SYNCS if customer in awake.held(sync)]

    planned = awake.snello("subject", "erase", customer)
    assert (planned.returncode, "Nothing was done" in planned.stdout) == (0, True)
    assert re.search(r"personalisations: \d+ rows for 3,650 days: invoice, kept ten years", planned.stdout)
    assert [sync for sync in syncs if sync not in planned.stdout] == []
    done = awake.snello("subject", "erase", customer, "--yes", "--reason", "ticket 9")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [sync for sync in SYNCS if customer in awake.held(sync)] == []
    assert all(receipts(awake, sync, customer)[-1][:2] == ("remove", "delivered") for sync in syncs)
    again = awake.snello("subject", "erase", customer, "--yes")
    assert (again.returncode, "erased already" in again.stdout) == (0, True)

    signed = {"email": address, "event": "subscribe", "campaign": None}
    old = {"event_id": "N900000001", **signed, "at": "2025-02-03T10:00:00Z"}
    new = {"event_id": "N900000002", **signed, "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    list_again = awake.home / "company" / "marketing" / "newsletter_2099q1.jsonl"
    list_again.write_text("".join(json.dumps(event) + "\n" for event in (old, new)))
    words = ("tap-files--marketing", "target-lake--marketing", "dbt:build", "snello:publish")
    built = awake.run("meltano", "run", *words)
    assert built.returncode == 0, built.stderr[-3000:]
    kept_now = awake.rows(f"select order_no from {raw(awake, 'aftersales', 'personalisations')}")
    assert person["order_no"] in {row["order_no"] for row in kept_now}
    asked = f"select customer_id, record_key from customer_sources where record_key in ('{old['event_id']}', "
    asked += f"'{new['event_id']}')"
    bound = awake.rows(asked, "customer_sources")
    assert [row["record_key"] for row in bound] == [new["event_id"]]
    assert bound[0]["customer_id"] != customer
    assert str(bound[0]["customer_id"]) in consenting(awake, "email_marketing", "email")
    assert not awake.rows(f"select 1 from customers where customer_id = '{customer}'", "customers")
