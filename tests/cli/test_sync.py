from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from snello.activation import Ledger
from snello.kit.channel.rehearsal import SALT, Rehearsal
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.brevo import API_KEY, brevo
from snello.sandbox.emulators.webhook import SECRET, webhook

SYNC = "webhook__loyal"
CANARY = "canary.rossi@aurora.example"


def rows(count: int, revenue: int = 1) -> list[dict[str, Any]]:
    return [{"customer_id": f"c{n:02}", "email": CANARY, "revenue": revenue} for n in range(count)]


@pytest.fixture
def receiver() -> Iterator[str]:
    with serve(webhook()) as url:
        yield url


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: str) -> Rehearsal:
    """A project with one sync, its tap and its target."""
    stage = Rehearsal(tmp_path, sync=SYNC, target="target-webhook", match_keys=["email"])
    project = {
        "project_id": "test",
        "jobs": [{"name": "activate", "tasks": ["tap-activation--loyal target-webhook--till"]}],
        "plugins": {
            "extractors": [
                {"name": "tap-activation", "namespace": "tap_activation", "executable": "tap-activation",
                 "settings": [{"name": "sync"}]},
                {"name": "tap-activation--loyal", "inherit_from": "tap-activation", "config": {"sync": SYNC}},
            ],
            "loaders": [
                {"name": "target-webhook", "namespace": "target_webhook", "executable": "target-webhook",
                 "settings": [{"name": "url"}, {"name": "secret"}, {"name": "batch_size", "kind": "integer"},
                              {"name": "requests_per_second", "kind": "decimal"}]},
                {"name": "target-webhook--till", "inherit_from": "target-webhook",
                 "config": {"url": f"{receiver}/hooks/t0ken", "secret": SECRET, "batch_size": 10,
                            "requests_per_second": 2}},
            ],
        },
    }  # fmt: skip
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(project))
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path))
    monkeypatch.delenv("MELTANO_ENVIRONMENT", raising=False)
    monkeypatch.setenv("SNELLO_LAKE", stage.lake.root)
    monkeypatch.setenv("SNELLO_LEDGER", stage.ledger_url)
    monkeypatch.setenv("SNELLO_SALT", SALT)
    return stage


def dropping(folder: Path) -> None:
    """Let the sync be piped into files."""
    project = yaml.safe_load((folder / "meltano.yml").read_text())
    project["jobs"][0]["tasks"] = ["tap-activation--loyal target-file"]
    drop = {"name": "target-file", "namespace": "target_file", "executable": "target-file",
            "settings": [{"name": "path"}, {"name": "part_rows", "kind": "integer"}],
            "config": {"path": str(folder / "drop"), "part_rows": 10}}  # fmt: skip
    project["plugins"]["loaders"].append(drop)
    (folder / "meltano.yml").write_text(yaml.safe_dump(project))


