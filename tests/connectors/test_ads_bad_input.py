"""What a user of the ads targets meets when the platform is not as it should be: a process, what it prints, the ledger.

Each run is a process fed with tap-activation's lines. c0 and c1 are delivered before the fault, but where the audience
itself is the fault; then c1 leaves and c2 comes.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from snello.kit.channel.rehearsal import SALT, Rehearsal
from snello.kit.conformance.runs import Outcome, Runs
from snello.sandbox.emulators import google as google_cloud
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.google import google
from snello.sandbox.emulators.google_rules import Quota
from snello.sandbox.emulators.meta import ACCESS_TOKEN, AD_ACCOUNT, Rights, meta
from snello.sandbox.emulators.meta_rules import Limits
from snello.sandbox.emulators.meta_store import FIRST_ID, REPLACING

NAME = "long_absent"
FULL = tuple(f"other {n}" for n in range(500))
QUICK = {"requests_per_second": 10_000, "retry_attempts": 2, "max_wait": 0.1, "status_timeout": 0.1}
CANARY = "canary"


def address(number: int) -> str:
    return f"{CANARY}{number}@example.it"


def hashed(number: int) -> str:
    return sha256(address(number).encode()).hexdigest()


class Meta:
    """An ad account whose state a test changes; ``number``: of the audience that is kept."""

    command = "target_meta_audiences:main"
    secrets = (ACCESS_TOKEN, AD_ACCOUNT, str(FIRST_ID))

    def __init__(self, url: str, rights: Rights, limits: Limits) -> None:
        self.url, self.rights, self.limits, self.number = url, rights, limits, FIRST_ID

    def config(self) -> dict[str, Any]:
        login = {"access_token": ACCESS_TOKEN, "ad_account": AD_ACCOUNT, "api_url": self.url}
        return {**login, "audience_name": NAME, **QUICK}

    def held(self) -> set[str]:
        rows = httpx.get(f"{self.url}/_inspect/audiences/{self.number}").json()
        return {row["EMAIL"] for row in rows}

    def force(self, **values: Any) -> None:
        httpx.post(f"{self.url}/_inspect/audiences/{self.number}", json=values).raise_for_status()

    def delete(self, number: int = FIRST_ID) -> None:
        headers = {"Authorization": f"Bearer {ACCESS_TOKEN}"}
        httpx.delete(f"{self.url}/v26.0/{number}", headers=headers).raise_for_status()

    def throttle(self, seconds: float) -> None:
        self.limits.until = time.monotonic() + seconds


class Google:
    """A Google Ads account whose state a test changes."""

    command = "target_google_audiences:main"
    secrets = (google_cloud.CLIENT_SECRET, google_cloud.REFRESH_TOKEN, google_cloud.ACCOUNT, "ya29.")

    def __init__(self, url: str, quotas: tuple[Quota, Quota]) -> None:
        self.url, self.quotas, self.number = url, quotas, 1

    def config(self) -> dict[str, Any]:
        login = {name: getattr(google_cloud, name.upper()) for name in ("client_id", "client_secret", "refresh_token")}
        there = {"api_url": f"{self.url}/v1", "token_url": f"{self.url}/token", "account_id": google_cloud.ACCOUNT}
        return {**login, **there, "list_name": NAME, "status_wait": 0.01, **QUICK}

    def held(self) -> set[str]:
        found: list[str] = httpx.get(f"{self.url}/_inspect/members/{self.number}").json()
        return {one.removeprefix("emailAddress ") for one in found}

    def switch(self, **values: Any) -> None:
        httpx.post(f"{self.url}/_inspect/switches", json=values).raise_for_status()

    def change_list(self, **values: Any) -> None:
        httpx.patch(f"{self.url}/_inspect/lists/1", json=values).raise_for_status()

    def delete(self) -> None:
        httpx.delete(f"{self.url}/_inspect/lists/1").raise_for_status()

    def revoke(self) -> None:
        self.switch(refreshing=False)
        httpx.delete(f"{self.url}/_inspect/tokens").raise_for_status()

    def throttle(self, quota: int, seconds: float) -> None:
        one = self.quotas[quota]
        one.most, one.seconds, one.seen = 1, seconds, deque([time.monotonic()])

    def relax(self) -> None:
        for quota in self.quotas:
            quota.most = 100_000


@contextmanager
def a_meta(*audiences: str) -> Iterator[Meta]:
    rights, limits = Rights(), Limits()
    with serve(meta(audiences=audiences or (NAME,), rights=rights, limits=limits)) as url:
        yield Meta(url, rights, limits)


@contextmanager
def a_google(*lists: str) -> Iterator[Google]:
    quotas = (Quota(100_000), Quota(100_000))
    with serve(google(lists=lists or (NAME,), quotas=quotas)) as url:
        yield Google(url, quotas)


@dataclass(frozen=True)
class Fault:
    """What goes wrong, what the run then says and how it ends, and what mends it.

    - ``config``: of the run that meets the fault; ``after``: of the next one
    - ``fresh``: nothing was delivered before
    """

    name: str
    start: Callable[..., Any]
    broken: Callable[[Any], Any]
    mended: Callable[[Any], Any]
    code: int
    says: tuple[str | re.Pattern[str], ...]
    audiences: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    fresh: bool = False

    def __str__(self) -> str:
        return self.name


def nothing(_: Any) -> None:
    return


def another(there: Google) -> None:
    """The next list that is made is the one to look into."""
    there.number += 1


def room(there: Meta) -> None:
    """The account's last audience is deleted, and its number is the new one's."""
    there.number = FIRST_ID + 499
    there.delete(there.number)


def mended_list(there: Google) -> None:
    there.switch(makes_no_list="")
    another(there)


FAULTS = [
    Fault(
        "meta: the audience was deleted, known by its name", a_meta, Meta.delete, nothing, 2,
        ("no audience called 'long_absent'", "create_audience"), after={"create_audience": True}, fresh=True,
    ),
    Fault(
        "meta: the audience was deleted, known by its number", a_meta, Meta.delete, nothing, 2,
        ("no such audience or ad account", "audience_id left out"), config={"audience_id": str(FIRST_ID)},
        after={"create_audience": True}, fresh=True,
    ),
    Fault(
        "meta: the token lacks the permission", a_meta, lambda there: setattr(there.rights, "permission", False),
        lambda there: setattr(there.rights, "permission", True), 2, ("a permission is missing", "ads_management"),
    ),
    Fault(
        "meta: the token was revoked", a_meta, lambda there: setattr(there.rights, "token", 467),
        lambda there: setattr(there.rights, "token", None), 2, ("the access token was revoked", "make a new token"),
    ),
    Fault(
        "meta: the app's secret is of another app", a_meta, nothing, nothing, 2,
        ("does not take the call for the ad account", "TARGET_META_AUDIENCES_APP_SECRET"),
        config={"app_secret": "0secret0of0another"}, fresh=True,
    ),
    Fault(
        "meta: the terms are not accepted", a_meta, lambda there: setattr(there.rights, "terms", False),
        lambda there: setattr(there.rights, "terms", True), 2, ("nobody accepted the terms", "accept them"),
    ),
    Fault(
        "meta: the audience is frozen", a_meta, lambda there: there.force(status=471),
        lambda there: there.force(status=200), 2, ("frozen the audience", "appeal in Audience Manager"),
    ),
    Fault(
        "meta: the account has as many audiences as it may", a_meta, nothing,
        room, 2,
        ("has 500 of the 500 customer lists", "delete one"), audiences=FULL,
        config={"create_audience": True}, after={"create_audience": True}, fresh=True,
    ),
    Fault(
        "meta: an hour's calls to audiences are used up (80003)", a_meta,
        lambda there: setattr(there.limits, "an_hour", 0), lambda there: setattr(there.limits, "an_hour", 190_000), 4,
        ("asks to wait 3600 s", "run again after that time; nothing is lost"),
    ),
    Fault(
        "meta: the ad account is blocked for minutes (17)", a_meta, lambda there: there.throttle(300),
        lambda there: there.throttle(0), 4,
        (re.compile(r"asks to wait (300|2\d\d) s"), "run again after that time; nothing is lost"),
    ),
    Fault(
        "meta: a replacement never ends", a_meta,
        lambda there: there.force(status=REPLACING, busy_until=time.time() + 9_999),
        lambda there: there.force(status=200), 4,
        ("another replacement of the audience is not through", "run again later; nothing is lost"),
    ),
    Fault(
        "google: the list was deleted, known by its name", a_google, Google.delete, another, 2,
        ("no list called 'long_absent'", "create_list"), after={"create_list": True}, fresh=True,
    ),
    Fault(
        "google: the list was deleted, known by its number", a_google, Google.delete, another, 2,
        ("the account has no list", "list_name"), config={"list_id": 1}, after={"create_list": True}, fresh=True,
    ),
    Fault(
        "google: no list is made", a_google, lambda there: there.switch(makes_no_list="USER_LIST_NAME_RESERVED"),
        mended_list, 2, ("would not make the list (user_list_name_reserved)", "set list_id"),
        audiences=("other",), config={"create_list": True}, after={"create_list": True}, fresh=True,
    ),
    Fault(
        "google: the login may not use the account", a_google, lambda there: there.switch(permission=False),
        lambda there: there.switch(permission=True), 2, ("may not use the account", "give the login access"),
    ),
    Fault(
        "google: the refresh token was revoked", a_google, Google.revoke,
        lambda there: there.switch(refreshing=True), 2,
        ("400 from POST /token, the login is refused (invalid_grant)", "renew client_id and client_secret"),
    ),
    Fault(
        "google: the account has no Customer Match", a_google, lambda there: there.switch(customer_match=False),
        lambda there: there.switch(customer_match=True), 2, ("may not use Customer Match", "Google's policy"),
    ),
    Fault(
        "google: the list is closed", a_google, lambda there: there.change_list(membershipStatus="CLOSED"),
        lambda there: there.change_list(membershipStatus="OPEN"), 2, ("closed to new members", "open it"),
    ),
    Fault(
        "google: writing is throttled for minutes", a_google, lambda there: there.throttle(0, 300), Google.relax, 4,
        ("asks to wait", "run again after that time; nothing is lost"),
    ),
    Fault(
        "google: reading is throttled for minutes", a_google, lambda there: there.throttle(1, 300), Google.relax, 4,
        ("asks to wait", "run again after that time; nothing is lost"),
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def commands() -> Iterator[Callable[[str], Runs]]:
    kept: dict[str, Runs] = {}

    def of(command: str) -> Runs:
        if command not in kept:
            kept[command] = Runs(command)
        return kept[command]

    yield of
    for runs in kept.values():
        runs.__exit__()


class Sync:
    """One sync to a platform, run as a process."""

    def __init__(self, folder: Path, runs: Runs, there: Any) -> None:
        self.folder, self.runs, self.there, self.count = folder, runs, there, 0
        self.stage = Rehearsal(folder, purpose="ads_audiences", channel="ads", max_removal_share=1)

    def publish(self, *numbers: int) -> None:
        self.stage.publish([{"customer_id": f"c{n}", "email": address(n)} for n in numbers])

    def run(self, **config: Any) -> Outcome:
        self.count += 1
        given = {**self.there.config(), "ledger": self.stage.ledger_url, **config}
        folder = self.folder / f"run-{self.count}"
        outcome = self.runs.run(folder, self.stage.messages(), given, SNELLO_SALT=SALT, SNELLO_TRACEBACK="")
        shown = outcome.out + outcome.err
        assert "Traceback" not in shown
        for secret in (CANARY, *self.there.secrets, *(hashed(n) for n in range(3))):
            assert secret not in shown, outcome.err
        assert "***" not in shown, "words of ours were taken for a secret"
        return outcome

    def owed(self) -> set[tuple[str, str]]:
        """What tap-activation would send now."""
        lines = [json.loads(line) for line in self.stage.messages().splitlines()]
        records = [line["record"] for line in lines if line["type"] == "RECORD"]
        return {(row["_key"], row["_op"]) for row in records}

    def statuses(self) -> dict[str, tuple[str, str]]:
        ledger = self.stage.ledger()
        try:
            rows = ledger.lookup(self.stage.sync, ["c0", "c1", "c2"])
        finally:
            ledger.close()
        return {key: (row["status"], row["code"]) for key, row in rows.items()}


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_of_the_platform_is_one_sentence_with_its_cure_and_the_next_run_delivers_what_is_owed(
    fault: Fault, commands: Callable[[str], Runs], tmp_path: Path
) -> None:
    with fault.start(*fault.audiences) as there:
        sync = Sync(tmp_path, commands(there.command), there)
        owed = {("c0", "upsert"), ("c2", "upsert")}
        if not fault.fresh:
            sync.publish(0, 1)
            assert sync.run().code == 0
            owed = {("c1", "remove"), ("c2", "upsert")}
        sync.publish(0, 2)
        fault.broken(there)

        failed = sync.run(**fault.config)
        said = failed.err.strip().splitlines()[-1]
        assert failed.code == fault.code, failed.err
        assert failed.states == []
        assert said.count(". Next: ") == 1
        for words in fault.says:
            assert words.search(said) if isinstance(words, re.Pattern) else words in said
        assert sync.owed() <= owed
        assert ("c2", "upsert") in sync.owed()
        assert {status for status, _ in sync.statuses().values()} <= {"delivered", "retrying"}

        fault.mended(there)
        mended = sync.run(**fault.after)
        assert mended.code == 0, mended.err
        assert there.held() == {hashed(0), hashed(2)}
        assert sync.owed() == set()


def test_a_request_that_google_never_ends_leaves_its_rows_owed_and_is_asked_for_again_not_sent_again(
    commands: Callable[[str], Runs], tmp_path: Path
) -> None:
    with a_google() as there:
        sync = Sync(tmp_path, commands(there.command), there)
        sync.publish(0, 2)
        there.switch(endless=True)
        outcome = sync.run()
        assert outcome.code == 0, outcome.err
        assert sync.statuses() == {"c0": ("retrying", "processing"), "c2": ("retrying", "processing")}
        assert sync.owed() == {("c0", "upsert"), ("c2", "upsert")}
        there.switch(endless=False)
        assert sync.run().code == 0
        assert there.held() == {hashed(0), hashed(2)}
        assert sync.owed() == set()
        assert httpx.get(f"{there.url}/_inspect").json()["requests"] == {"ingest": 1}


def test_an_audience_that_meta_never_stops_filling_takes_changes_all_the_same(
    commands: Callable[[str], Runs], tmp_path: Path
) -> None:
    with serve(meta(audiences=(NAME,), processing_seconds=math.inf)) as url:
        there = Meta(url, Rights(), Limits())
        sync = Sync(tmp_path, commands(there.command), there)
        for numbers in ((0, 1), (0, 2)):
            sync.publish(*numbers)
            assert sync.run().code == 0
        assert there.held() == {hashed(0), hashed(2)}
        assert sync.owed() == set()
