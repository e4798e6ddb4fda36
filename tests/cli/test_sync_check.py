"""What `snello sync check` says of platforms that count people and never list them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import select, update

from snello.activation.looks import LATE
from snello.activation.tables import deliveries, measurements
from snello.kit.channel import ActivationTarget
from snello.kit.channel.rehearsal import SALT, Rehearsal
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.google import ACCOUNT, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, google
from snello.sandbox.emulators.google_rules import Quota
from snello.sandbox.emulators.google_store import GoogleStore
from snello.sandbox.emulators.meta import ACCESS_TOKEN, AD_ACCOUNT, meta
from snello.sandbox.emulators.meta_store import FIRST_ID
from target_google_audiences import TargetGoogleAudiences
from target_meta_audiences import TargetMetaAudiences

SYNC, LIST = "ads__loyal", "long_absent"


class Platform:
    """A platform, a sync into it, and the project that joins them."""

    def __init__(self, url: str, target: type[ActivationTarget], folder: Path, **config: Any) -> None:
        self.url, self.target, self.folder, self.config = url, target, folder, config
        terms = {"target": target.name, "purpose": "ads_audiences", "channel": "ads", "list": LIST}
        self.stage = Rehearsal(folder, sync=SYNC, **terms, max_removal_share=1)
        self.configure()

    def configure(self, **more: Any) -> None:
        self.config |= more
        name = self.target.name
        tap = {"name": "tap-activation", "namespace": "tap_activation", "executable": "tap-activation",
               "settings": [{"name": "sync"}]}  # fmt: skip
        loader = {"name": name, "namespace": name.replace("-", "_"), "executable": name, "config": self.config}
        loader["settings"] = [{"name": each} for each in self.config]
        project = {"project_id": "test", "plugins": {"extractors": [tap], "loaders": [loader]}}
        (self.folder / "meltano.yml").write_text(yaml.safe_dump(project))

    def deliver(self, people: int) -> None:
        self.stage.publish([{"customer_id": f"c{n:04}", "email": f"p{n}@example.it"} for n in range(people)])
        self.stage.run(self.target, self.config)

    def age(self, passed: timedelta) -> None:
        """Let the rows have been delivered so long ago."""
        ledger = self.stage.ledger()
        with ledger.engine.begin() as connection:
            connection.execute(update(deliveries).values(updated_at=datetime.now(UTC) - passed))
        ledger.close()

    def looks(self) -> list[tuple[int | None, int | None, int | None]]:
        """Held, size and forecast of every look."""
        ledger = self.stage.ledger()
        try:
            rows = ledger.asked(select(measurements).order_by(measurements.c.id))
        finally:
            ledger.close()
        return [(row["held"], row["size"], row["forecast"]) for row in rows]

    def put(self, strangers: int) -> None:
        """Let somebody else add people to Google's list."""
        names = [f"emailAddress stranger{n}" for n in range(strangers)]
        httpx.post(f"{self.url}/_inspect/members/1", json=names).raise_for_status()

    def empty(self) -> None:
        """Let Google find nobody of those who were sent."""
        path = f"{self.url}/_inspect/members/1"
        httpx.request("DELETE", path, json=httpx.get(path).json()).raise_for_status()


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path))
    monkeypatch.delenv("MELTANO_ENVIRONMENT", raising=False)
    monkeypatch.setenv("SNELLO_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("SNELLO_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    monkeypatch.setenv("SNELLO_SALT", SALT)


@contextmanager
def google_there(folder: Path) -> Iterator[Platform]:
    with serve(google(quotas=(Quota(100_000), Quota(100_000)))) as url:
        login = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN}
        where = {"api_url": f"{url}/v1", "token_url": f"{url}/token", "status_wait": 0.01}
        config = {**login, **where, "account_id": ACCOUNT, "requests_per_second": 10_000}
        yield Platform(url, TargetGoogleAudiences, folder, **config)


@pytest.fixture
def at_google(tmp_path: Path) -> Iterator[Platform]:
    with google_there(tmp_path) as platform:
        yield platform


@pytest.fixture
def at_meta(tmp_path: Path) -> Iterator[Platform]:
    with serve(meta()) as url:
        config = {"access_token": ACCESS_TOKEN, "ad_account": AD_ACCOUNT, "requests_per_second": 10_000}
        yield Platform(url, TargetMetaAudiences, tmp_path, api_url=url, **config)


