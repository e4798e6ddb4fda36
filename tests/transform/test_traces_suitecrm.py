"""The company's SuiteCRM through the tap, the lake and dbt: its people arrive, and with them their handles."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree, rmtree
from typing import TYPE_CHECKING

import polars as pl
import pytest

from snello.kit.testing import run
from snello.sandbox import files
from snello.sandbox.draw import Draw
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.suitecrm import CLIENT_ID, CLIENT_SECRET
from snello.sandbox.emulators.suitecrm_company import of_company
from snello.sandbox.people import People, make_people
from snello.sandbox.traces import Traces, handles
from snello.sandbox.traces.suitecrm import trace
from tap_suitecrm import main

if TYPE_CHECKING:
    from conftest import Hub

AS_OF, PEOPLE, SEED = datetime(2026, 10, 1, tzinfo=UTC), 400, 3
MADE = ("+customer_sources", "+customer_values", "+consent_said", "+interactions")
CONFIG = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "custom_fields": ["bluesky_c"]}


@pytest.fixture(scope="module")
def people() -> People:
    return make_people(PEOPLE, SEED, AS_OF)


@pytest.fixture(scope="module")
def traces(people: People) -> Traces:
    return trace(people, Draw(SEED, "suitecrm", AS_OF))


@pytest.fixture(scope="module")
def hub(people: People, traces: Traces, tmp_path_factory: pytest.TempPathFactory, make_hub: Callable[..., Hub]) -> Hub:
    """Everybody with an account at Bluesky follows us; what SuiteCRM has is read."""
    fans = handles.fans(people)
    followers = [
        {"did": f"did:plc:{person}", "handle": handle, "_sdc_extracted_at": AS_OF}
        for person, handle in zip(fans.tolist(), handles.handle(people, fans), strict=True)
    ]
    hub = make_hub({"bluesky.followers": followers})
    folder = tmp_path_factory.mktemp("suitecrm")
    for name, frame in traces.tables.items():
        files.arrow(frame, folder / "company" / "suitecrm" / f"{name}.arrow")
    with serve(of_company(folder / "company")) as url:
        done = run(main, {"url": url, **CONFIG})
    assert done.code == 0, done.last_line
    load(done.out, folder)
    rmtree(hub.lake / "raw" / "suitecrm")
    copytree(folder / "lake" / "raw" / "suitecrm", hub.lake / "raw" / "suitecrm")
    return hub.make("build", "--select", *MADE, "--exclude-resource-type", "test", "unit_test")


def load(messages: str, folder: Path) -> None:
    (folder / "target.json").write_text(json.dumps({"root": f"{folder}/lake", "source": "suitecrm"}))
    target = [Path(sys.executable).parent / "target-lake", "--config", folder / "target.json"]
    subprocess.run(target, input=messages.encode(), capture_output=True, check=True)


def test_every_person_of_the_truth_arrives_under_its_key(traces: Traces, hub: Hub) -> None:
    came = hub.query("select source, stream, record_key from canonical.person_observed order by all")
    assert came == sorted(pl.concat(traces.truth).select("source", "stream", "record_key").iter_rows())
    assert len(came) > 40


def test_what_they_said_did_and_are_arrives_too(hub: Hub) -> None:
    kinds = "select distinct kind from marts.interactions where customer_id is not null order by all"
    assert hub.query(kinds) == [("call",), ("case",), ("meeting",), ("opportunity",)]
    answers = "select distinct purpose, answer from consents.consent_said where source = 'suitecrm'"
    assert {("email_marketing", "granted"), ("email_marketing", "withdrawn")} <= set(hub.query(answers))
    told = "select distinct attribute from marts.customer_values where source = 'suitecrm' and kind = 'explicit'"
    assert {("account",), ("industry",)} <= set(hub.query(told))


def test_a_follower_is_the_customer_who_told_the_handle_and_the_others_are_strangers(traces: Traces, hub: Hub) -> None:
    person = dict(pl.concat(traces.truth).select("record_key", "person_id").iter_rows())
    tellers = {
        person[key]: (stream, key)
        for stream in ("contacts", "leads")
        for key in traces.tables[stream].filter(pl.col("bluesky_c") != "")["id"]
    }
    followers = hub.query("select record_key from canonical.contact_observed where source = 'bluesky'")
    assert 0 < len(tellers) < len(followers)
    for (did,) in followers:
        number = int(did.removeprefix("did:plc:"))
        known = hub.query("select record_key from marts.customer_sources where source = 'suitecrm' and customer_id = ?",
                          [hub.customer(f"bluesky/profiles/{did}")])  # fmt: skip
        assert {person[key] for (key,) in known} == ({number} if number in tellers else set())
