"""A SuiteCRM through the tap, the lake and dbt: people, what they answered, what was held with them, who went."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree, rmtree
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from snello.kit.testing import run
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.suitecrm import CLIENT_ID, CLIENT_SECRET, suitecrm
from snello.sandbox.emulators.suitecrm_legacy import PASSWORD, USER
from tap_suitecrm import main

if TYPE_CHECKING:
    from conftest import Hub

TABLES = ("canonical.person_observed", "consents.consent_said", "marts.customer_values", "marts.interactions")
MADE = ("person_observed", "consent_said", "customer_values", "interactions")
BUILD = ("build", "--select", *(f"+{model}" for model in MADE), "--exclude-resource-type", "test", "unit_test")
V8 = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
V4 = {"interface": "v4_1", "user": USER, "password": PASSWORD}
Rows = dict[str, list[tuple[Any, ...]]]


class Pipeline:
    """A SuiteCRM, the tap, the lake's loader and dbt."""

    def __init__(self, url: str, folder: Path, hub: Hub) -> None:
        self.url, self.folder, self.hub = url, folder, hub
        self.state: Any = None

    def load(self, **settings: Any) -> None:
        """One run into the lake."""
        done = run(main, {"url": self.url, **settings}, state=self.state)
        assert done.code == 0, done.last_line
        (self.folder / "target.json").write_text(json.dumps({"root": f"{self.folder}/lake", "source": "suitecrm"}))
        target = [Path(sys.executable).parent / "target-lake", "--config", self.folder / "target.json"]
        subprocess.run(target, input=done.out.encode(), capture_output=True, check=True)
        self.state = done.state
        rmtree(self.hub.lake / "raw" / "suitecrm")
        copytree(self.folder / "lake" / "raw" / "suitecrm", self.hub.lake / "raw" / "suitecrm")

    def made(self) -> Rows:
        """What comes of this source, for every reader downstream; dbt is run."""
        self.hub.make(*BUILD)
        return self.held()

    def held(self) -> Rows:
        """What dbt made last."""
        rows = {table: self.hub.query(f"select * from {table} order by all") for table in TABLES}
        assert all(rows.values()), {table: len(found) for table, found in rows.items()}
        return rows

    def change(self, number: str, **attributes: str) -> None:
        """Somebody edits a contact."""
        data = {"type": "Contacts", "id": number, "attributes": attributes}
        httpx.patch(f"{self.url}/Api/V8/module", json={"data": data}, headers=self.headers).raise_for_status()

    @property
    def headers(self) -> dict[str, str]:
        login = {"grant_type": "client_credentials", **V8}
        token = httpx.post(f"{self.url}/Api/access_token", data=login).json()["access_token"]
        return {"Authorization": f"Bearer {token}"}

    def said(self, number: str) -> set[tuple[str, str]]:
        """What a contact said of each purpose."""
        query = "select purpose, answer from consents.consent_said where stream = 'contacts' and record_key = ?"
        return set(self.hub.query(query, [number]))


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory, make_hub: Callable[..., Hub]) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("suitecrm")
    with pytest.MonkeyPatch.context() as patch, serve(suitecrm(contacts=40)) as url:
        patch.setenv("SNELLO_STATE", str(folder / "state"))
        pipeline = Pipeline(url, folder, make_hub({}))
        pipeline.load(**V8)
        pipeline.made()
        yield pipeline


def test_people_their_answers_and_what_was_held_with_them_reach_everybody_downstream(pipeline: Pipeline) -> None:
    people = pipeline.hub.query("select stream, count(*) from canonical.person_observed group by all order by all")
    assert people == [("contacts", 37), ("leads", 19)]  # 40 and 20, of which one in 13 was deleted
    named = "select first_name, last_name, city from canonical.person_observed where email = 'contact1@example.org'"
    assert pipeline.hub.query(named) == [("Niccolò", "O'Neill", "L'Aquila")]
    kinds = pipeline.hub.query("select distinct kind from marts.interactions order by all")
    assert kinds == [("call",), ("case",), ("meeting",), ("opportunity",)]
    said = pipeline.hub.query("select distinct answer, legal_basis from consents.consent_said order by all")
    assert said == [("granted", "consent"), ("withdrawn", None)]
    accounts = "select count(*) from marts.customer_values where source = 'suitecrm' and attribute = 'account'"
    assert pipeline.hub.query(accounts) > [(10,)]


def test_a_full_refresh_over_the_other_interface_changes_nothing_downstream(pipeline: Pipeline) -> None:
    before = pipeline.held()
    pipeline.state = None
    pipeline.load(**V4)
    assert pipeline.made() == before


def test_an_opt_out_is_a_withdrawal_in_the_next_run_and_a_deleted_contact_is_nobody(pipeline: Pipeline) -> None:
    [(granted,), *_] = pipeline.hub.query(
        "select record_key from consents.consent_said where stream = 'contacts' and answer = 'granted' order by all"
    )
    assert pipeline.said(granted) == {("email_marketing", "granted")}
    [(other,), *_] = pipeline.hub.query(
        "select record_key from canonical.person_observed where stream = 'contacts' and record_key <> ? order by all",
        [granted],
    )
    pipeline.change(granted, email_opt_out="1")
    httpx.delete(f"{pipeline.url}/Api/V8/module/Contacts/{other}", headers=pipeline.headers).raise_for_status()
    pipeline.load(**V4)
    pipeline.hub.make("build", "--select", "+person_observed", "+consent_said", *BUILD[-3:])
    assert pipeline.said(granted) == {("email_marketing", "withdrawn")}
    assert not [row for row in pipeline.held()["canonical.person_observed"] if other in row]
    assert pipeline.said(other) == set()
