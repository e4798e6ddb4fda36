"""A small sound tap over HTTP, and the same tap broken in one way each; which, the setting ``flaw`` says.

A sound one reads pages of three rows by keyset, tries again, and lets a state follow the page that it speaks of.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any

from singer_sdk import Tap

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "email": {"type": ["string", "null"]},
        "changed_at": {"type": "string", "format": "date-time"},
    },
}
KNOWN = {"url", "flaw", "token", "timeout"}


class TapBroken(Tap):
    """Only its catalog is asked for."""

    name = "tap-broken"

    def discover_streams(self) -> list[Any]:
        return []

    @property
    def catalog_dict(self) -> dict[str, Any]:
        return {"streams": []}


def say(**message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def leave(code: int, what: str) -> None:
    sys.stderr.write(f"tap-broken: {what}. Next: mend it.\n")
    sys.exit(code)


def given(option: str) -> dict[str, Any]:
    if option not in sys.argv:
        return {}
    with open(sys.argv[sys.argv.index(option) + 1]) as file:
        found: dict[str, Any] = json.load(file)
    return found


def page(config: dict[str, Any], at: str, number: int) -> list[dict[str, Any]]:
    """The rows behind a place, in the order of (moment, id)."""
    request = urllib.request.Request(f"{config['url']}/rows?at={at.replace('+', '%2B')}&id={number}")
    request.add_header("Authorization", config.get("token", "right"))
    what, code = "no answer", 4
    patience = 600 if config.get("flaw") == "waits for ever" else config.get("timeout", 10)
    for _ in range(1 if config.get("flaw") == "gives up" else 6):
        try:
            with urllib.request.urlopen(request, timeout=patience) as answer:
                if "html" in answer.headers["Content-Type"]:
                    leave(3, "a page for people came")
                found: list[dict[str, Any]] = json.load(answer)
                return found
        except urllib.error.HTTPError as fault:
            fault.close()
            if fault.code == 401 and config.get("flaw") != "takes any credentials for none":
                leave(2, "401, renew the token")
            what = str(fault.code)
            if float(fault.headers.get("Retry-After") or 0) > 100:
                break
        except (OSError, HTTPException, ValueError):
            what = "no whole answer"
        time.sleep(0)
    leave(1 if config.get("flaw") == "knows no exit codes" else code, what)
    raise AssertionError


def main() -> None:
    """Read."""
    config = given("--config")
    flaw = config.get("flaw", "")
    if config.keys() - KNOWN and flaw != "takes any setting":
        leave(2, f"unknown setting {min(config.keys() - KNOWN)}")
    bookmark = given("--state").get("bookmarks", {}).get("rows", {})
    if "url" not in config:
        leave(2, "setting url is missing")
    at, number = bookmark.get("replication_key_value", ""), bookmark.get("id", 0)
    if flaw == "loses ties" and at:
        number = 10**9
    elif at and not bookmark.get("open"):
        number = -1  # rows of the last moment may have come late
    if flaw == "forgets":
        at, number = "", 0
    write(config, flaw, at, number)


def write(config: dict[str, Any], flaw: str, at: str, number: int) -> None:
    say(type="SCHEMA", stream="rows", schema=SCHEMA, key_properties=["id"])
    count, held = 0, list[Any]()
    while rows := page(config, at, number):
        count += 1
        if flaw == "holds all":
            held += rows
        last = rows[-1]
        state = {"replication_key_value": last["changed_at"], "id": last["id"], "open": True}
        if flaw == "state ahead":
            say(type="STATE", value={"bookmarks": {"rows": state}})
        for row in rows:
            show(row, flaw)
        if flaw == "doubles a page" and count == 2:
            for row in rows:
                show(row, flaw)
        if flaw == "prints a row":
            sys.stderr.write(f"INFO read {rows[0]}\n")
        at, number = last["changed_at"], last["id"]
        if flaw == "goes back" and count > 1:
            state = state | {"replication_key_value": "2000-01-01T00:00:00+00:00", "id": 0}
        say(type="STATE", value={"bookmarks": {"rows": state}})
        if flaw == "ends early" and count == 2:
            break
    say(type="STATE", value={"bookmarks": {"rows": {"replication_key_value": at, "id": number}}})


def show(row: dict[str, Any], flaw: str) -> None:
    row = dict(row)
    if flaw == "lies in the schema":
        row["changed_at"] = row["changed_at"].replace("T", " at ")
    if flaw == "hides a column" and row["email"] is None:
        del row["email"]
    if flaw == "has no key":
        row["id"] = row["id"] if row["id"] != 5 else None
    say(type="RECORD", stream="rows", record=row)
