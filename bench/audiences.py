"""Filling a custom audience of Meta's: target-meta-audiences beside ready bodies posted by bare httpx.

.venv/bin/python bench/audiences.py [ROWS]        default: 100,000 people with e-mail, names and postcode

Both fill an audience of the stand-in for Meta's cloud, which runs in a process of its own. The limit posts bodies of
10,000 hashed rows that were made before, and remembers nothing; the target reads Singer messages, normalises, hashes,
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
from pathlib import Path
from typing import Any

import httpx

from snello.kit.channel.rehearsal import Rehearsal
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.meta import ACCESS_TOKEN, AD_ACCOUNT, meta
from snello.sandbox.emulators.meta_rules import Limits
from snello.sandbox.emulators.meta_store import FIRST_ID
from target_meta_audiences import TargetMetaAudiences
from target_meta_audiences.members import MOST
from target_meta_audiences.people import fields_of, payload_of, row_of

ROWS = 100_000
NAME = "long_absent"
Person = dict[str, Any]


def person(number: int) -> Person:
    """One of many; towns and names are shared, as they are in life."""
    names = {"first_name": f"Ada{chr(97 + number % 23)}", "last_name": f"Rossi{chr(97 + number % 19)}"}
    place = {"postcode": f"{20100 + number % 100}", "country": "IT"}
    return {"customer_id": f"c{number:07}", "email": f"person{number}@example.it", **names, **place}


def cloud() -> None:
    """Meta's stand-in on a free port, which is printed, until the input ends."""
    with serve(meta(audiences=(NAME,), limits=Limits(score=1e9))) as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        sys.stdin.read()


@contextmanager
def clouds() -> Iterator[str]:
    """The address of an empty cloud, for as long as the block lasts."""
    command = [sys.executable, __file__, "cloud"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def limit(people: list[Person], folder: Path, url: str) -> Callable[[], None]:
    """Ready bodies, posted one after the other."""
    rows = [row for one in people if (row := row_of(one["customer_id"], one))]
    parts = [rows[start : start + MOST] for start in range(0, len(rows), MOST)]
    bodies = [{"payload": payload_of(part, fields_of(part))} for part in parts]

    def post() -> None:
        with httpx.Client(headers={"Authorization": f"Bearer {ACCESS_TOKEN}"}, timeout=60) as client:
            for body in bodies:
                client.post(f"{url}/v26.0/{FIRST_ID}/users", json=body).raise_for_status()

    return post


def target(people: list[Person], folder: Path, url: str) -> Callable[[], None]:
    """The target, from the messages of tap-activation to the last receipt."""
    stage = Rehearsal(folder, "meta__bench", purpose="ads_audiences", channel="ads", list=NAME)
    stage.publish(people)
    messages = stage.messages()
    config = {"access_token": ACCESS_TOKEN, "ad_account": AD_ACCOUNT, "api_url": url, "requests_per_second": 10_000}
    return lambda: stage.feed(TargetMetaAudiences, config, messages) and None


def main(rows: int) -> None:
    """Print a line a way."""
    people = [person(number) for number in range(rows)]
    sys.stdout.write(f"{'':28}{'rows/s':>10}{'busy rows/s':>14}{'requests':>10}\n")
    ways = {"bare httpx, ready bodies": limit, "target-meta-audiences": target}
    for name, way in ways.items():
        with tempfile.TemporaryDirectory() as folder, clouds() as url:
            work = way(people, Path(folder), url)
            began, busy = time.monotonic(), time.process_time()
            work()
            seconds, busy = time.monotonic() - began, time.process_time() - busy
            inspected = httpx.get(f"{url}/_inspect", timeout=60).json()
            assert inspected["audiences"] == {NAME: rows}
            calls = sum(inspected["calls"].values())
        sys.stdout.write(f"{name:28}{rows / seconds:>10,.0f}{rows / busy:>14,.0f}{calls:>10}\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["cloud"]:
        cloud()
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else ROWS)