Call = Callable[..., Any]


def test_meta_s_figures_stand_beside_ours_and_are_kept_as_a_look(at_meta: Platform, snello: Call) -> None:
    at_meta.deliver(230)
    told = snello("sync", "check", SYNC)
    assert (told.code, told.err) == (0, "")
    assert "nothing contradicts the ledger" in told.out
    for said in ("held by the ledger", "ever sent", "size", "recognised", "forecast", "looked at", "230", "250"):
        assert said in told.out
    assert at_meta.looks() == [(230, 250, None), (230, 250, 230)]


def test_the_middle_of_a_range_is_no_contradiction_while_its_lower_end_is_none(at_meta: Platform, snello: Call) -> None:
    at_meta.deliver(130)
    found = json.loads(snello("sync", "check", SYNC, "--json").out)
    assert (found["held"], found["ever"], found["size"], found["least"]) == (130, 130, 150, 100)
    assert (found["recognised"], found["drift"]) == (None, None)


def test_who_finds_nobody_of_rows_that_are_there_for_days_is_told(at_meta: Platform, snello: Call) -> None:
    at_meta.deliver(130)
    people = [[f"c{n:04}"] for n in range(130)]
    body = {"payload": json.dumps({"schema": ["EXTERN_ID"], "data": people})}
    headers = {"Authorization": f"Bearer {ACCESS_TOKEN}"}
    gone = httpx.request("DELETE", f"{at_meta.url}/v26.0/{FIRST_ID}/users", data=body, headers=headers)
    gone.raise_for_status()
    at_meta.age(LATE - timedelta(hours=1))
    assert snello("sync", "check", SYNC).code == 0
    at_meta.age(LATE)
    told = snello("sync", "check", SYNC)
    assert told.code == 5
    assert "the platform finds nobody, and has had the rows for more than 2 days" in told.out


def test_more_people_than_were_ever_sent_are_somebody_elses(at_google: Platform, snello: Call) -> None:
    at_google.deliver(120)
    assert snello("sync", "check", SYNC).code == 0
    at_google.put(30)
    told = snello("sync", "check", SYNC)
    assert told.code == 5
    assert "the platform has 150 people, and was never sent more than 120" in told.out
    assert "Next: look into the platform who else adds to the audience" in told.out
    assert json.loads(snello("sync", "check", SYNC, "--json").out)["drift"] == "foreign"


def test_people_who_were_sent_once_and_are_removed_are_not_foreign(at_google: Platform, snello: Call) -> None:
    at_google.deliver(150)
    at_google.deliver(120)
    at_google.put(30)
    told = snello("sync", "check", SYNC, "--json")
    assert (told.code, json.loads(told.out)["held"], json.loads(told.out)["size"]) == (0, 120, 150)


def test_google_shows_a_small_list_as_empty_and_that_contradicts_nothing(at_google: Platform, snello: Call) -> None:
    at_google.deliver(99)
    at_google.age(2 * LATE)
    told = snello("sync", "check", SYNC, "--json")
    assert (told.code, json.loads(told.out)["size"]) == (0, 0)


def test_a_list_that_google_finds_empty_after_days_is_told(at_google: Platform, snello: Call) -> None:
    at_google.deliver(120)
    at_google.empty()
    assert snello("sync", "check", SYNC).code == 0
    at_google.age(2 * LATE)
    told = snello("sync", "check", SYNC, "--json")
    assert (told.code, json.loads(told.out)["drift"]) == (5, "nobody")


def test_a_platform_that_says_no_size_is_told_and_nothing_is_kept(
    at_google: Platform, snello: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_google.deliver(120)
    before, about = at_google.looks(), GoogleStore.about
    monkeypatch.setattr(GoogleStore, "about", lambda store, number: {**(about(store, number) or {}), "sizeInfo": {}})
    told = snello("sync", "check", SYNC)
    assert (told.code, "does not say how large the audience is" in told.out) == (0, True)
    assert at_google.looks() == before


def test_a_check_makes_no_audience(at_meta: Platform, snello: Call) -> None:
    at_meta.stage.publish([{"customer_id": "c1", "email": "p1@example.it"}])
    at_meta.configure(audience_name="another", create_audience=True)
    told = snello("sync", "check", SYNC)
    assert (told.code, "no audience called 'another'" in told.err) == (2, True)
    assert "another" not in httpx.get(f"{at_meta.url}/_inspect").json()["audiences"]
