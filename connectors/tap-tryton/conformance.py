"""tap-tryton tried on a real Tryton server with a small company: by the key of an application, and by a login."""

from __future__ import annotations

import atexit
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.servers.tryton import CANARY, DATABASE, PASSWORD, Tryton, prepared

from snello.kit.conformance.taps import Key, Subject, starts
from tap_tryton import TapTryton

KEY = f"key-of-reader-{'0' * 24}"
ALL = {"active_test": False}


@cache
def _server() -> Tryton:
    """One for all cases: what one changes, no other looks at."""
    stack = ExitStack()
    atexit.register(stack.close)
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="snello-tryton-", ignore_cleanup_errors=True)))
    server = Tryton(prepared(), folder)
    stack.callback(server.stop)
    server.start()
    return server


def _subject(server: Tryton, credentials: dict[str, str], wrong: dict[str, str], url: str = "") -> Subject:
    def first(model: str) -> int:
        found: list[int] = server.call(f"model.{model}.search", [], 0, 1, [["id", "DESC"]], {})
        return found[0]

    def change() -> tuple[str, Key]:
        address = first("party.address")
        server.call("model.party.address.write", [address], {"city": "Torino"}, {})
        return "addresses", (address,)

    def tie() -> tuple[str, list[Key]]:
        given = [{"party": first("party.party"), "type": "other", "value": f"late {number}"} for number in range(2)]
        made: list[int] = server.call("model.party.contact_mechanism.create", given, {})
        _backdate(server, "party_contact_mechanism", made)
        return "contact_mechanisms", [(number,) for number in made]

    def remove() -> tuple[str, Key]:
        identifier = first("party.identifier")
        server.call("model.party.identifier.delete", [identifier], {})
        return "identifiers", (identifier,)

    rows = {each.name: each.model for each in TapTryton.stream_classes}
    more: dict[str, Any] = {"database": DATABASE, "page_size": 100, "deletions": ["identifiers"], **credentials}
    return Subject(
        command="tap_tryton:main",
        plugin="tap_tryton:TapTryton",
        url=url,
        config=lambda address: {"url": address or server.url, **more},
        rows={name: server.call(f"model.{model}.search_count", [], 0, None, ALL) for name, model in rows.items()},
        canaries=(CANARY, PASSWORD, KEY),
        change=change,
        tie=tie,
        remove=remove,
        wrong=wrong,
    )


def _backdate(server: Tryton, table: str, made: list[int]) -> None:
    """Give new rows the moment of the last one before them."""
    last = f"select max(coalesce(write_date, create_date)) from {table} where id < {min(made)}"
    with closing(sqlite3.connect(server.folder / f"{DATABASE}.sqlite")) as database, database:
        change = f"update {table} set create_date = ({last}), write_date = ({last}) where id >= {min(made)}"
        database.execute(change)


@starts(
    {
        "renews": "a key holds until somebody withdraws it",
        "grows": "measured for all REST taps in tests/kit/test_rest_process.py",
    },
    real=True,
)
def by_key() -> Iterator[Subject]:
    """Over REST."""
    server = _server()
    yield _subject(server, {"key": KEY}, {"key": "0" * 32}, server.url)


@starts(
    {
        "http": "tried by key; sessions that end, in tests/connectors/test_tap_tryton.py",
        "renews": "tried there too",
        "grows": "measured for all REST taps in tests/kit/test_rest_process.py",
    },
    real=True,
)
def by_login() -> Iterator[Subject]:
    """Over JSON-RPC."""
    server = _server()
    yield _subject(server, {"user": "reader", "password": PASSWORD}, {"password": "wrong-sesame"})