def taken(receiver: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(f"{receiver}/_inspect/taken", timeout=60).json()
    return found


def test_a_plan_counts_what_a_run_would_send_and_writes_nothing(
    stage: Rehearsal, snello: Callable[..., Any], receiver: str
) -> None:
    stage.publish(rows(25), refusing=["c03"])
    told = snello("sync", "plan", SYNC, "--json")
    assert not Path(stage.ledger_url.removeprefix("sqlite:///")).exists()
    plan = json.loads(told.out)
    assert told.code == 0
    assert (plan["target"], plan["mode"], plan["members"]) == ("target-webhook--till", "mirror", 24)
    assert (plan["adds"], plan["changes"], plan["removals"]) == (24, 0, 0)
    assert plan["excluded"] == [{"gate": "consent", "code": "no_consent", "members": 1}]
    assert plan["matching"] == [{"column": "email", "members": 24, "of": 24}]
    assert plan["forecast"] == {"requests": 3, "per_second": 2.0}
    assert (plan["reach"]["sets"], plan["reach"]["at_most"], plan["reach"]["short"]) == ([], None, "")
    ledger = Ledger(stage.ledger_url)
    assert (ledger.recent_runs(), ledger.receipts()) == ([], [])
    ledger.close()
    assert taken(receiver) == []


def test_examples_show_no_personal_value(stage: Rehearsal, snello: Callable[..., Any]) -> None:
    stage.publish(rows(5))
    told = snello("sync", "plan", SYNC, "--samples", "5")
    assert "e-mail(27)" in told.out
    assert CANARY not in told.out
    assert "It takes 1 call, at least 0 s at 2 a second." in told.out


def test_a_run_with_a_limit_delivers_so_many_and_the_next_run_the_rest(
    stage: Rehearsal, snello: Callable[..., Any], receiver: str
) -> None:
    stage.publish(rows(15))
    assert snello("sync", "run", SYNC, "--limit", "10").code == 0
    assert len(taken(receiver)) == 10
    assert snello("sync", "run", SYNC, "--dry-run").code == 0
    assert len(taken(receiver)) == 10
    assert snello("sync", "run", SYNC).code == 0
    assert sorted(row["key"] for row in taken(receiver)) == [f"c{n:02}" for n in range(15)]
    assert "nothing to deliver" in snello("sync", "plan", SYNC).out


def test_the_forecast_of_a_replacement_is_of_the_whole(
    stage: Rehearsal, snello: Callable[..., Any], tmp_path: Path
) -> None:
    stage.terms |= {"target": "target-file", "mode": "replace"}
    dropping(tmp_path)
    stage.publish(rows(25))
    assert snello("sync", "run", SYNC).code == 0
    stage.publish([*rows(24), *rows(25, revenue=2)[24:]])
    plan = json.loads(snello("sync", "plan", SYNC, "--json").out)
    assert (plan["changes"], plan["forecast"]["requests"]) == (25, 3)


def test_a_plan_for_a_target_that_cannot_do_the_mode_says_so_as_its_run_does(
    stage: Rehearsal, snello: Callable[..., Any]
) -> None:
    stage.terms["mode"] = "replace"
    stage.publish(rows(25))
    told = snello("sync", "plan", SYNC)
    assert told.code == 2
    assert f"sync {SYNC}: its mode is replace, which changes cannot do. Next: " in told.err
    assert "valid: append, insert, mirror, update, upsert" in told.err
    assert snello("sync", "run", SYNC).code == 2


def test_a_plan_names_the_columns_that_changed_since_the_last_run(stage: Rehearsal, snello: Callable[..., Any]) -> None:
    stage.publish(rows(5))
    assert snello("sync", "run", SYNC).code == 0
    stage.publish([*rows(3, revenue=2), *rows(5)[3:]])
    plan = json.loads(snello("sync", "plan", SYNC, "--json").out)
    assert (plan["adds"], plan["changes"], plan["unchanged"]) == (0, 3, 2)
    assert plan["fields"] == [{"column": "revenue", "rows": 3}]


def test_a_plan_that_the_breaker_would_stop_says_so_with_its_exit_code(
    stage: Rehearsal, snello: Callable[..., Any]
) -> None:
    stage.publish(rows(30))
    assert snello("sync", "run", SYNC).code == 0
    stage.publish(rows(2))
    told = snello("sync", "plan", SYNC)
    assert told.code == 6
    assert f"SNELLO_ALLOW_BREAKER={SYNC}@publication-2" in told.out
    assert snello("sync", "run", SYNC).code == 6


def test_the_syncs_are_listed_with_their_last_run(stage: Rehearsal, snello: Callable[..., Any]) -> None:
    stage.publish(rows(1))
    [before] = json.loads(snello("sync", "list", "--json").out)
    assert (before["sync"], before["target"], before["outcome"]) == (SYNC, "target-webhook", None)
    assert snello("sync", "run", SYNC).code == 0
    [after] = json.loads(snello("sync", "list", "--json").out)
    assert after["outcome"] == "delivered"


def test_every_published_sync_runs_and_one_that_fails_stops_no_other(
    stage: Rehearsal, snello: Callable[..., Any], receiver: str
) -> None:
    stage.publish(rows(3))
    manifest = stage.lake.manifest()
    assert manifest is not None
    lost = {**stage.terms, "key": "nobody"}
    table = stage.lake.published(f"activation/{SYNC}")
    stage.lake.publish({"activation/a__lost": table}, run_id="p2", syncs={**manifest.syncs, "a__lost": lost})
    told = snello("sync", "run", "--all")
    assert told.code != 0
    assert sorted(row["key"] for row in taken(receiver)) == ["c00", "c01", "c02"]


@pytest.mark.parametrize(
    ("given", "cure"), [([], "name some, or say --all"), (["--all", SYNC], "leave one of them out")]
)
def test_it_must_be_clear_which_syncs_are_meant(
    stage: Rehearsal, snello: Callable[..., Any], given: list[str], cure: str
) -> None:
    told = snello("sync", "run", *given)
    assert (told.code, cure in told.err) == (2, True)


@pytest.mark.parametrize("verb", ["plan", "run"])
def test_a_sync_that_is_not_published_is_told_with_the_nearest_name(
    stage: Rehearsal, snello: Callable[..., Any], verb: str
) -> None:
    stage.publish(rows(1))
    told = snello("sync", verb, "webhook__loyl")
    assert told.code == 2
    assert f"did you mean '{SYNC}'?" in told.err


def test_a_target_that_no_plugin_is_named_after_is_told(
    stage: Rehearsal, snello: Callable[..., Any], tmp_path: Path
) -> None:
    stage.publish(rows(1))
    project = yaml.safe_load((tmp_path / "meltano.yml").read_text())
    project["jobs"] = []
    project["plugins"]["loaders"] = []
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(project))
    told = snello("sync", "run", SYNC)
    assert (told.code, "no target 'target-webhook' in meltano.yml" in told.err) == (2, True)


