from __future__ import annotations

import json
import os
import socket
import sqlite3
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import yaml

from snello.errors import ConfigError
from snello.sandbox import Services, down, environment, up, withdraw
from snello.sandbox.ports import EMULATORS

from .conftest import free_ports

PEOPLE, SEED = 600, 4


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with tempfile.TemporaryDirectory(prefix="snello-sandbox-") as folder:
        try:
            yield up(Path(folder), PEOPLE, SEED, free_ports())
        finally:
            down(Path(folder))


def port_of(services: Services) -> int:
    return int(services.urls["shop"].rpartition(":")[2]) - 1


def inspect(url: str) -> dict[str, object]:
    with urllib.request.urlopen(f"{url}/_inspect") as answer:
        about: dict[str, object] = json.load(answer)
    return about


def pids(home: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (home / "run").glob("*.pid")}


def test_every_service_answers_for_this_home(services: Services) -> None:
    for name in EMULATORS:
        about = inspect(services.urls[name])
        assert (about["service"], about["home"]) == (name, str(services.home.resolve()))
    with psycopg.connect(services.urls["postgres"]) as connection:
        rows = connection.execute("SELECT count(*) FROM customers").fetchone()
    assert rows == (services.world.rows["crm.customers"],)


def test_the_environment_points_every_plugin_at_what_runs(services: Services) -> None:
    found = environment(services.home, port_of(services))
    assert found == services.environment
    assert found["TAP_SQL__CRM_URL"] == services.urls["postgres"]
    assert found["TARGET_BREVO_API_URL"] == services.urls["brevo"] + "/v3"
    with closing(sqlite3.connect(found["TAP_SQL__AFTERSALES_URL"].removeprefix("sqlite:///"))) as database:
        assert database.execute("SELECT count(*) > 0 FROM registrations").fetchone() == (1,)
    assert (Path(found["AURORA_COMPANY"]) / "truth.parquet").exists()


def test_meltano_finds_the_demo_without_the_environment_too(tmp_path: Path) -> None:
    project = yaml.safe_load((Path(__file__).parents[2] / "meltano.yml").read_text())["plugins"]
    said = {
        f"{plugin['name']}_{setting}".upper().replace("-", "_"): value
        for plugin in [*project["extractors"], *project["loaders"]]
        for setting, value in plugin.get("config", {}).items()
    }
    meant = environment(tmp_path)
    files = {"AURORA_COMPANY", "TAP_SQL__AFTERSALES_URL", "TARGET_SQL_URL", "TARGET_FILE_PATH"}
    for name in meant.keys() - files:
        assert str(said[name]) == meant[name], name
    assert said["TAP_SQL__AFTERSALES_URL"].endswith("/company/aftersales.sqlite")
    assert (said["TARGET_SQL_URL"], said["TARGET_FILE_PATH"]) == ("sqlite:///demo/desk.sqlite", "demo/onboarding")


def test_a_second_up_starts_and_reloads_nothing(services: Services) -> None:
    before = pids(services.home)
    with psycopg.connect(services.urls["postgres"]) as connection:
        connection.execute("UPDATE customers SET dealer_code = 'D777' WHERE customer_no = 100001")
    assert up(services.home, PEOPLE, SEED, port_of(services)).world == services.world
    assert pids(services.home) == before
    with psycopg.connect(services.urls["postgres"]) as connection:
        kept = connection.execute("SELECT dealer_code FROM customers WHERE customer_no = 100001").fetchone()
    assert kept == ("D777",)


def test_a_second_up_on_other_ports_says_what_to_stop(services: Services) -> None:
    with pytest.raises(ConfigError, match=r"^sandbox: shop runs on another port\. Next: stop it first"):
        up(services.home, PEOPLE, SEED, free_ports())


def test_a_company_of_an_earlier_version_is_told_apart(tmp_path: Path) -> None:
    about = {"people": 10, "seed": 1, "as_of": "2026-01-01T00:00:00+00:00", "rows": {"crm.customers": 6}}
    (tmp_path / "company").mkdir()
    (tmp_path / "company" / "world.json").write_text(json.dumps(about))
    with pytest.raises(ConfigError, match=r"of an earlier version, without aftersales, .*\. Next: stop it with"):
        up(tmp_path, 10, 1, free_ports())


def test_a_taken_port_is_named_before_anything_starts(services: Services, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"port {port_of(services) + 1} is in use"):
        up(tmp_path, PEOPLE, SEED, port_of(services))
    assert pids(tmp_path) == {}


def test_one_customer_takes_back_every_consent_and_nobody_else_does(services: Services) -> None:
    query = """
        SELECT customer_no, purpose, granted FROM (
            SELECT *, row_number() OVER (PARTITION BY customer_no, purpose ORDER BY given_at DESC, consent_id DESC) AS n
            FROM consents) AS newest WHERE n = 1 AND legal_basis = 'consent'
    """
    with psycopg.connect(services.urls["postgres"]) as connection:
        before = {(customer, purpose): yes for customer, purpose, yes in connection.execute(query).fetchall()}
        withdrawal = withdraw(services.home)
        connection.commit()
        after = {(customer, purpose): yes for customer, purpose, yes in connection.execute(query).fetchall()}
        when = connection.execute(
            "SELECT bool_and(updated_at > now() - interval '1 minute'), bool_and(NOT granted) FROM consents "
            "WHERE customer_no = %s AND given_at > now() - interval '1 minute'",
            (withdrawal.customer_no,),
        ).fetchone()
    changed = {key for key in after if before.get(key) != after[key]}
    assert ("email_marketing", "email") in withdrawal.withdrawn
    assert changed == {(withdrawal.customer_no, purpose) for purpose, _ in withdrawal.withdrawn}
    assert not any(after[key] for key in changed)
    assert when == (True, True)


def test_the_next_withdrawal_is_another_customers_and_a_named_one_is_theirs(services: Services) -> None:
    first, second = withdraw(services.home), withdraw(services.home)
    assert first.customer_no != second.customer_no
    with pytest.raises(ConfigError, match=rf"customer {first.customer_no} consents to nothing"):
        withdraw(services.home, first.customer_no)


def test_down_stops_its_own_services_and_no_others(services: Services, place: Path) -> None:
    port = free_ports()
    mine = up(place, 50, SEED, port)
    started = {name: int(pid) for name, pid in pids(place).items()}
    assert down(place) == [*EMULATORS, "postgres"]
    assert down(place) == []
    assert pids(place) == {}
    for pid in started.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    for url in mine.urls.values():
        with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
            probe.connect(("127.0.0.1", int(url.rpartition(":")[2].partition("/")[0])))
    assert inspect(services.urls["brevo"])["service"] == "brevo"


def test_a_withdrawal_needs_the_services(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"do not run.*snello demo up"):
        withdraw(tmp_path)
