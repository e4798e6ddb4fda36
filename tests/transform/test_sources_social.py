"""A Bluesky and a Mastodon account, through their taps and the lake: who did what, and which person that is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from shutil import copytree, rmtree
from typing import TYPE_CHECKING, Any

import pytest

from snello.sandbox.emulators import bluesky_store as sky
from snello.sandbox.emulators import mastodon_store as town
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.bluesky import PASSWORD, bluesky
from snello.sandbox.emulators.bluesky_rules import Rules
from snello.sandbox.emulators.mastodon import TOKEN, mastodon

if TYPE_CHECKING:
    from conftest import Hub

BIN = Path(sys.executable).parent
BUILD = (
    "build",
    "--select",
    "+customer_sources",
    "+interactions",
    "--exclude-resource-type",
    "test",
    "unit_test",
)
# lead forms tell whose handle it is; the last is of somebody else who bears the name of one of the server's own
LEADS = {
    "Reader1.bsky.example": "ada",
    "reader3@town3.example": "bea",
    "reader4@mastodon.example": "cleo",
    "reader5@elsewhere.example": "dina",
}
ROWS: dict[str, list[dict[str, Any]]] = {
    "marketing.social": [
        {"event_id": f"e{number}", "handle": handle, "kind": "lead", "email": f"{name}@posta.example"}
        for number, (handle, name) in enumerate(LEADS.items())
    ],
    "crm.customers": [
        {"customer_no": number, "first_name": name, "last_name": "Rossi", "email": f"{name}@posta.example"}
        for number, name in enumerate(LEADS.values(), 1)
    ],
}


class Accounts:
    """Two accounts that are up, and the pipelines that load what they tell into a hub's lake."""

    def __init__(self, folder: Path, hub: Hub, configs: dict[str, dict[str, Any]]) -> None:
        self.folder, self.hub, self.configs = folder, hub, configs

    def load(self, run: str) -> None:
        """Read everything, as a first run does."""
        for source, config in self.configs.items():
            own = self.folder / f"{source}-{run}"
            own.mkdir()
            (own / "tap.json").write_text(json.dumps(config | {"rate_limit": "100000/s", "memory": f"{own}/memory"}))
            (own / "target.json").write_text(json.dumps({"root": f"{self.folder}/lake", "source": source}))
            tap = [BIN / f"tap-{source}", "--config", own / "tap.json"]
            told = subprocess.run(tap, capture_output=True, check=True, env=os.environ | {"SNELLO_STATE": str(own)})
            target = [BIN / "target-lake", "--config", own / "target.json"]
            subprocess.run(target, input=told.stdout, capture_output=True, check=True)
            # the tables of the other sources are made by hand
            rmtree(self.hub.lake / "raw" / source, ignore_errors=True)
            copytree(self.folder / "lake" / "raw" / source, self.hub.lake / "raw" / source)
        self.hub.make(*BUILD)


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory, make_hub: Callable[..., Hub]) -> Iterator[Accounts]:
    with ExitStack() as stack:
        store = sky.generated()
        one = stack.enter_context(serve(bluesky(store, rules=Rules(store.did, 10**9, 10**9))))
        other = stack.enter_context(serve(mastodon(town.generated(), requests=10**9)))
        configs = {
            "bluesky": {"url": one, "handle": sky.HANDLE, "app_password": PASSWORD},
            "mastodon": {"url": other, "account": town.ME, "token": TOKEN},
        }
        accounts = Accounts(tmp_path_factory.mktemp("accounts"), make_hub(ROWS), configs)
        accounts.load("first")
        yield accounts


def kinds(hub: Hub, source: str) -> dict[str, int]:
    rows = hub.query("select kind, count(*) from marts.interactions where source = ? group by all", [source])
    return dict(rows)


def test_what_others_did_on_bluesky_is_there_once_whatever_told_of_it(accounts: Accounts) -> None:
    store = sky.generated()
    named = {"reply": "comment"}
    told = Counter(f"social_{named.get(row['reason'], row['reason'])}" for row in store.visible(store.notifications))
    assert kinds(accounts.hub, "bluesky") == dict(told)


def test_what_others_did_on_mastodon_is_there_by_what_they_did(accounts: Accounts) -> None:
    store = town.generated()
    told = Counter(row["type"] for row in store.notifications)
    answers = sum(
        row["type"] == "mention" and row["status"]["in_reply_to_id"] is not None for row in store.notifications
    )
    assert kinds(accounts.hub, "mastodon") == {
        "social_follow": told["follow"],
        "social_like": told["favourite"],
        "social_repost": told["reblog"],
        "social_mention": told["mention"] - answers,
        "social_comment": answers,
    }


def test_a_profile_is_a_person_only_by_a_handle_that_another_source_names(accounts: Accounts) -> None:
    hub, key = accounts.hub, sky.did("reader1")
    assert hub.customer(f"bluesky/profiles/{key}") == hub.customer("crm/customers/1")
    owners = hub.query(
        "select observed.handle, sources.customer_id from canonical.contact_observed as observed"
        " inner join marts.customer_sources as sources on observed.source = sources.source"
        " and observed.stream = sources.stream and observed.record_key = sources.record_key"
        " where observed.source = 'mastodon'"
    )
    found = {handle: customer for handle, customer in owners if handle in LEADS}
    assert found == {
        "reader3@town3.example": hub.customer("crm/customers/2"),
        "reader4@mastodon.example": hub.customer("crm/customers/3"),
    }
    of_the_crm = set(hub.customers(*(f"crm/customers/{number}" for number in (1, 2, 3, 4))))
    strangers = [customer for handle, customer in owners if handle not in LEADS]
    assert len(strangers) == len(owners) - 2
    assert "reader5@mastodon.example" in dict(owners)
    assert not of_the_crm & set(strangers)


def test_profiles_whose_handle_nobody_could_verify_are_not_one_person(accounts: Accounts) -> None:
    unnamed = [key for key, person in sky.generated().people.items() if person["handle"] == sky.INVALID]
    found = accounts.hub.query(
        "select count(*), count(handle) from canonical.contact_observed"
        " where source = 'bluesky' and list_contains(?, record_key)",
        [unnamed],
    )
    assert found == [(5, 0)]
    shared = accounts.hub.query(
        "select max(records) from (select count(*) as records from marts.customer_sources where source = 'bluesky'"
        " group by customer_id)"
    )
    assert shared == [(1,)]


def test_a_full_refresh_changes_nothing_downstream(accounts: Accounts) -> None:
    before = published(accounts.hub)
    accounts.load("again")
    assert published(accounts.hub) == before


def published(hub: Hub) -> list[tuple[Any, ...]]:
    tables = ("canonical.contact_observed", "marts.interactions", "marts.customer_sources")
    return [tuple(row) for table in tables for row in hub.query(f"select * from {table} order by all")]