def test_a_channel_that_cannot_say_what_it_holds_is_told(stage: Rehearsal, snello: Callable[..., Any]) -> None:
    stage.publish(rows(1))
    told = snello("sync", "check", SYNC)
    assert (told.code, "cannot say what they hold" in told.err) == (2, True)


def test_what_somebody_took_out_of_the_channel_by_hand_is_found(
    stage: Rehearsal, snello: Callable[..., Any], tmp_path: Path
) -> None:
    with serve(brevo()) as url:
        project = yaml.safe_load((tmp_path / "meltano.yml").read_text())
        names = ["api_key", "api_url", "create_list", "create_attributes"]
        project["plugins"]["loaders"] = [
            {"name": "target-webhook--till", "namespace": "target_brevo", "executable": "target-brevo",
             "settings": [{"name": name} for name in names],
             "config": {"api_key": API_KEY, "api_url": f"{url}/v3", "create_list": True, "create_attributes": True}},
        ]  # fmt: skip
        (tmp_path / "meltano.yml").write_text(yaml.safe_dump(project))
        stage.terms["purpose"], stage.terms["channel"] = "email_marketing", "email"
        stage.publish([{"customer_id": f"c{n}", "email": f"p{n}@example.it"} for n in range(4)])
        assert snello("sync", "run", SYNC).code == 0
        assert "channel and ledger agree" in snello("sync", "check", SYNC).out
        path = f"{url}/v3/contacts/c2?identifierType=ext_id"
        assert requests.delete(path, headers={"api-key": API_KEY}, timeout=60).status_code == 204
        told = snello("sync", "check", SYNC, "--json")
    assert told.code == 5
    assert json.loads(told.out) == {"sync": SYNC, "held": 4, "listed": 3, "missing": 1, "foreign": 0, "keys": ["c2"]}
