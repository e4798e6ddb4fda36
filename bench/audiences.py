"""Filling audiences of Meta's and Google's: each target beside ready bodies posted by bare httpx.

.venv/bin/python bench/audiences.py [ROWS]        default: 100,000 people with e-mail, names and postcode

Each fills an audience of the stand-in for its cloud, which runs in a process of its own. A limit posts bodies of
10,000 hashed rows that were made before, and remembers nothing; a target reads Singer messages, normalises, hashes,
keeps what it sends sealed in the ledger before each call and a receipt a row after it. Rows a second by the clock and
by the processor's own seconds (``busy``), which say more on a shared machine; ``requests`` are all calls that came.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from snello.kit.channel import ActivationTarget
from snello.kit.channel.rehearsal import Rehearsal
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.google import ACCOUNT, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, google
from snello.sandbox.emulators.google_rules import Quota
from snello.sandbox.emulators.meta import ACCESS_TOKEN, AD_ACCOUNT, meta
from snello.sandbox.emulators.meta_rules import Limits
from snello.sandbox.emulators.meta_store import FIRST_ID
from target_google_audiences import TargetGoogleAudiences
from target_google_audiences.members import handles_of, member_of
from target_meta_audiences import TargetMetaAudiences
from target_meta_audiences.members import MOST
from target_meta_audiences.people import fields_of, payload_of, row_of

ROWS = 100_000
NAME = "long_absent"
LOGIN = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN}
Person = dict[str, Any]


def person(number: int) -> Person:
    """One of many; towns and names are shared, as they are in life."""
    names = {"first_name": f"Ada{chr(97 + number % 23)}", "last_name": f"Rossi{chr(97 + number % 19)}"}
    place = {"postcode": f"{20100 + number % 100}", "country": "IT"}
    return {"customer_id": f"c{number:07}", "email": f"person{number}@example.it", **names, **place}


def cloud(platform: str) -> None:
    """A platform's stand-in on a free port, which is printed, until the input ends."""
    apps = {
        "meta": partial(meta, audiences=(NAME,), limits=Limits(score=1e9)),
        "google": partial(google, lists=(NAME,), quotas=(Quota(1_000_000), Quota(1_000_000))),
    }
    with serve(apps[platform]()) as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        sys.stdin.read()


@contextmanager
def clouds(platform: str) -> Iterator[str]:
    """The address of an empty cloud, for as long as the block lasts."""
    command = [sys.executable, __file__, "cloud", platform]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def parts(rows: list[Any]) -> list[list[Any]]:
    """As many rows as one request takes."""
    return [rows[start : start + MOST] for start in range(0, len(rows), MOST)]


def meta_limit(people: list[Person], folder: Path, url: str) -> Callable[[], object]:
    """Ready bodies, posted one after the other."""
    rows = [row for one in people if (row := row_of(one["customer_id"], one))]
    bodies = [{"payload": payload_of(part, fields_of(part))} for part in parts(rows)]
    return partial(posted, f"{url}/v26.0/{FIRST_ID}/users", ACCESS_TOKEN, bodies)


def google_limit(people: list[Person], folder: Path, url: str) -> Callable[[], object]:
    """Ready bodies, posted one after the other; what became of them is not asked."""
    account = {"accountType": "GOOGLE_ADS", "accountId": ACCOUNT}
    body = {
        "destinations": [{"operatingAccount": account, "productDestinationId": "1"}],
        "encoding": "HEX",
        "consent": {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"},
        "termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"},
    }
    members = [member_of(handle) for handle in handles_of(people, None)]
    bodies = [{**body, "audienceMembers": part} for part in parts(members)]
    token = httpx.post(f"{url}/token", data={"grant_type": "refresh_token", **LOGIN}).json()["access_token"]
    return partial(posted, f"{url}/v1/audienceMembers:ingest", token, bodies)


def posted(address: str, token: str, bodies: list[dict[str, Any]]) -> None:
    """Post them all."""
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        for body in bodies:
            client.post(address, json=body).raise_for_status()


def meta_target(people: list[Person], folder: Path, url: str) -> Callable[[], object]:
    """The target, from the messages of tap-activation to the last receipt."""
    config = {"access_token": ACCESS_TOKEN, "ad_account": AD_ACCOUNT, "api_url": url, "requests_per_second": 10_000}
    return fed(TargetMetaAudiences, config, people, folder)


def google_target(people: list[Person], folder: Path, url: str) -> Callable[[], object]:
    """The same of Google's; the stand-in has processed a request when it is first asked about it."""
    config = {"account_id": ACCOUNT, "api_url": f"{url}/v1", "token_url": f"{url}/token", "status_wait": 0.01, **LOGIN}
    return fed(TargetGoogleAudiences, {**config, "requests_per_second": 10_000}, people, folder)


def fed(
    target: type[ActivationTarget], config: dict[str, Any], people: list[Person], folder: Path
) -> Callable[[], object]:
    """A run of a target with messages that are ready."""
    stage = Rehearsal(folder, "ads__bench", purpose="ads_audiences", channel="ads", list=NAME)
    stage.publish(people)
    messages = stage.messages()
    return partial(stage.feed, target, config, messages)


def held(platform: str, inspected: dict[str, Any], rows: int) -> bool:
    """Whether the audience has all the people; of Google's, by e-mail and by name and place."""
    return bool(inspected["audiences"] == {NAME: rows} if platform == "meta" else inspected["lists"][NAME] >= rows)


def main(rows: int) -> None:
    """Print a line a way."""
    people = [person(number) for number in range(rows)]
    sys.stdout.write(f"{'':28}{'rows/s':>10}{'busy rows/s':>14}{'requests':>10}\n")
    ways = {
        "Meta: httpx, ready bodies": ("meta", meta_limit),
        "target-meta-audiences": ("meta", meta_target),
        "Google: httpx, ready bodies": ("google", google_limit),
        "target-google-audiences": ("google", google_target),
    }
    for name, (platform, way) in ways.items():
        with tempfile.TemporaryDirectory() as folder, clouds(platform) as url:
            work = way(people, Path(folder), url)
            before = sum(httpx.get(f"{url}/_inspect", timeout=60).json()["calls"].values())
            began, busy = time.monotonic(), time.process_time()
            work()
            seconds, busy = time.monotonic() - began, time.process_time() - busy
            inspected = httpx.get(f"{url}/_inspect", timeout=60).json()
            assert held(platform, inspected, rows)
            calls = sum(inspected["calls"].values()) - before
        sys.stdout.write(f"{name:28}{rows / seconds:>10,.0f}{rows / busy:>14,.0f}{calls:>10}\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["cloud"]:
        cloud(sys.argv[2])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else ROWS)
