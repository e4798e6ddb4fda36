"""Filling a CRM: target-hubspot on the stand-in for HubSpot, in calls and in CPU seconds of the target.

.venv/bin/python bench/crm.py [CONTACTS]        default: 100,000 contacts, of which 1 % change and 1 % leave

The stand-in is a process of its own and its pace is switched off; a private app has ten calls a second, so the calls
divided by ten are the seconds that HubSpot itself makes a run last.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

PER_SECOND = 10


def person(number: int, version: int = 0) -> dict[str, Any]:
    names = {"first_name": f"First{number % 5000}", "last_name": f"Last{number % 20000} {version}"}
    return {"customer_id": f"c{number:07}", "email": f"person{number}@example.org", **names, "city": "Como"}


def account() -> None:
    """The stand-in, until its standard input ends; its address is printed."""
    from snello.sandbox.emulators.hubspot import hubspot
    from snello.sandbox.emulators.hubspot_rules import Limits
    from snello.sandbox.emulators.serving import serve

    with serve(hubspot(limits=Limits(burst=10**9, daily=10**9))) as url:
        print(url, flush=True)
        sys.stdin.read()


@contextmanager
def standing() -> Iterator[str]:
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, __file__, "--account"], **pipes) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def prepare(folder: Path, many: int) -> None:
    """Publish the audience of the next run, and write what tap-activation says of it."""
    from snello.kit.channel.rehearsal import Rehearsal

    stage = Rehearsal(folder, purpose="profiling", channel="any", max_removal_share=1)
    few = many // 100
    first = not (folder / "ledger").exists()
    (folder / "ledger").write_text(stage.ledger_url)
    people = [person(number, int(not first and number < few)) for number in range(many if first else many - few)]
    stage.publish(people)
    (folder / "messages").write_text(stage.messages())


def calls(url: str) -> Counter[str]:
    return Counter(requests.get(f"{url}/_inspect", timeout=60).json()["calls"])


def run(what: str, url: str, folder: Path, many: int) -> None:
    """One run of the sync; its figures."""
    # apart, for a process begins with the memory of the one that starts it
    subprocess.run([sys.executable, __file__, "--prepare", str(folder), str(many)], check=True)
    settings = {"access_token": "pat-eu1-aurora", "api_url": url, "create_properties": True, "list_name": "long_absent"}
    config = {**settings, "requests_per_second": 10**6, "ledger": (folder / "ledger").read_text()}
    (folder / "config.json").write_text(json.dumps(config))
    command = [str(Path(sys.executable).with_name("target-hubspot")), "--config", str(folder / "config.json")]
    before, began = calls(url), time.perf_counter()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "SNELLO_SALT": "rehearsal", "SNELLO_STATE": str(folder), "LOGLEVEL": "ERROR"}
    with (folder / "messages").open() as given, (folder / "state").open("w") as state:
        subprocess.run(command, stdin=given, stdout=state, env=environment, check=True, cwd=folder)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    made = calls(url) - before
    at_pace = f"{made.total() / PER_SECOND:,.0f} s at HubSpot's pace"
    print(f"{what}: {made.total():,} calls ({at_pace}), {cpu:.1f} s of CPU, {seconds:.1f} s here", flush=True)
    for path, count in made.most_common():
        print(f"    {count:>6,}  {path}")


def main(many: int) -> None:
    with standing() as url, tempfile.TemporaryDirectory(prefix="snello-bench-") as name:
        run(f"{many:,} contacts are new", url, Path(name), many)
        run(f"{many // 100:,} change and {many // 100:,} leave", url, Path(name), many)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--account"]:
            account()
        case ["--prepare", folder, many]:
            prepare(Path(folder), int(many))
        case given:
            main(int(given[0].replace("_", "").replace(",", "")) if given else 100_000)
