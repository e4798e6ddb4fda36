"""``snello sync resend``, against channels whose list somebody deleted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from snello.activation import AuditLog
from snello.kit.channel.rehearsal import SALT, Rehearsal
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.brevo import API_KEY, brevo
from snello.sandbox.emulators.meta import ACCESS_TOKEN, AD_ACCOUNT, meta

SYNC, WHY = "loyal__members", ("--reason", "the list was deleted")
Snello = Callable[..., Any]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rehearsal:
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path))
    monkeypatch.delenv("MELTANO_ENVIRONMENT", raising=False)
    monkeypatch.setenv("SNELLO_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("SNELLO_LEDGER", f"sqlite:///{tmp_path / 'ledger.db'}")
    monkeypatch.setenv("SNELLO_SALT", SALT)
    return Rehearsal(tmp_path, sync=SYNC, list="loyal")


def into(stage: Rehearsal, folder: Path, target: str, config: dict[str, Any], **terms: Any) -> None:
    """Let the sync go through ``target``, in a project of its own, with five members."""
    stage.terms |= {"target": target, **terms}
    tap = {"name": "tap-activation", "namespace": "tap_activation", "executable": "tap-activation",
           "settings": [{"name": "sync"}]}  # fmt: skip
    loader = {"name": target, "namespace": target.replace("-", "_"), "executable": target, "config": config}
    loader["settings"] = [{"name": name} for name in config]
    plugins = {"extractors": [tap], "loaders": [loader]}
    (folder / "meltano.yml").write_text(yaml.safe_dump({"project_id": "test", "plugins": plugins}))
    stage.publish([{"customer_id": f"c{n}", "email": f"p{n}@example.it"} for n in range(5)])


@pytest.fixture
def at_meta(stage: Rehearsal, tmp_path: Path) -> Iterator[str]:
    with serve(meta(audiences=())) as url:
        config = {"access_token": ACCESS_TOKEN, "ad_account": AD_ACCOUNT, "api_url": url, "create_audience": True}
        into(stage, tmp_path, "target-meta-audiences", config, purpose="ads_audiences", channel="ads")
        yield url


def audiences(url: str) -> list[str]:
    path = f"{url}/v26.0/act_{AD_ACCOUNT}/customaudiences"
    found = httpx.get(path, headers={"Authorization": f"Bearer {ACCESS_TOKEN}"}).raise_for_status().json()
    return [one["id"] for one in found["data"]]


def members(url: str) -> int:
    [number] = audiences(url)
    return len(httpx.get(f"{url}/_inspect/audiences/{number}").raise_for_status().json())


def test_an_audience_that_was_deleted_and_made_anew_is_filled_again(at_meta: str, snello: Snello) -> None:
    assert snello("sync", "run", SYNC).code == 0
    [number] = audiences(at_meta)
    httpx.delete(f"{at_meta}/v26.0/{number}", headers={"Authorization": f"Bearer {ACCESS_TOKEN}"}).raise_for_status()
    assert snello("sync", "run", SYNC).code == 0
    assert audiences(at_meta) == []
    told = snello("sync", "resend", SYNC, *WHY)
    assert (told.code, "5 rows that the channel was given are sent again by the next run" in told.out) == (0, True)
    assert snello("sync", "run", SYNC).code == 0
    assert members(at_meta) == 5


def test_a_dry_run_counts_and_writes_nothing(at_meta: str, stage: Rehearsal, snello: Snello) -> None:
    snello("sync", "run", SYNC)
    told = snello("sync", "resend", SYNC, "--dry-run", "--json")
    assert (told.code, json.loads(told.out)["rows"], json.loads(told.out)["dry_run"]) == (0, 5, True)
    assert json.loads(snello("sync", "plan", SYNC, "--json").out)["changes"] == 0
    with closing(stage.ledger()) as ledger:
        assert AuditLog(ledger.engine, SALT).entries() == []


def test_the_plan_shows_them_and_the_log_who_asked(at_meta: str, snello: Snello) -> None:
    snello("sync", "run", SYNC)
    assert snello("sync", "resend", SYNC, *WHY, "--author", "ops").code == 0
    found = json.loads(snello("sync", "plan", SYNC, "--json").out)
    assert (found["adds"], found["changes"], found["removals"], found["breaker"]) == (0, 5, 0, "")
    told = snello("audit", "list", "--json")
    assert all(word in told.out for word in ("ops", "resend", "the list was deleted"))


def test_a_sync_that_never_ran_is_told_that_a_run_sends_all(at_meta: str, snello: Snello) -> None:
    told = snello("sync", "resend", SYNC, *WHY)
    assert (told.code, "a run sends every member anyway" in told.out) == (0, True)


def test_a_list_that_was_deleted_at_brevo_is_filled_again(stage: Rehearsal, snello: Snello, tmp_path: Path) -> None:
    with serve(brevo()) as url:
        config = {"api_key": API_KEY, "api_url": f"{url}/v3", "create_list": True, "create_attributes": True}
        into(stage, tmp_path, "target-brevo", config, purpose="email_marketing", channel="email")
        assert snello("sync", "run", SYNC).code == 0
        [number] = lists(url, "loyal")
        headers = {"api-key": API_KEY}
        httpx.delete(f"{url}/v3/contacts/lists/{number}", headers=headers).raise_for_status()
        assert snello("sync", "resend", SYNC, *WHY).code == 0
        assert snello("sync", "run", SYNC).code == 0
        assert "channel and ledger agree" in snello("sync", "check", SYNC).out
        [number] = lists(url, "loyal")
        held = httpx.get(f"{url}/v3/contacts/lists/{number}/contacts", headers=headers).raise_for_status().json()
    assert held["count"] == 5


def lists(url: str, name: str) -> list[int]:
    found = httpx.get(f"{url}/v3/contacts/lists", headers={"api-key": API_KEY}).raise_for_status().json()
    return [one["id"] for one in found.get("lists", []) if one["name"] == name]


@pytest.mark.parametrize(
    ("target", "config", "terms", "words"),
    [
        ("target-smtp", {}, {"mode": "insert", "purpose": "email_marketing", "channel": "email"}, "sends letters"),
        ("target-events", {"url": "http://127.0.0.1:1/hook"}, {"purpose": "profiling"}, "sends events"),
        ("target-file", {"path": "drop"}, {"mode": "append", "purpose": "profiling"}, "its rows are events"),
    ],
)
def test_what_would_reach_people_twice_is_refused_in_a_sentence(
    stage: Rehearsal, snello: Snello, tmp_path: Path, target: str, config: Any, terms: Any, words: str
) -> None:
    into(stage, tmp_path, target, config, **terms)
    told = snello("sync", "resend", SYNC, *WHY)
    assert told.code == 2
    assert f"{words}, and sending them again would reach people a second time. Next: " in told.err


def test_a_sync_that_nobody_published_and_a_missing_reason_are_told(at_meta: str, snello: Snello) -> None:
    assert snello("sync", "resend", "nobodys", *WHY).code == 2
    snello("sync", "run", SYNC)
    told = snello("sync", "resend", SYNC)
    assert (told.code, "give --reason" in told.err) == (2, True)
